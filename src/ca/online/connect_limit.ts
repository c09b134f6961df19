/**
 * A limit for the TCP connection, which fetch does not have.
 *
 * fetch does not say whether it is connected. So when no answer has come near
 * the limit, a connection of our own finds out whether the address accepts any.
 * In the normal case there is none.
 *
 * AbortSignal.timeout is the timer here and in tls_post.ts: the first
 * setTimeout of a process costs 5 ms in Deno 2.9 (it loads node:timers).
 */

/** How long before the limit the second connection is tried, in ms. */
const PROBE_MS = 5000;

/** What is watched. */
export interface ConnectLimit {
  readonly hostname: string;
  readonly port: number;
  /** For the TCP connection, in ms. */
  readonly limitMs: number;
}

/**
 * Calls `expired` when the address cannot be connected to within the limit.
 * Disposing it, when the answer comes, ends the watch.
 */
export function watchConnection(
  { hostname, port, limitMs }: ConnectLimit,
  expired: () => void,
): Disposable {
  const end = new AbortController();
  const after = (ms: number, act: () => void) =>
    AbortSignal.timeout(Math.ceil(ms))
      .addEventListener("abort", act, { signal: end.signal });
  after(Math.max(limitMs / 2, limitMs - PROBE_MS), async () => {
    await tryConnection({ hostname, port, signal: end.signal });
    // Settled in time, one way or the other: the rest is for the total limit.
    end.abort();
  });
  after(limitMs, () => {
    end.abort();
    expired();
  });
  return { [Symbol.dispose]: () => end.abort() };
}

async function tryConnection(
  options: Deno.ConnectOptions & { readonly signal: AbortSignal },
): Promise<void> {
  try {
    (await Deno.connect(options)).close();
  } catch (error) {
    // Refused or not allowed: fetch itself reports what is wrong, and only
    // silence is of interest here.
    if (!(error instanceof Error)) throw error;
  }
}
