/**
 * Checks on what a CA sent back, before anything is written.
 *
 * A certificate that is not for our key, not for our names or not from our CA
 * would take the service down at its next reload. It must never reach the disk.
 */
import { shortened } from "../../base/printable.ts";
import {
  type Certificate,
  type CertificateChain,
  lifetimeMs,
} from "../certificate/certificate.ts";
import type { RequestedNames } from "../certificate/requested_names.ts";
import { findPathProblems } from "./certification_path.ts";
import { unknownCriticalExtensions } from "./issuer_problems.ts";
import { equalBytes } from "../../base/bytes.ts";
import { MalformedError } from "../asn1/malformed.ts";
import {
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
} from "../certificate/extensions.ts";
import { quote } from "./name_matching.ts";

/**
 * Whether a problem with dates or with the path to a root is refused. `warn` is
 * for a CA whose own key signed here, on its owner's word.
 */
export type OnPathProblem = "refuse" | "warn";

/** Why a chain must not be installed; the message is the reason. */
export class UntrustedError extends Error {
  override readonly name = "UntrustedError";
  /** Nothing but a clock is wrong, here or at the CA. */
  readonly isClock: boolean;

  constructor(
    message: string,
    options: { readonly isClock?: boolean; readonly cause?: unknown } = {},
  ) {
    const { isClock = false, cause } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.isClock = isClock;
  }
}

export type ExpectedCertificate = Expectations & (Successor | FirstCertificate);

/** The next certificate of a host. */
interface Successor {
  /** The certificate being replaced: same subject, same names. */
  readonly previous: Certificate;
}

/** A certificate with nothing before it to compare it with. */
interface FirstCertificate {
  readonly requested: RequestedNames;
  /**
   * `request`: it has all requested names. `provisioner`: the CA takes them from
   * somebody else's word, and what is missing is only a warning.
   */
  readonly namesFrom: "request" | "provisioner";
}

interface Expectations {
  /** SubjectPublicKeyInfo DER of the key we asked for. */
  readonly publicKey: Uint8Array;
  /** The only trust anchors; any certificate may be one. */
  readonly roots: readonly Certificate[];
  readonly now: Date;
  /** What to do about dates and the path to a root; refused by default. */
  readonly onPathProblem?: OnPathProblem | undefined;
}

/** A chain that passed, and what a person should know about it all the same. */
export interface VerifiedChain {
  /** As it was sent. */
  readonly chain: CertificateChain;
  readonly warnings: readonly string[];
}

/**
 * Verifies an issued chain: the key, the names and the dates of its first
 * certificate, then the path to a root (RFC 5280 §6.1 as far as a host
 * certificate needs).
 *
 * @param chain leaf first, then each issuer behind what it issued; the root may
 *   stand at the end
 * @throws {UntrustedError}
 */
export async function verifyIssued(
  chain: readonly Certificate[],
  expected: ExpectedCertificate,
): Promise<VerifiedChain> {
  const [leaf, ...issuers] = chain;
  if (leaf === undefined) {
    throw new UntrustedError("the CA sent no certificate");
  }
  const { roots: anchors, now } = expected;
  try {
    checkLeaf(leaf, expected);
    const problemsAt = async (now: Date) => [
      ...dateProblems(leaf, now),
      ...await findPathProblems([leaf, ...issuers], {
        anchors,
        now,
        clockSkewMs: CLOCK_SKEW_MS,
      }),
    ];
    const pathProblems = await problemsAt(now);
    const [first] = pathProblems;
    if (first !== undefined && expected.onPathProblem !== "warn") {
      // At its own beginning nothing is wrong with it: one of the clocks is.
      const isClock = (await problemsAt(leaf.notBefore)).length === 0;
      throw new UntrustedError(first, { isClock });
    }
    return {
      chain: [leaf, ...issuers],
      warnings: [
        ...pathProblems,
        ...findWarnings([leaf, ...issuers], expected),
      ],
    };
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    // An extension that nobody had looked into before.
    const message = `cannot verify the chain: ${error.message}`;
    throw new UntrustedError(message, { cause: error });
  }
}

/**
 * How far the CA's clock may be ahead of ours. Five minutes is what Kerberos
 * (RFC 4120 §1.6) made the custom; step-ca backdates by one.
 */
const CLOCK_SKEW_MS = 5 * 60_000;

function checkLeaf(leaf: Certificate, expected: ExpectedCertificate): void {
  if (!equalBytes(leaf.publicKey, expected.publicKey)) {
    throw new UntrustedError(
      "the CA certified another key than the one requested",
    );
  }
  if ("previous" in expected) checkSuccessor(leaf, expected);
  else checkRequested(leaf, expected);
  const known = new Set(
    "previous" in expected ? unknownCriticalExtensions(expected.previous) : [],
  );
  const oid = unknownCriticalExtensions(leaf).find((oid) => !known.has(oid));
  if (oid !== undefined) {
    throw new UntrustedError(
      `the CA added a critical extension that is unknown, ${oid}`,
    );
  }
}

function checkSuccessor(leaf: Certificate, { previous }: Successor): void {
  checkNames(leaf, previous);
  if (isCa(leaf) && !isCa(previous)) {
    throw new UntrustedError(
      "the CA sent a CA certificate, but the current one is not a CA's",
    );
  }
}

