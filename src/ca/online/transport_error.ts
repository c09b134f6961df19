/**
 * What a failed fetch means, in the words of the field.
 *
 * fetch has no error codes: its text is all there is (2.9 keeps it in `cause`,
 * 2.7 in the message itself). Known texts become Go's wording, which users of
 * the original and their scripts know; unknown ones are passed on.
 */
import { RekeyError } from "../../base/errors.ts";
import { hostPort, requestFailed, type RequestName } from "./connection.ts";
import { proxyName } from "./proxy.ts";
import { explainTls, type Explanation, type TlsPeer } from "./tls_error.ts";

export interface FailedRequest extends TlsPeer, RequestName {
  readonly proxy: URL | undefined;
}

/**
 * The error to throw for what fetch, or reading its body, threw.
 *
 * @returns kind `unreachable`; kind `config` when fetch refuses the port
 */
export function transportError(
  error: unknown,
  request: FailedRequest,
): RekeyError {
  const text = reasonOf(error);
  if (/Requests to port \d+ are blocked/.test(text)) {
    return new RekeyError(
      "config",
      requestFailed(request, `fetch allows no port ${request.url.port}`),
      { hint: "let the CA listen on another port, such as 443", cause: error },
    );
  }
  const { reason, hint } = explain(text, request);
  return new RekeyError("unreachable", requestFailed(request, reason), {
    hint: hint ?? proxyHint(request),
    cause: error,
  });
}

function explain(text: string, request: FailedRequest): Explanation {
  const { url } = request;
  return explainConnection(text, request) ??
    explainTls(text, request) ??
    explainCut(text) ??
    { reason: strip(text, url) };
}

/** DNS, TCP, and a proxy that does not let us through. */
function explainConnection(
  text: string,
  { url, proxy }: FailedRequest,
): Explanation | undefined {
  const peer = proxy ?? url;
  const prefix = proxy === undefined ? "" : "proxyconnect tcp: ";
  const address = hostPort(peer);
  const tcp = /tcp connect error: (.+?)(?: \(os error \d+\))?$/.exec(text)?.[1];
  if (tcp !== undefined) {
    const reason = tcp.toLowerCase();
    return {
      reason: reason.includes("timed out")
        ? `${prefix}dial tcp ${address}: i/o timeout`
        : `${prefix}dial tcp ${address}: connect: ${reason}`,
    };
  }
  const dns = /failed to lookup address information: (.+)$/.exec(text)?.[1];
  if (dns !== undefined) {
    const unknown = /name or service not known|no address associated|nodename/i;
    return {
      reason: `${prefix}dial tcp: lookup ${peer.hostname}: ${
        unknown.test(dns) ? "no such host" : dns
      }`,
      hint: "check the host name and the machine's name service",
    };
  }
  if (/tunnel|proxy|socks/i.test(text) && proxy !== undefined) {
    return {
      reason: `the proxy ${proxyName(proxy)} refused: ${strip(text, url)}`,
    };
  }
  return undefined;
}

/** Connections that ended too early. */
function explainCut(text: string): Explanation | undefined {
  if (/connection reset by peer/i.test(text)) {
    return { reason: "connection reset by peer" };
  }
  if (/tls handshake eof/i.test(text)) {
    return { reason: "EOF: the server closed the connection during TLS" };
  }
  if (
    /before message completed|close_notify|error reading a body|incomplete message|end of file|broken pipe/i
      .test(text)
  ) {
    return { reason: "unexpected EOF: the connection ended before the answer" };
  }
  return undefined;
}

function proxyHint({ url, proxy }: FailedRequest): string | undefined {
  return proxy === undefined
    ? undefined
    : `HTTPS_PROXY sends this through ${
      proxyName(proxy)
    }; NO_PROXY=${url.hostname} goes around it`;
}

/** The innermost text; both versions of it, as they differ in where it is. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  return cause instanceof Error && cause.message !== ""
    ? cause.message
    : error.message;
}

/** Without the runtime's own way to the reason, on one line. */
function strip(text: string, url: URL): string {
  const reason = text.replace(/^.*client error \(\w+\): /s, "")
    .replace(/ \(os error \d+\)$/, "").replaceAll(/\s+/g, " ").trim();
  return reason === "" ? `no reason given by ${url.host}` : reason;
}
