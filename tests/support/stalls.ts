/**
 * How busy the machine is: what a test of a time limit has to forgive.
 */

/** Watches until it is disposed of. */
export interface StallWatch extends Disposable {
  /** A limit, stretched by ten times the longest delay of a timer in this process so far. */
  limitMs(promisedMs: number): number;
}

const TICK_MS = 20;

/** Begins to watch. On an idle machine the limit stays what was promised. */
export function watchStalls(): StallWatch {
  let worst = 0;
  let last = performance.now();
  const look = () => {
    const now = performance.now();
    worst = Math.max(worst, now - last - TICK_MS);
    last = now;
  };
  const timer = setInterval(look, TICK_MS);
  return {
    limitMs(promisedMs) {
      look();
      return promisedMs + 10 * worst;
    },
    [Symbol.dispose]: () => clearInterval(timer),
  };
}
