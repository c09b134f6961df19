/**
 * What the CA, or something in front of it, said instead of a certificate.
 *
 * The original prints the CA's message alone and hides status, request id and
 * content type; here they are in the hint.
 */
import { type ErrorKind, RekeyError } from "../../base/errors.ts";
import { shortened } from "../../base/printable.ts";
import type { Hint } from "../../base/remedy.ts";
import { purposeOf, requestFailed, type RequestName } from "./connection.ts";
import { readMembers } from "./answer.ts";
import { CannotRekeyError } from "../authority.ts";
import type { HttpReply } from "./tls_post.ts";

/** Longest message of a CA that is shown, in characters. */
const MAX_MESSAGE = 1024;

/** Longest wait that a CA may impose, in ms: a day. */
const MAX_RETRY_AFTER_MS = 24 * 3600 * 1000;

export interface RefusalContext extends RequestName {
  /** For `Retry-After` dates. */
  readonly now: Date;
  /** Text that must not come back in a message: CSR, token. */
  readonly secrets: readonly string[];
}

/**
 * The error for an answer that is not a success (status below 200 or above 299).
 *
 * @returns kind `untrusted` for redirects and other statuses below 400 (to be
 *   asked again), `unreachable` for 429 and 5xx (with `retryAfterMs` when the
 *   answer names a time), `refused` for other 4xx
 */
export function refusalOf(
  reply: HttpReply,
  context: RefusalContext,
): RekeyError {
  if (reply.status < 400) return notAnswered(reply, context);
  const said = messageIn(reply.body);
  const type = said.json ? undefined : contentType(reply);
  const facts = [`HTTP ${reply.status}`, type, requestId(reply)]
    .filter((fact) => fact !== undefined).join(", ");
  const message = said.json
    ? sanitise(said.message, context.secrets)
    : `${purposeOf(context)}failed decoding CA error response: ${said.reason}`;
  const kind: ErrorKind = reply.status === 429 || reply.status >= 500
    ? "unreachable"
    : "refused";
  const Refusal = context.url.pathname === "/rekey" &&
      isWithoutCertificate(message)
    ? CannotRekeyError
    : RekeyError;
  return new Refusal(
    kind,
    message || requestFailed(context, `HTTP ${reply.status}, no message`),
    {
      hint: advice(reply.status, facts, {
        path: context.url.pathname,
        message: said.json ? message : undefined,
      }),
      retryAfterMs: kind === "unreachable"
        ? retryAfter(reply.headers.get("retry-after"), context.now)
        : undefined,
    },
  );
}

/** RFC 9110 §15.4: what a client could follow. */
const REDIRECTS: readonly number[] = [301, 302, 303, 307, 308];

/**
 * Below 400 and no success. A redirect is never followed: the client certificate
 * would identify us to another host.
 */
function notAnswered(
  { status, headers }: HttpReply,
  context: RefusalContext,
): RekeyError {
  const { url } = context;
  const location = headers.get("location") ?? "";
  const target = URL.canParse(location, url.href)
    ? ` to ${shortened(new URL(location, url.href).host)}`
    : "";
  const what = REDIRECTS.includes(status)
    ? `a redirect${target}, which a CA does not send`
    : "which is neither a certificate nor a refusal";
  return new RekeyError(
    "untrusted",
    requestFailed(context, `HTTP ${status}, ${what}`),
    // A proxy or a load balancer sends it for a while: no end of a daemon.
    { hint: { remedy: "address the CA itself" }, retry: "slowly" },
  );
}

type Said =
  | { readonly json: true; readonly message: string }
  | { readonly json: false; readonly reason: string };

function messageIn(body: string): Said {
  const members = readMembers(body);
  if (members === "empty") return { json: false, reason: "EOF" };
  if (members === "not JSON") {
    return { json: false, reason: notJson(body.trim()) };
  }
  if (typeof members === "string") return { json: false, reason: members };
  const message = members.get("message");
  return { json: true, message: typeof message === "string" ? message : "" };
}

/** Go's words (encoding/json), as the original shows them. */
function notJson(text: string): string {
  const first = [...text.slice(0, 2)][0] ?? "";
  return /^[{["\-0-9tfn]/.test(first)
    ? "malformed JSON"
    : `invalid character '${
      sanitise(first, []) || "?"
    }' looking for beginning of value`;
}

/** step-ca has seen no client certificate: TLS ended before it (api/api.go). */
function isWithoutCertificate(message: string): boolean {
  return /missing client certificate/.test(message);
}

function contentType({ headers }: HttpReply): string {
  const type = headers.get("content-type");
  return type === null
    ? "no content type"
    : `content type ${sanitise(type, []).slice(0, 80)}`;
}

function requestId({ headers }: HttpReply): string | undefined {
  const id = headers.get("x-request-id");
  return id === null
    ? undefined
    : `request id ${sanitise(id, []).slice(0, 80)}`;
}

const WITHOUT_RIGHT =
  "the certificate may be revoked, or renewal disabled for its provisioner; the CA's log says which";

/** What step-ca's own words for 401 leave out, by the path of the request. */
const UNAUTHORIZED: ReadonlyMap<string, string> = new Map([
  ["/rekey", WITHOUT_RIGHT],
  ["/renew", WITHOUT_RIGHT],
  [
    "/sign",
    "a token is good once, for minutes, for its own names; the CA's log says more",
  ],
]);

/** @param said.message what the CA itself says; undefined: it was not the CA */
function advice(
  status: number,
  facts: string,
  { path, message }: {
    readonly path: string;
    readonly message: string | undefined;
  },
): Hint {
  const withFacts = (text: string) => `${facts}; ${text}`;
  if (message === undefined) {
    return withFacts("a proxy or another server answered instead of the CA");
  }
  if (isWithoutCertificate(message)) {
    const act = path === "/renew" ? "renew" : "rekey";
    return { remedy: "reach the CA end to end", act, facts };
  }
  switch (status) {
    case 401:
      return withFacts(UNAUTHORIZED.get(path) ?? "the CA's log says more");
    case 403:
      return withFacts("the CA's policy or name constraints forbid it");
    case 404:
      return { remedy: "check the CA's address", facts };
    case 429:
      return withFacts("the CA is asked too often; try again later");
    default:
      return withFacts(
        status >= 500
          ? "try again later; the CA's log says more"
          : "the CA's log says more",
      );
  }
}

/**
 * Text from outside on one line: no control or direction characters, no
 * secret, not longer than {@linkcode MAX_MESSAGE}.
 */
function sanitise(text: string, secrets: readonly string[]): string {
  const clean = secrets.filter((secret) => secret !== "").reduce(
    (left, secret) => left.replaceAll(secret, "[removed]"),
    text,
  ).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, " ").trim();
  return clean.length > MAX_MESSAGE ? `${clean.slice(0, MAX_MESSAGE)}…` : clean;
}

/** Seconds or an HTTP date (RFC 9110 §10.2.3). */
function retryAfter(value: string | null, now: Date): number | undefined {
  if (value === null) return undefined;
  const ms = /^\d+$/.test(value.trim())
    ? Number(value) * 1000
    : Date.parse(value) - now.getTime();
  return Number.isFinite(ms)
    ? Math.min(Math.max(ms, 0), MAX_RETRY_AFTER_MS)
    : undefined;
}
