/**
 * Time limits of a request, and another address for one whose connection does
 * not come about.
 *
 * fetch has neither. Nothing here costs a request anything that is answered
 * within {@linkcode SEARCH_AFTER_MS}.
 */
import { formatDurationMs } from "../../base/duration.ts";
import { RekeyError } from "../../base/errors.ts";
import type { Dialed } from "./dial.ts";
import type { SearchState } from "./detour.ts";

/** What a request is called in messages. */
export interface RequestName {
  readonly url: URL;
  /** POST unless given. */
  readonly method?: "GET" | "POST" | undefined;
  /** What fails with it, in front of all else; `error rekeying certificate: ` unless given. */
  readonly purpose?: string | undefined;
}

/** What a failure is called that is not one of the connection alone. */
export function purposeOf(
  { purpose = "error rekeying certificate: " }: Pick<RequestName, "purpose">,
): string {
  return purpose;
}

/** Go's words in front of each reason (certificates ca/client.go, clientError). */
export function requestFailed(request: RequestName, reason: string): string {
  const { url, method = "POST" } = request;
  return `${purposeOf(request)}client ${method} ${
    url.href.replace(/\?.*$/, "")
  } failed: ${reason}`;
}

/** `127.0.0.1:443`; the port is never left out. */
export function hostPort(url: URL): string {
  const ports: Readonly<Record<string, string>> = {
    "https:": "443",
    "http:": "80",
  };
  return `${url.hostname}:${url.port || (ports[url.protocol] ?? "1080")}`;
}

/** How long fetch connects before another address is looked for, in ms (RFC 8305 §8). */
const SEARCH_AFTER_MS = 250;

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
  /** What ends the request when the time is up, until `over` aborts. */
  onLimit(act: () => void, over: AbortSignal): void;
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
  let atLimit = () =>
    expire(`no complete answer within ${formatDurationMs(timeoutMs)}`);
  after(timeoutMs, ended.signal, () => atLimit());
  return {
    signal: AbortSignal.any([signal, limit.signal]),
    expire,
    onLimit(act, over) {
      const usual = atLimit;
      atLimit = () => over.aborted ? usual() : act();
    },
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
  const { dialFirst } = await import("./dial.ts");
  const dialed = await dialFirst([address], {
    port: Number(url.port || "443"),
    signal: AbortSignal.any([signal, AbortSignal.timeout(KNOWN_MS)]),
  });
  if (dialed === undefined) reachable.delete(url.host);
  return dialed;
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
  const { connectTimeoutMs, timeoutMs } = request;
  const limitMs = Math.min(connectTimeoutMs, timeoutMs);
  const ended = new AbortController();
  const turn = new AbortController();
  const state: SearchState = { tried: [] };
  const { signal } = ended;
  const end = () => ended.abort();
  // Most requests are answered before the search is loaded.
  const load = () => import("./detour.ts");
  const search = async () => {
    const { findDetour } = await load();
    const found = await findDetour(request.url, { signal, state });
    if (found === "connected") end();
    else if (found === "not yet") {
      after(SEARCH_AFTER_MS, signal, search);
    } else if (found !== undefined) {
      state.detour = found;
      end();
      turn.abort();
    }
  };
  after(SEARCH_AFTER_MS, signal, search);
  after(Math.max(limitMs / 2, limitMs - PROBE_MS), signal, async () => {
    const { isConnected } = await load();
    if (await isConnected(request.url, { signal, state })) end();
  });
  const giveUp = () => {
    end();
    expire(request, limit, state);
  };
  if (connectTimeoutMs < timeoutMs) after(connectTimeoutMs, signal, giveUp);
  // That there is no connection tells more than that there is no answer.
  limit.onLimit(giveUp, signal);
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
