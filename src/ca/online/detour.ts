/**
 * Another address for a fetch that connects in vain, which fetch does not look
 * for itself. Loaded when a connection takes long.
 */
import { type Dialed, dialFirst, inTurn, isIpv6, lookUp } from "./dial.ts";
import { ownSockets } from "./own_sockets.ts";

/** What a search has found out so far. */
export interface SearchState {
  detour?: Dialed | undefined;
  /** The addresses of the host when it has several. */
  tried: readonly string[];
  /** One that accepts connections, while fetch may be at another. */
  other?: string | undefined;
}

interface Search {
  readonly signal: AbortSignal;
  readonly state: SearchState;
}

/**
 * Another way for a fetch that connects in vain.
 *
 * @returns a connection while fetch is certain to have none, or why there is
 *   none; undefined: there will never be one
 */
export async function findDetour(
  url: URL,
  { signal, state }: Search,
): Promise<Dialed | "connected" | "not yet" | undefined> {
  const port = portOf(url);
  const before = ownSockets(port);
  if (before === undefined) return undefined;
  // The name is still being looked up.
  if (before.length === 0) return "not yet";
  if (before.some(({ isConnecting }) => !isConnecting)) return "connected";
  const [first, ...others] = inTurn(await lookUp(hostOf(url)));
  if (first === undefined || others.length === 0) return undefined;
  state.tried = [first, ...others];
  // The one that fetch began with was silent long enough to come last.
  const dialed = await dialFirst([...others, first], { port, signal });
  if (dialed === undefined || signal.aborted) {
    dialed?.connection.close();
    return undefined;
  }
  // From here to the abort of fetch the runtime does nothing else, so it stays true.
  const now = ownSockets(port) ?? [];
  const { port: ours } = dialed.connection.localAddr;
  const isUnsent =
    now.every(({ isConnecting, localPort }) =>
      isConnecting || localPort === ours
    ) && before.some(({ inode }) =>
      now.some((each) =>
        each.inode === inode && each.isConnecting
      )
    );
  if (isUnsent) return dialed;
  dialed.connection.close();
  return "not yet";
}

/**
 * Whether fetch has its connection, as far as can be known: if the system does
 * not tell, a connection of our own to where fetch begins is taken for it.
 */
export async function isConnected(
  url: URL,
  { signal, state }: Search,
): Promise<boolean> {
  const port = portOf(url);
  const sockets = ownSockets(port) ?? [];
  if (sockets.length > 0) return !sockets.every((each) => each.isConnecting);
  const addresses = await lookUp(hostOf(url));
  // With two families, fetch tries the second one as well after 300 ms.
  const [first = hostOf(url), second] = inTurn(addresses);
  const begins = second !== undefined && isIpv6(second) !== isIpv6(first)
    ? [first, second]
    : [first];
  const others = inTurn(addresses).filter((each) => !begins.includes(each));
  if (others.length > 0) {
    state.tried = [...begins, ...others];
    dialFirst(others, { port, signal }).then((dialed) => {
      state.other = dialed?.address;
      dialed?.connection.close();
    });
  }
  const dialed = await dialFirst(begins, { port, signal });
  dialed?.connection.close();
  // Refused or not allowed: fetch reports it, and only silence is of interest.
  return dialed !== undefined || !signal.aborted;
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, "");
}

function portOf(url: URL): number {
  return Number(url.port || "443");
}
