/**
 * Limits how often SIGHUP may cause a rekey.
 *
 * A hook that sends SIGHUP to its parent, or an init that forwards the signal
 * of `--pid 1` to its children, asks for the next rekey with each rekey. A
 * person who asks twice must not wait for minutes, so the delay grows with each
 * request that follows a rekey at once.
 */
import {
  leastIntervalMs,
  MIN_WAIT_MS,
  type Validity,
} from "../engine/schedule.ts";

export interface ThrottleDelay {
  readonly waitMs: number;
  /** True once in a row of requests, when they look like a loop. */
  readonly isSuspicious: boolean;
}

/** Requests in a row that look like a loop: no person asks that often. */
const SUSPICIOUS = 3;

export class RekeyThrottle {
  #last: { readonly atMs: number; readonly intervalMs: number } | undefined;
  #row = 0;

  rekeyed(now: Date, certificate: Validity): void {
    this.#last = {
      atMs: now.getTime(),
      intervalMs: leastIntervalMs(certificate),
    };
  }

  /**
   * A rekey is asked for. It may come a second after the last one, the next in
   * a row 2 s after, then 4, … up to a minute or a twentieth of the life. A
   * request later than that begins a new row and does not wait.
   */
  delay(now: Date): ThrottleDelay {
    const passedMs = this.#last === undefined
      ? Infinity
      // A clock that was set back makes no delay longer.
      : Math.max(0, now.getTime() - this.#last.atMs);
    const mostMs = Math.max(this.#last?.intervalMs ?? 0, MIN_WAIT_MS);
    this.#row = passedMs < mostMs ? this.#row + 1 : 0;
    if (this.#row === 0) return { waitMs: 0, isSuspicious: false };
    const apartMs = Math.min(mostMs, MIN_WAIT_MS * 2 ** (this.#row - 1));
    return {
      waitMs: Math.max(0, apartMs - passedMs),
      isSuspicious: this.#row === SUSPICIOUS,
    };
  }
}