function checkRequested(
  leaf: Certificate,
  { requested, namesFrom }: FirstCertificate,
): void {
  if (namesFrom === "provisioner") return;
  const missing = missingNames(leaf, requested);
  if (missing.length === 0) return;
  throw new UntrustedError(
    `the CA left out names: ${describeList(missing)} ${
      missing.length === 1 ? "is" : "are"
    } missing, it has ${describeList(leaf.names)}`,
  );
}

function missingNames(
  leaf: Certificate,
  { names }: RequestedNames,
): readonly string[] {
  const present = new Set(leaf.names.map(comparable));
  return names.filter((name) => !present.has(comparable(name)));
}

/** DNS names are the same in any case (RFC 4343). */
function comparable(name: string): string {
  return name.startsWith("DNS:") ? name.toLowerCase() : name;
}

function checkNames(leaf: Certificate, previous: Certificate): void {
  // The bytes may differ where a CA encodes a string as another type.
  const isSameSubject = equalBytes(leaf.subjectDer, previous.subjectDer) ||
    leaf.subject === previous.subject;
  if (!isSameSubject) {
    const [before, after] = [previous, leaf].map(describeSubject);
    throw new UntrustedError(
      `the CA changed the subject: it was ${before}, and is now ${after}`,
    );
  }
  if (!isSameSet(leaf.names, previous.names)) {
    const [before, after] = [previous.names, leaf.names].map(describeList);
    throw new UntrustedError(
      `the CA changed the names: they were ${before}, and are now ${after}`,
    );
  }
}

function isCa(certificate: Certificate): boolean {
  return basicConstraints(certificate)?.isCa === true;
}

function* dateProblems(leaf: Certificate, now: Date): Generator<string> {
  const clock = `this machine's clock says ${now.toISOString()}`;
  if (leaf.notAfter <= leaf.notBefore) {
    yield "the certificate's validity ends before it begins";
  }
  if (leaf.notBefore.getTime() - now.getTime() > CLOCK_SKEW_MS) {
    yield `the certificate is not valid before ${leaf.notBefore.toISOString()}, ${clock}`;
  }
  if (leaf.notAfter <= now) {
    yield `the certificate expired on ${leaf.notAfter.toISOString()}, ${clock}`;
  }
}

function* findWarnings(
  chain: CertificateChain,
  expected: ExpectedCertificate,
): Generator<string> {
  const [leaf, ...issuers] = chain;
  const { now } = expected;
  const aheadMs = leaf.notBefore.getTime() - now.getTime();
  if (aheadMs > 0) {
    yield `the CA's clock is at least ${
      Math.ceil(aheadMs / 1000)
    } s ahead of this machine's: the certificate is not valid before ${leaf.notBefore.toISOString()}`;
  }
  yield* "previous" in expected
    ? findChanges(leaf, expected)
    : findSurprises(leaf, expected);
  const issuer = [...issuers, ...expected.roots].find(({ subjectDer }) =>
    equalBytes(subjectDer, leaf.issuerDer)
  );
  if (issuer !== undefined && issuer.notAfter < leaf.notAfter) {
    yield `the new certificate is valid until ${leaf.notAfter.toISOString()}, longer than its issuer "${issuer.subject}" (${issuer.notAfter.toISOString()})`;
  }
}

function* findChanges(
  leaf: Certificate,
  { previous }: Successor,
): Generator<string> {
  if (isCa(previous) && !isCa(leaf)) {
    yield "the new certificate is no longer a CA's";
  }
  yield* findUsageWarnings(leaf, previous);
  const [lifetime, usual] = [lifetimeMs(leaf), lifetimeMs(previous)];
  if (lifetime < usual / 2) {
    yield `the new certificate lives ${lifetime / 1000} s, the previous one ${
      usual / 1000
    } s`;
  }
}

/** A template of the CA may add to what was asked for. */
function* findSurprises(
  leaf: Certificate,
  { requested }: FirstCertificate,
): Generator<string> {
  if (isCa(leaf)) yield "the CA issued a certificate of a CA";
  if (leaf.commonName !== requested.commonName) {
    yield `the CA chose the subject ${describeSubject(leaf)} instead of ${
      quote(`CN=${requested.commonName}`)
    }`;
  }
  const isAsked = missingNames(leaf, requested).length === 0 &&
    leaf.names.length === requested.names.length;
  if (!isAsked) {
    yield `the CA chose the names ${describeList(leaf.names)} instead of ${
      describeList(requested.names)
    }`;
  }
}

function* findUsageWarnings(
  leaf: Certificate,
  previous: Certificate,
): Generator<string> {
  const comparisons = [
    ["key usage", keyUsage(previous), keyUsage(leaf)],
    ["extended key usage", extendedKeyUsage(previous), extendedKeyUsage(leaf)],
  ] as const;
  for (const [what, before = [], after = []] of comparisons) {
    if (isSameSet(before, after)) continue;
    const [was, is] = [before, after].map(describeList);
    yield `the CA changed the ${what}: it was ${was}, and is now ${is}`;
  }
}

function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  const sorted = b.toSorted();
  return a.length === b.length &&
    a.toSorted().every((text, index) => text === sorted[index]);
}

function describeSubject({ subject }: Certificate): string {
  return subject === "" ? "empty" : `"${subject}"`;
}

/** Names come from a certificate: they are quoted where they are shown. */
function describeList(names: readonly string[]): string {
  if (names.length === 0) return "none";
  const shown = names.map((name) =>
    /^[\x21-\x7e]+$/.test(name) ? name : quote(name)
  );
  return shortened(shown.join(" "));
}
