/**
 * A clock that a test moves: sleeping takes no time, and the wall clock can
 * be set while somebody sleeps.
 */
import type { Clock } from "../../src/base/runtime.ts";

/** What happened while somebody slept. */
export interface Sleep {
  readonly ms: number;
  readonly at: Date;
}

/** Sleeps at once; `during` may move the wall clock in the `n`-th sleep. */
export function fakeClock(
  start: Date,
  during: (sleep: number) => number = () => 0,
): Clock & { readonly sleeps: readonly Sleep[]; set(now: Date): void } {
  const sleeps: Sleep[] = [];
  let now = start.getTime();
  return {
    sleeps,
    now: () => new Date(now),
    set: (to) => now = to.getTime(),
    sleep(ms, signal) {
      if (signal.aborted) return Promise.resolve();
      sleeps.push({ ms, at: new Date(now) });
      now += ms + during(sleeps.length);
      return Promise.resolve();
    },
  };
}
