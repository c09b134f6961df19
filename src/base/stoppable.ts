/** Waiting, and what ends a wait: work that cannot be told to stop, and time. */

/**
 * `work`, or the reason of `signal` as soon as it aborts. The work itself goes
 * on in the background: only for work that changes nothing (reading a pipe that
 * nobody writes to, generating a large key).
 *
 * @throws the signal's reason
 */
export async function stoppable<T>(
  work: Promise<T>,
  signal: AbortSignal,
): Promise<T> {
  // Nobody hears how it ends when the signal comes first, or has come already.
  work.catch(() => {});
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const onAbort = () => aborted.reject(signal.reason);
  signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Longest timer, in ms: above it, setTimeout fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/**
 * Resolves after `ms`, or when `signal` aborts; only then for more than 24.8
 * days, which no timer can wait for.
 */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted) return resolve();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    if (ms <= MAX_TIMER_MS) timer = setTimeout(done, ms);
    signal?.addEventListener("abort", done);
  });
}
