/**
 * Waiting for an instant of the wall clock.
 *
 * In slices, since a single timer stands still while the machine is suspended,
 * does not see that the clock was set, and fires at once above 24.8 days. Each
 * slice ends with a beat: what does not come back from its slice is stuck.
 */
import type { Clock } from "../base/runtime.ts";

/** Longest slice, in ms. */
export const MAX_SLICE_MS = 60_000;

/** How far a clock runs ahead unnoticed, in ms: a busy machine's timers are late. */
const LATE_MS = 10_000;

/** How far a clock falls back unnoticed, in ms: no timer is as early as that. */
const EARLY_MS = 1_000;

/** How to wait. */
export interface WaitOptions {
  readonly clock: Clock;
  /** Ends the wait at once. */
  readonly signal: AbortSignal;
  /** Longest slice, in ms; never above {@linkcode MAX_SLICE_MS}. */
  readonly sliceMs?: number | undefined;
  /** Called at the end of each slice. */
  beat(): void;
  /** The wall clock moved by `byMs` more (less: negative) than the time that passed. */
  stepped(byMs: number): void;
}

/**
 * Waits until the wall clock has gone on by `waitMs`.
 *
 * Time that the machine was suspended counts, and so does a step forward: the
 * certificate got older. After a step back the rest of the wait stays as long
 * as it was, since whoever sets a clock back does not make a key younger.
 */
export async function wait(
  waitMs: number,
  { clock, signal, sliceMs = MAX_SLICE_MS, beat, stepped }: WaitOptions,
): Promise<void> {
  let end = clock.now().getTime() + waitMs;
  while (!signal.aborted) {
    const before = clock.now().getTime();
    if (before >= end) return;
    const slice = Math.min(end - before, sliceMs, MAX_SLICE_MS);
    await clock.sleep(slice, signal);
    if (signal.aborted) return;
    const aheadMs = clock.now().getTime() - before - slice;
    if (aheadMs < -EARLY_MS) end += aheadMs;
    if (aheadMs < -EARLY_MS || aheadMs > LATE_MS) stepped(aheadMs);
    beat();
  }
}
