/**
 * One request over TLS, a POST as a rule and with a client certificate, within
 * limits of time and size.
 *
 * No retry, no redirect, no cookie, HTTP/1.1 (the runtime leaves Nagle's
 * algorithm on, which stalls POSTs over HTTP/2), no state left behind.
 */
import { RekeyError } from "../../base/errors.ts";
import {
  type Certificate,
  chainToPem,
} from "../../pki/certificate/certificate.ts";
import { throwIfStopped } from "../authority.ts";
import {
  type ConnectionWatch,
  dialKnown,
  type LimitedRequest,
  purposeOf,
  requestFailed,
  type RequestName,
  type TotalLimit,
  totalLimit,
  watchConnection,
} from "./connection.ts";
import type { Dialed } from "./dial.ts";
import type { Relay } from "./relay.ts";
import type { TlsPeer } from "./tls_error.ts";
import {
  createPinnedClient,
  environmentProxy,
  type TlsIdentity,
} from "./trust.ts";

/** Largest answer that is read, in bytes; real ones have a few KiB. */
const MAX_BODY = 1024 * 1024;

/** Where to, believing whom, as whom. */
interface TlsEnds extends RequestName {
  readonly trust: readonly Certificate[];
  readonly identity?: TlsIdentity | undefined;
}

export interface TlsPost extends TlsPeer, LimitedRequest, TlsEnds {
  readonly headers: Readonly<Record<string, string>>;
  /** Of a POST. */
  readonly body?: string | undefined;
  /** Made for the same ends; used unless there is a detour. */
  readonly client?: ReadyClient | undefined;
}

/** A client that is there before its request. Disposing it closes what nobody took. */
export class ReadyClient implements Disposable {
  #client: Deno.HttpClient | undefined;

  /** @throws {RekeyError} kinds `config` and `pair`, as {@linkcode postOverTls} */
  constructor(ends: TlsEnds) {
    this.#client = openClient(ends, environmentProxy(ends.url)?.href);
    // The runtime loads fetch at its first use, which takes 5 ms: so at one that
    // is over before it begins.
    fetch(ends.url, { method: "POST", signal: AbortSignal.abort() })
      .catch(() => {});
  }

  /** For who closes it; once. */
  take(): Deno.HttpClient | undefined {
    const client = this.#client;
    this.#client = undefined;
    return client;
  }

  [Symbol.dispose](): void {
    this.take()?.close();
  }
}

export interface HttpReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/**
 * Sends the request and reads the whole answer. What was sent is never sent
 * again: it takes another address only when fetch is not connected at all.
 *
 * @throws {RekeyError} kind `unreachable` for DNS, TCP, TLS and time limits,
 *   `untrusted` for an answer that is too large, `config` for an unusable
 *   proxy, `pair` for an identity that TLS cannot use, `interrupted`
 */
export async function postOverTls(post: TlsPost): Promise<HttpReply> {
  throwIfStopped(post.signal, "the CA answered");
  const proxy = environmentProxy(post.url);
  using limit = totalLimit(post);
  if (proxy !== undefined) return await send(post, { limit, proxy });
  const known = await dialKnown(post, limit);
  if (known !== undefined) return await sendVia(known, post, limit);
  using watch = watchConnection(post, limit);
  try {
    return await send(post, { limit, watch });
  } catch (error) {
    const detour = watch.takeDetour();
    if (detour === undefined) throw error;
    return await sendVia(detour, post, limit);
  }
}

/**
 * Before 2.9, the runtime sends what it can send again a second time when a
 * server ends the connection without an answer: not so a stream.
 */
function sentOnce(body: string | undefined): BodyInit | null {
  if (body === undefined) return null;
  return /^2\.[78]\./.test(Deno.version.deno)
    ? new Blob([body]).stream()
    : body;
}

async function sendVia(
  { connection, address }: Dialed,
  post: TlsPost,
  limit: TotalLimit,
): Promise<HttpReply> {
  const { openRelay } = await import("./relay.ts");
  using relay = openRelay(connection);
  post.reachable.set(post.url.host, address);
  return await send(post, { limit, relay });
}

interface Way {
  readonly limit: TotalLimit;
  readonly watch?: ConnectionWatch;
  readonly proxy?: URL;
  readonly relay?: Relay;
}

async function send(post: TlsPost, way: Way): Promise<HttpReply> {
  const { limit, watch, proxy, relay } = way;
  const ready = relay === undefined ? post.client?.take() : undefined;
  using client = ready ?? openClient(post, relay?.url ?? proxy?.href);
  try {
    const response = await fetch(post.url, {
      client,
      method: post.method ?? "POST",
      headers: { "User-Agent": "step-rekey", ...post.headers },
      body: sentOnce(post.body),
      redirect: "manual",
      signal: watch === undefined
        ? limit.signal
        : AbortSignal.any([limit.signal, watch.signal]),
    });
    watch?.end();
    const { status, headers } = response;
    return { status, headers, body: await readBody(response, post) };
  } catch (error) {
    throwIfStopped(post.signal, "the CA answered");
    if (limit.signal.aborted) throw limit.signal.reason;
    if (error instanceof RekeyError) throw error;
    const { transportError } = await import("./transport_error.ts");
    throw transportError(error, { ...post, proxy });
  }
}

function openClient(
  { trust, identity, ...name }: TlsEnds,
  proxy: string | undefined,
): Deno.HttpClient {
  try {
    return createPinnedClient({
      caCerts: trust.map((root) => chainToPem([root])),
      identity,
      proxy,
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new RekeyError(
      "pair",
      `${
        purposeOf(name)
      }TLS cannot use the current certificate and key: ${error.message}`,
      { cause: error },
    );
  }
}

/**
 * Stops reading at the limit, whatever the headers promise. Of an error page
 * the beginning is enough: its status says what matters.
 */
export async function readBody(
  response: Response,
  request: RequestName,
): Promise<string> {
  const isError = response.status >= 400;
  const declared = Number(response.headers.get("content-length") ?? 0);
  if (declared > MAX_BODY && !isError) {
    await response.body?.cancel();
    throw tooLarge(request);
  }
  const decoder = new TextDecoder();
  let size = 0;
  let text = "";
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_BODY) {
      if (isError) break;
      throw tooLarge(request);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function tooLarge(request: RequestName): RekeyError {
  return new RekeyError(
    "untrusted",
    requestFailed(request, "the answer is larger than 1 MiB"),
    { hint: { remedy: "address the CA itself" } },
  );
}
