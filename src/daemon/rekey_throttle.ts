/**
 * A floor under the rekeys that SIGHUP asks for.
 *
 * A hook that sends its parent SIGHUP, or an init that forwards the signal of
 * `--pid 1` to us, asks for the next rekey by each rekey. A person who asks
 * twice must not wait for that, so the floor grows with the row.
 */
import { calmMs, MIN_WAIT_MS, type Validity } from "../engine/schedule.ts";

/** How long to hold back a rekey that was asked for. */
export interface WakeDelay {
  readonly waitMs: number;
  /** True once in a row, when it is long enough to look like a loop. */
  readonly isSuspicious: boolean;
}

/** The row that looks like a loop: nobody asks that often in seconds. */
const SUSPICIOUS = 3;

/** Remembers the last rekey, and how many were asked for right after another. */
export class WakeFloor {
  #last: { readonly atMs: number; readonly calmMs: number } | undefined;
  #row = 0;

  /** A rekey has succeeded. */
  rekeyed(now: Date, certificate: Validity): void {
    this.#last = { atMs: now.getTime(), calmMs: calmMs(certificate) };
  }

  /**
   * A rekey is asked for. Held back until a second after the last one, then 2,
   * 4, … up to a minute or a twentieth of the life; a request after that time
   * begins a new row and waits for nothing.
   */
  delay(now: Date): WakeDelay {
    const passedMs = this.#last === undefined
      ? Infinity
      // A clock that was set back makes nothing longer.
      : Math.max(0, now.getTime() - this.#last.atMs);
    const calm = Math.max(this.#last?.calmMs ?? 0, MIN_WAIT_MS);
    this.#row = passedMs < calm ? this.#row + 1 : 0;
    if (this.#row === 0) return { waitMs: 0, isSuspicious: false };
    const floorMs = Math.min(calm, MIN_WAIT_MS * 2 ** (this.#row - 1));
    return {
      waitMs: Math.max(0, floorMs - passedMs),
      isSuspicious: this.#row === SUSPICIOUS,
    };
  }
}
