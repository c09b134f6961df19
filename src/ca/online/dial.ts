/**
 * The addresses of a host, tried in turn (RFC 8305, "Happy Eyeballs").
 *
 * fetch tries the addresses of one family one after another and waits for each
 * as long as the system does, two minutes.
 */

/** How long one address is tried alone, in ms (RFC 8305 §8). */
const ATTEMPT_DELAY_MS = 250;

export interface DialOptions {
  readonly port: number;
  readonly signal: AbortSignal;
}

export interface Dialed {
  readonly connection: Deno.TcpConn;
  readonly address: string;
}

/**
 * All addresses of a host, in the order of getaddrinfo(3), in which fetch tries
 * them; none when the lookup fails. For slow moments only: the module costs up
 * to 40 ms, but Deno.resolveDns does not read /etc/hosts.
 */
export async function lookUp(hostname: string): Promise<readonly string[]> {
  const { lookup } = await import("node:dns/promises");
  try {
    const found = await lookup(hostname, { all: true, order: "verbatim" });
    return [...new Set(found.map(({ address }) => address))];
  } catch (error) {
    // fetch itself reports what is wrong with the name.
    if (!(error instanceof Error)) throw error;
    return [];
  }
}

/** The order of RFC 8305 §4: families take turns, the first one leads. */
export function inTurn(addresses: readonly string[]): readonly string[] {
  const leads = addresses.filter((each) =>
    isIpv6(each) === isIpv6(addresses[0] ?? "")
  );
  const follows = addresses.filter((each) => !leads.includes(each));
  return Array.from({ length: addresses.length }, (_, at) => [
    leads[at],
    follows[at],
  ]).flat().filter((each) => each !== undefined);
}

/** An address without colon is IPv4. */
export function isIpv6(address: string): boolean {
  return address.includes(":");
}

/**
 * The first connection that stands, the next address joining whenever the ones
 * before were silent for {@linkcode ATTEMPT_DELAY_MS} or have failed.
 *
 * @returns undefined when none is to be had, or `signal` aborts; else the
 *   caller closes it
 */
export async function dialFirst(
  addresses: readonly string[],
  { port, signal }: DialOptions,
): Promise<Dialed | undefined> {
  const ended = new AbortController();
  const either = AbortSignal.any([signal, ended.signal]);
  const attempts: Promise<Dialed>[] = [];
  for (const address of addresses) {
    attempts.push(dial(address, { port, signal: either }));
    if (await Promise.race([anyOf(attempts), pause()]) !== undefined) break;
  }
  const first = await anyOf(attempts);
  ended.abort();
  for (const attempt of attempts) {
    attempt.then((dialed) => {
      if (dialed !== first) dialed.connection.close();
    }, () => undefined);
  }
  return first;
}

async function dial(
  hostname: string,
  options: DialOptions,
): Promise<Dialed> {
  const connection = await Deno.connect({ hostname, ...options });
  return { connection, address: hostname };
}

/** Undefined when all have failed: why does not matter where others are left. */
async function anyOf(
  attempts: readonly Promise<Dialed>[],
): Promise<Dialed | undefined> {
  try {
    return await Promise.any(attempts);
  } catch (error) {
    if (!(error instanceof AggregateError)) throw error;
    return undefined;
  }
}

function pause(): Promise<undefined> {
  const { promise, resolve } = Promise.withResolvers<undefined>();
  AbortSignal.timeout(ATTEMPT_DELAY_MS)
    .addEventListener("abort", () => resolve(undefined));
  return promise;
}
