/**
 * One POST over TLS with a client certificate, within limits of time and size.
 *
 * No retry, no redirect, no cookie, HTTP/1.1 (the runtime leaves Nagle's
 * algorithm on, which stalls POSTs over HTTP/2), no state left behind.
 */
import { formatGoDuration } from "../../base/duration.ts";
import { RekeyError } from "../../base/errors.ts";
import {
  type Certificate,
  chainToPem,
} from "../../pki/certificate/certificate.ts";
import { throwIfStopped } from "../authority.ts";
import type { TlsPeer } from "./tls_error.ts";
import { hostPort, requestFailed, transportError } from "./transport_error.ts";
import { createPinnedClient, environmentProxy } from "./trust.ts";

/** Largest answer that is read, in bytes; real ones have a few KiB. */
const MAX_BODY = 1024 * 1024;

/** The client's side of mutual TLS. */
export interface TlsIdentity {
  /** Chain, leaf first. */
  readonly certificate: string;
  /** Unencrypted PKCS#8; it stays in memory. */
  readonly key: string;
}

/** What is sent where, and how long it may take. */
export interface TlsPost extends TlsPeer {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly trust: readonly Certificate[];
  readonly identity?: TlsIdentity | undefined;
  readonly connectTimeoutMs: number;
  /** Over all: connection, TLS, headers and body. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** The answer, whatever its status. */
export interface HttpReply {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

/**
 * Sends the request and reads the whole answer.
 *
 * @throws {RekeyError} kind `unreachable` for DNS, TCP, TLS and time limits,
 *   `untrusted` for an answer that is too large, `config` for an unusable
 *   proxy, `pair` for an identity that TLS cannot use, `interrupted`
 */
export async function postOverTls(post: TlsPost): Promise<HttpReply> {
  throwIfStopped(post.signal, "the CA answered");
  const proxy = environmentProxy(post.url);
  using limits = timeLimits(post, proxy);
  using client = openClient(post, proxy);
  try {
    const response = await fetch(post.url, {
      client,
      method: "POST",
      headers: { "User-Agent": "step-rekey", ...post.headers },
      body: post.body,
      redirect: "manual",
      signal: limits.signal,
    });
    limits.answered();
    const { status, headers } = response;
    return { status, headers, body: await readBody(response, post.url) };
  } catch (error) {
    throwIfStopped(post.signal, "the CA answered");
    if (limits.signal.aborted) throw limits.signal.reason;
    if (error instanceof RekeyError) throw error;
    throw transportError(error, { ...post, proxy });
  }
}

function openClient(post: TlsPost, proxy: URL | undefined): Deno.HttpClient {
  try {
    return createPinnedClient({
      http2: false,
      caCerts: post.trust.map((root) => chainToPem([root])),
      ...post.identity === undefined
        ? {}
        : { cert: post.identity.certificate, key: post.identity.key },
      ...proxy === undefined ? {} : { proxy: { url: proxy.href } },
    });
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    throw new RekeyError(
      "pair",
      `error rekeying certificate: TLS cannot use the current certificate and key: ${error.message}`,
      { cause: error },
    );
  }
}

/** Two limits and the caller's signal, as one signal. */
interface TimeLimits extends Disposable {
  readonly signal: AbortSignal;
  /** The connection stands: only the total limit is left. */
  answered(): void;
}

function timeLimits(post: TlsPost, proxy: URL | undefined): TimeLimits {
  const { url, timeoutMs } = post;
  const limit = new AbortController();
  const expire = (reason: string) =>
    limit.abort(
      new RekeyError("unreachable", requestFailed(url, reason), {
        hint: "is the CA running, and does a firewall let it be reached?",
      }),
    );
  const connected = new AbortController();
  if (proxy === undefined) {
    watchConnection(post, {
      connected,
      expired: () => expire(`dial tcp ${hostPort(url)}: i/o timeout`),
    });
  }
  const ended = new AbortController();
  after(timeoutMs, {
    signal: ended.signal,
    act: () => expire(`no complete answer within ${limitText(timeoutMs)}`),
  });
  return {
    signal: AbortSignal.any([post.signal, limit.signal]),
    answered: () => connected.abort(),
    [Symbol.dispose]() {
      connected.abort();
      ended.abort();
    },
  };
}

/**
 * AbortSignal.timeout is the timer: the first setTimeout of a process costs 5 ms
 * in Deno 2.9 (it loads node:timers).
 */
function after(
  ms: number,
  { act, signal }: { act(): void; readonly signal: AbortSignal },
): void {
  AbortSignal.timeout(Math.ceil(ms)).addEventListener("abort", act, { signal });
}

/** How long before the limit of a connection a second one is tried, in ms. */
const PROBE_MS = 5000;

/**
 * A limit for the TCP connection, which fetch does not have and does not tell of.
 * So when no answer has come near the limit, a connection of our own finds out
 * whether the address accepts any. In the normal case there is none.
 *
 * @param watch `connected` is aborted when the connection stands, or by the caller
 */
function watchConnection(
  { url, connectTimeoutMs }: TlsPost,
  { connected, expired }: {
    readonly connected: AbortController;
    expired(): void;
  },
): void {
  const { signal } = connected;
  const probeMs = Math.max(connectTimeoutMs / 2, connectTimeoutMs - PROBE_MS);
  const hostname = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port || "443");
  after(probeMs, {
    signal,
    async act() {
      await tryConnection({ hostname, port, signal });
      // Settled in time, one way or the other: the rest is for the total limit.
      connected.abort();
    },
  });
  after(connectTimeoutMs, {
    signal,
    act() {
      connected.abort();
      expired();
    },
  });
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

function limitText(ms: number): string {
  return formatGoDuration(BigInt(Math.round(ms * 1_000_000)));
}

/**
 * Stops reading at the limit, whatever the headers promise. Of an error page
 * the beginning is enough: its status says what matters.
 */
async function readBody(response: Response, url: URL): Promise<string> {
  const isError = response.status >= 400;
  const declared = Number(response.headers.get("content-length") ?? 0);
  if (declared > MAX_BODY && !isError) {
    await response.body?.cancel();
    throw tooLarge(url);
  }
  const decoder = new TextDecoder();
  let size = 0;
  let text = "";
  for await (const chunk of response.body ?? []) {
    size += chunk.length;
    if (size > MAX_BODY) {
      if (isError) break;
      throw tooLarge(url);
    }
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

function tooLarge(url: URL): RekeyError {
  return new RekeyError(
    "untrusted",
    requestFailed(url, "the answer is larger than 1 MiB"),
    { hint: { remedy: "address the CA itself" } },
  );
}
