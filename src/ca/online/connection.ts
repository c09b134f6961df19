/**
 * Time limits of a request, and another address for one whose connection does
 * not come about.
 *
 * fetch has neither. Nothing here costs a request anything that is answered
 * within {@linkcode ATTEMPT_DELAY_MS}.
 */
import { formatDurationMs } from "../../base/duration.ts";
import { RekeyError } from "../../base/errors.ts";
import {
  ATTEMPT_DELAY_MS,
  type Dialed,
  dialFirst,
  inTurn,
  isIpv6,
  lookUp,
} from "./dial.ts";
import { ownSockets } from "./own_sockets.ts";
import {
  hostPort,
  requestFailed,
  type RequestName,
} from "./transport_error.ts";

/**
 * Of each `host:port`, the address that was reached when another one was
 * silent. It is tried first from then on.
 */
export type ReachableAddresses = Map<string, string>;

export interface TimedRequest extends RequestName {
  /** Over all: connection, TLS, headers and body. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export interface LimitedRequest extends TimedRequest {
  readonly reachable: ReachableAddresses;
  /** For the TCP connection. */
  readonly connectTimeoutMs: number;
}

/** The limit for the whole request and the caller's signal, as one signal. */
export interface TotalLimit extends Disposable {
  readonly signal: AbortSignal;
  /** Ends the request, kind `unreachable`. */
  expire(reason: string, hint?: string): void;
}

/** Disposing it stops the clock. */
export function totalLimit(request: TimedRequest): TotalLimit {
  const { timeoutMs, signal } = request;
  const limit = new AbortController();
  const ended = new AbortController();
  const expire = (
    reason: string,
    hint = "is the CA running, and does a firewall let it be reached?",
  ) =>
    limit.abort(
      new RekeyError("unreachable", requestFailed(request, reason), { hint }),
    );
  after(timeoutMs, ended.signal, () => {
    expire(`no complete answer within ${formatDurationMs(timeoutMs)}`);
  });
  return {
    signal: AbortSignal.any([signal, limit.signal]),
    expire,
    [Symbol.dispose]: () => ended.abort(),
  };
}

/**
 * AbortSignal.timeout is the timer: the first setTimeout of a process costs 5 ms
 * in Deno 2.9 (it loads node:timers).
 */
function after(ms: number, signal: AbortSignal, act: () => void): void {
  AbortSignal.timeout(Math.ceil(ms)).addEventListener("abort", act, { signal });
}

/** Longest wait for an address that was reached before, in ms. */
const KNOWN_MS = 1000;

/** A connection to the address that was reached last time, if another one was silent then. */
export async function dialKnown(
  { url, reachable }: LimitedRequest,
  { signal }: TotalLimit,
): Promise<Dialed | undefined> {
  const address = reachable.get(url.host);
  if (address === undefined) return undefined;
  const dialed = await dialFirst([address], {
    port: portOf(url),
    signal: AbortSignal.any([signal, AbortSignal.timeout(KNOWN_MS)]),
  });
  if (dialed === undefined) reachable.delete(url.host);
  return dialed;
}

function portOf(url: URL): number {
  return Number(url.port || "443");
}

/** The eye on the connection of one fetch. Disposing ends it and closes what nobody took. */
export interface ConnectionWatch extends Disposable {
  /** Aborts the fetch, which has sent nothing: there is a detour. */
  readonly signal: AbortSignal;
  takeDetour(): Dialed | undefined;
  /** There is an answer. */
  end(): void;
}

/** How long before the limit of a connection a second one is tried, in ms. */
const PROBE_MS = 5000;

/**
 * Finds another address while fetch connects in vain, and ends the request at
 * the limit for a connection.
 *
 * Where the system does not tell whether fetch is connected, it is left alone,
 * and only the next request begins with another address.
 */
export function watchConnection(
  request: LimitedRequest,
  limit: TotalLimit,
): ConnectionWatch {
  // Where both limits are the same, the one that tells more is to be named.
  const limitMs = Math.min(request.connectTimeoutMs, request.timeoutMs - 1);
  const ended = new AbortController();
  const turn = new AbortController();
  const state: SearchState = { tried: [] };
  const { signal } = ended;
  const end = () => ended.abort();
  const search = async () => {
    const found = await findDetour(request, { signal, state });
    if (found === "connected") end();
    else if (found === "not yet") {
      after(ATTEMPT_DELAY_MS, signal, search);
    } else if (found !== undefined) {
      state.detour = found;
      end();
      turn.abort();
    }
  };
  after(ATTEMPT_DELAY_MS, signal, search);
  after(Math.max(limitMs / 2, limitMs - PROBE_MS), signal, async () => {
    if (await isConnected(request, { signal, state })) end();
  });
  after(limitMs, signal, () => {
    end();
    expire(request, limit, state);
  });
  return {
    signal: turn.signal,
    end,
    takeDetour() {
      const { detour } = state;
      state.detour = undefined;
      return detour;
    },
    [Symbol.dispose]() {
      end();
      state.detour?.connection.close();
    },
  };
}

interface SearchState {
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
async function findDetour(
  { url }: LimitedRequest,
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
async function isConnected(
  { url }: LimitedRequest,
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

function expire(
  { url, reachable }: LimitedRequest,
  limit: TotalLimit,
  { tried, other }: SearchState,
): void {
  if (other !== undefined) reachable.set(url.host, other);
  const places = tried.length > 1 ? ` at ${tried.join(", ")}` : "";
  limit.expire(
    `dial tcp ${hostPort(url)}: i/o timeout${places}`,
    other === undefined
      ? undefined
      : `${other} accepts connections, ${
        tried[0]
      } does not; the next try of this process begins with it`,
  );
}
