/**
 * What a CA tells everybody: that it works, and its root certificates.
 *
 * Believed in nothing: what it says of itself has to be what was asked for.
 */
import { sha256 } from "../../base/bytes.ts";
import { RekeyError } from "../../base/errors.ts";
import { shortened } from "../../base/printable.ts";
import type { Clock, Log } from "../../base/runtime.ts";
import type { Certificate } from "../../pki/certificate/certificate.ts";
import { pemPieces } from "../../pki/asn1/pem.ts";
import { trustAnchors } from "../trust_anchor.ts";
import {
  certificateIn,
  MAX_CERTIFICATES,
  readMembers,
  unusableAnswer,
} from "./answer.ts";
import type { RequestName } from "./connection.ts";
import { readRootCertificates } from "./root_certificates.ts";
import { type HttpReply, postOverTls } from "./tls_post.ts";
import type { TlsIdentity } from "./trust.ts";

/** The CA, and how long it may take. */
export interface AuthorityAddress {
  /** `https://host[:port]`, without path. */
  readonly url: string;
  /** For the whole request, in ms. */
  readonly timeoutMs: number;
  /** For the TCP connection; the same unless given. */
  readonly connectTimeoutMs?: number | undefined;
  readonly clock: Clock;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** A CA that has to prove what it is. */
export interface VerifiedAuthority extends AuthorityAddress {
  /** File, directory or comma-separated list of files with root certificates. */
  readonly root: string;
}

/** Longest status that is shown, in characters. */
const MAX_STATUS = 80;

/**
 * What the CA says of its health: `ok`.
 *
 * @param identity proves a client certificate on the way, where there is one
 * @throws {RekeyError} kinds `unreachable`, `refused`, `untrusted`, `config`,
 *   `interrupted`
 */
export async function fetchHealth(
  authority: VerifiedAuthority,
  identity?: TlsIdentity,
): Promise<string> {
  const { members, name } = await ask(authority, { path: "/health", identity });
  const status = members.get("status");
  if (typeof status === "string" && status !== "") {
    return shortened(status, MAX_STATUS);
  }
  throw unusableAnswer("it holds no status", name);
}

/** The lists of root certificates that a CA has: its own, and those of its federation. */
export type RootList = "roots" | "federation";

/**
 * The certificates of a list, as the CA orders them.
 *
 * @returns only certificates of CAs
 * @throws {RekeyError} as {@linkcode fetchHealth}
 */
export async function fetchRoots(
  authority: VerifiedAuthority,
  list: RootList,
): Promise<readonly Certificate[]> {
  const { members, name } = await ask(authority, { path: `/${list}` });
  const listed = members.get("crts");
  if (!Array.isArray(listed) || listed.length === 0) {
    throw unusableAnswer("it holds no certificate", name);
  }
  if (listed.length > MAX_CERTIFICATES) {
    throw unusableAnswer(`it holds ${listed.length} certificates`, name);
  }
  return listed.map((pem, at) =>
    rootIn(pem, { ...name, member: `"crts"[${at}]`, log: authority.log })
  );
}

const ROOT_PURPOSE = "error downloading root certificate: ";

/**
 * The root certificate of a digest, from a CA that nothing is known of yet.
 *
 * @param fingerprint SHA-256 in lower-case hexadecimal
 * @throws {RekeyError} as {@linkcode fetchHealth}
 */
export async function fetchRoot(
  { url: base, timeoutMs, clock, log, signal }: AuthorityAddress,
  fingerprint: string,
): Promise<Certificate> {
  const name = {
    url: new URL(`/root/${fingerprint}`, base),
    method: "GET",
    purpose: ROOT_PURPOSE,
  } as const;
  const { getUnverified } = await import("./unverified.ts");
  const reply = await getUnverified({ ...name, timeoutMs, signal });
  const members = await membersOf(reply, { ...name, clock });
  const root = rootIn(members.get("ca"), { ...name, member: '"ca"', log });
  const found = await sha256(root.der);
  if (found === fingerprint) return root;
  throw new RekeyError(
    "untrusted",
    `${ROOT_PURPOSE}root certificate fingerprint does not match: the CA sent one with ${found}`,
    { hint: { remedy: "address the CA itself" } },
  );
}

interface Answer {
  readonly members: ReadonlyMap<string, unknown>;
  readonly name: RequestName;
}

async function ask(
  authority: VerifiedAuthority,
  { path, identity }: {
    readonly path: string;
    readonly identity?: TlsIdentity | undefined;
  },
): Promise<Answer> {
  const { root, timeoutMs, clock, log, signal } = authority;
  const url = new URL(path, authority.url);
  const name = { url, method: "GET", purpose: "" } as const;
  const reply = await postOverTls({
    ...name,
    headers: {},
    identity,
    trust: await readRootCertificates(root, log),
    root,
    clientCertificateHint: identity === undefined
      ? "the server asks for a client certificate"
      : { remedy: "check the CA and the clocks" },
    reachable: new Map(),
    connectTimeoutMs: authority.connectTimeoutMs ?? timeoutMs,
    timeoutMs,
    signal,
  });
  return { members: await membersOf(reply, { ...name, clock }), name };
}

/** Of a success; anything else is thrown. */
async function membersOf(
  reply: HttpReply,
  { clock, ...name }: RequestName & { readonly clock: Clock },
): Promise<ReadonlyMap<string, unknown>> {
  if (reply.status < 200 || reply.status > 299) {
    const { refusalOf } = await import("./refusal.ts");
    throw withPurpose(
      refusalOf(reply, { ...name, now: clock.now(), secrets: [] }),
      name,
    );
  }
  const members = readMembers(reply.body);
  if (typeof members === "string") {
    throw unusableAnswer(`it is ${members}`, name);
  }
  return members;
}

/** A CA's own message does not say what for. */
function withPurpose(
  error: RekeyError,
  { purpose = "" }: RequestName,
): RekeyError {
  if (error.message.startsWith(purpose)) return error;
  const { kind, message, hint, retry, retryAfterMs } = error;
  return new RekeyError(kind, purpose + message, { hint, retry, retryAfterMs });
}

/** Exactly one certificate, of a CA. */
function rootIn(
  pem: unknown,
  { member, log, ...name }: RequestName & {
    readonly member: string;
    readonly log: Log;
  },
): Certificate {
  if (typeof pem === "string" && pemPieces(pem).length > 1) {
    throw unusableAnswer(`${member} is more than one certificate`, name);
  }
  const certificate = certificateIn(pem, member, name);
  const [root = certificate] = trustAnchors(
    [{ file: `the answer of ${name.url.host}`, certificate }],
    {
      log,
      refusal: (fault = "") => unusableAnswer(fault, name),
    },
  );
  return root;
}
