/** Questions to a CA whose root certificates are known. */
import type { Hint } from "../../base/remedy.ts";
import type { Clock } from "../../base/runtime.ts";
import type { Certificate } from "../../pki/certificate/certificate.ts";
import { readMembers, unusableAnswer } from "./answer.ts";
import { refusalOf } from "./refusal.ts";
import { postOverTls } from "./tls_post.ts";
import type { TlsIdentity } from "./trust.ts";

export interface TrustedCa {
  /** `https://host[:port]`, without path. */
  readonly url: string;
  /** The only trust anchors; never empty. */
  readonly trust: readonly Certificate[];
  /** Where they come from, for messages. */
  readonly root: string;
  /** For the TCP connection, in ms. */
  readonly connectTimeoutMs: number;
  /** For the whole request, in ms. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export interface Question {
  /** With a query where there is one. */
  readonly path: string;
  /** JSON for a POST; without it, it is a GET. */
  readonly body?: object | undefined;
  readonly identity?: TlsIdentity | undefined;
  readonly clientCertificateHint?: Hint;
  /** Text that must not come back in a message. */
  readonly secrets?: readonly string[];
}

/**
 * The text of a success.
 *
 * @throws {RekeyError} kinds `unreachable`, `refused`, `untrusted`, `config`,
 *   `pair`, `interrupted`
 */
export async function askCa(
  ca: TrustedCa,
  { path, body, secrets = [], ...question }: Question,
): Promise<string> {
  const name = {
    url: new URL(path, ca.url),
    method: body === undefined ? "GET" : "POST",
    purpose: "",
  } as const;
  const reply = await postOverTls({
    ...ca,
    reachable: new Map(),
    clientCertificateHint: "the CA asks for a client certificate",
    ...question,
    ...name,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body && JSON.stringify(body),
  });
  if (reply.status >= 200 && reply.status < 300) return reply.body;
  throw refusalOf(reply, { ...name, now: ca.clock.now(), secrets });
}

/**
 * The members of a JSON answer, by their names in lower case.
 *
 * @throws {RekeyError} as {@linkcode askCa}
 */
export async function askForMembers(
  ca: TrustedCa,
  question: Question,
): Promise<ReadonlyMap<string, unknown>> {
  const members = readMembers(await askCa(ca, question));
  if (typeof members !== "string") return members;
  throw unusableAnswer(`it is ${members}`, { purpose: "" });
}
