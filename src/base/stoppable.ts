/**
 * Work that cannot be told to stop, and a caller that can.
 */

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
