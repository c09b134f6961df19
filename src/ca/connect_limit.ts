/**
 * A limit for the TCP connection, which fetch does not have.
 *
 * fetch does not say whether it is connected. So when no answer has come near
 * the limit, a connection of our own finds out whether the address accepts any.
 * In the normal case there is none.
 */

/** How long before the limit the second connection is tried, in ms. */
const PROBE_MS = 5000;

/** Longest timer of the runtime, in ms. */
const MAX_TIMER_MS = 2 ** 31 - 1;

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
  const limit = Math.min(limitMs, MAX_TIMER_MS);
  const probe = async () => {
    await tryConnection({ hostname, port, signal: end.signal });
    // Settled in time, one way or the other: the rest is for the total limit.
    clearTimeout(limitTimer);
  };
  const limitTimer = setTimeout(() => {
    end.abort();
    expired();
  }, limit);
  const probeTimer = setTimeout(
    probe,
    Math.max(limit / 2, limit - PROBE_MS),
  );
  return {
    [Symbol.dispose]() {
      clearTimeout(probeTimer);
      clearTimeout(limitTimer);
      end.abort();
    },
  };
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
