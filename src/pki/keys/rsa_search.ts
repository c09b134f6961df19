/**
 * RSA keys from several searches at once, the first of which wins.
 *
 * The runtime looks for the two primes of a key one after the other on one
 * thread, which takes a time that varies tenfold: 1.5 s on average for 4096 bits
 * where Go needs 0.5 s. Of two searches the first ends in about two thirds of
 * that time. The others cannot be ended; they run out on threads of their own,
 * which hold up neither this one nor the end of the process.
 */

/** How busy a machine is. */
export interface Cores {
  readonly count: number;
  /** Processes that want a core, on average in the last minute. */
  readonly load: number;
}

/**
 * Searches at once: as many as there are idle cores, but at most half of all,
 * since services run here, too; and at least one. On a busy machine a second
 * search takes the time from the first.
 */
export function searchesAtOnce({ count, load }: Cores): number {
  const idle = Math.floor(count - load);
  return Math.max(1, Math.min(Math.floor(count / 2), idle));
}

/**
 * The result of the first search that succeeds.
 *
 * @throws the error of the first one when all of them fail
 */
export async function firstOf<T>(
  searches: number,
  search: () => Promise<T>,
): Promise<T> {
  const running = Array.from({ length: searches }, search);
  const [first] = running;
  if (first === undefined) throw new RangeError("no search at all");
  // Any of the others may be the one that fails last.
  return await Promise.any(running).catch(() => first);
}
