/**
 * One POST over TLS with a client certificate, within limits of time and size.
 *
 * No retry, no redirect, no cookie, HTTP/1.1 (the runtime leaves Nagle's
 * algorithm on, which stalls POSTs over HTTP/2), no state left behind.
 */
import { formatGoDuration } from "../../base/duration.ts";
import { RekeyError } from "../../base/errors.ts";
import type { Hint } from "../../base/remedy.ts";
import {
  type Certificate,
  chainToPem,
} from "../../pki/certificate/certificate.ts";
import { watchConnection } from "./connect_limit.ts";
import {
  type FailedRequest,
  hostPort,
  requestFailed,
  transportError,
} from "./transport_error.ts";
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
export interface TlsPost {
  readonly url: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly trust: readonly Certificate[];
  readonly identity?: TlsIdentity | undefined;
  readonly connectTimeoutMs: number;
  /** Over all: connection, TLS, headers and body. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  /** For the wording of failures. */
  readonly root: string;
  readonly clientCertificateHint: Hint;
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
  throwIfStopped(post.signal);
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
    throwIfStopped(post.signal);
    if (limits.signal.aborted) throw limits.signal.reason;
    if (error instanceof RekeyError) throw error;
    throw transportError(error, failedRequest(post, proxy));
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
  const { url, connectTimeoutMs, timeoutMs } = post;
  const limit = new AbortController();
  const expire = (reason: string) =>
    limit.abort(
      new RekeyError("unreachable", requestFailed(url, reason), {
        hint: "is the CA running, and does a firewall let it be reached?",
      }),
    );
  const connection = proxy === undefined
    ? watchConnection(
      {
        hostname: url.hostname.replace(/^\[|\]$/g, ""),
        port: Number(url.port || "443"),
        limitMs: connectTimeoutMs,
      },
      () => expire(`dial tcp ${hostPort(url)}: i/o timeout`),
    )
    : undefined;
  const ended = new AbortController();
  AbortSignal.timeout(Math.ceil(timeoutMs)).addEventListener(
    "abort",
    () => expire(`no complete answer within ${limitText(timeoutMs)}`),
    { signal: ended.signal },
  );
  const answered = () => connection?.[Symbol.dispose]();
  return {
    signal: AbortSignal.any([post.signal, limit.signal]),
    answered,
    [Symbol.dispose]() {
      answered();
      ended.abort();
    },
  };
}

function limitText(ms: number): string {
  return formatGoDuration(BigInt(Math.round(ms * 1_000_000)));
}

/** The caller's own reason wins over what the abort looks like to fetch. */
function throwIfStopped(signal: AbortSignal): void {
  if (!signal.aborted) return;
  if (signal.reason instanceof RekeyError) throw signal.reason;
  throw new RekeyError("interrupted", "stopped before the CA answered", {
    cause: signal.reason,
  });
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

function failedRequest(post: TlsPost, proxy: URL | undefined): FailedRequest {
  const { url, root, clientCertificateHint } = post;
  return { url, proxy, root, clientCertificateHint };
}
