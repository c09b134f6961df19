/**
 * Certification paths: from a leaf over its issuers to a trust anchor (RFC 5280
 * §6.1, as far as a host certificate needs).
 *
 * Policies and revocation are not looked at. What is critical and not
 * understood is refused.
 */
import type { Certificate } from "./certificate.ts";
import { equalBytes } from "./der.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  EXTENSION_OID,
  keyUsage,
  subjectKeyIdentifier,
} from "./extensions.ts";
import {
  directoryConstraintViolation,
  nameConstraintViolation,
} from "./name_constraints.ts";
import { isValidSignature } from "./signature.ts";

/** What a path may end in, and when it has to hold. */
export interface PathConditions {
  /** Trusted as they are: no signature on them is verified. */
  readonly anchors: readonly Certificate[];
  readonly now: Date;
  /** How far behind the issuers' clocks ours may be, in milliseconds. */
  readonly clockSkewMs: number;
}

/**
 * What is wrong with a chain, as one sentence without final period; undefined
 * when it is in order and a path leads from its first certificate to an anchor.
 *
 * The chain is what a TLS server is going to send, so it must be complete and in
 * issuing order. It may go on behind the anchor (a cross-signed root), or stop
 * before it.
 *
 * @throws {RekeyError} kind `pair` when an extension is malformed
 */
export async function findPathProblem(
  chain: readonly [Certificate, ...Certificate[]],
  conditions: PathConditions,
): Promise<string | undefined> {
  return (await findPathProblems(chain, conditions))[0];
}

/**
 * Everything that is wrong with a chain, see {@linkcode findPathProblem}: first
 * why no path leads to an anchor, then what speaks against the issuers.
 */
export async function findPathProblems(
  chain: readonly [Certificate, ...Certificate[]],
  conditions: PathConditions,
): Promise<readonly string[]> {
  const disorder = await findDisorder(chain);
  if (disorder !== undefined) {
    return [disorder, ...issuerProblems(chain, conditions)];
  }
  let first: readonly string[] | undefined;
  for await (const path of pathsToAnchors(chain, conditions.anchors)) {
    const problems = [...issuerProblems(path, conditions)];
    if (problems.length === 0) return [];
    first ??= problems;
  }
  return first ?? [
    describeMissingAnchor(chain, conditions.anchors),
    ...issuerProblems(chain, conditions),
  ];
}

/** Whether `issuer`'s key signed `certificate`. Unknown algorithms: false. */
export function isSignedBy(
  certificate: Certificate,
  issuer: Certificate,
): Promise<boolean> {
  const { tbs: data, signature, signatureAlgorithm: algorithm } = certificate;
  return isValidSignature({ data, signature, algorithm }, issuer.publicKey);
}

/** Whether the names and key identifiers say that `issuer` issued it. */
function namesIssuer(certificate: Certificate, issuer: Certificate): boolean {
  if (!equalBytes(certificate.issuerDer, issuer.subjectDer)) return false;
  const wanted = authorityKeyIdentifier(certificate);
  const found = subjectKeyIdentifier(issuer);
  return wanted === undefined || found === undefined ||
    equalBytes(wanted, found);
}

async function findDisorder(
  chain: readonly Certificate[],
): Promise<string | undefined> {
  for (const [index, issuer] of chain.entries()) {
    const certificate = chain[index - 1];
    if (certificate === undefined) continue;
    const earlier = chain.findIndex(({ der }) => equalBytes(der, issuer.der));
    const fault = `the chain is not in order: certificate ${
      index + 1
    } did not issue certificate ${index}`;
    if (earlier < index) {
      return `${fault}, it repeats certificate ${earlier + 1}`;
    }
    if (!namesIssuer(certificate, issuer)) return fault;
    if (!await isSignedBy(certificate, issuer)) {
      return `the signature on certificate ${index} of the chain does not verify with the key of certificate ${
        index + 1
      }`;
    }
  }
  return undefined;
}

/** From the leaf on, each issuer behind what it issued. */
type Path = readonly [Certificate, ...Certificate[]];

/** Every path that the chain makes possible, the shortest first. */
async function* pathsToAnchors(
  chain: readonly [Certificate, ...Certificate[]],
  anchors: readonly Certificate[],
): AsyncGenerator<Path> {
  const [leaf, ...issuers] = chain;
  for (const [index, last] of chain.entries()) {
    const path: Path = [leaf, ...issuers.slice(0, index)];
    // The leaf itself is new: it cannot be an anchor.
    const isAnchor = anchors.some(({ der }) => equalBytes(der, last.der));
    if (index > 0 && isAnchor) yield path;
    for (const anchor of anchors) {
      if (equalBytes(anchor.der, last.der)) continue;
      if (namesIssuer(last, anchor) && await isSignedBy(last, anchor)) {
        yield [...path, anchor];
      }
    }
  }
}

function describeMissingAnchor(
  chain: readonly Certificate[],
  anchors: readonly Certificate[],
): string {
  const last = chain.at(-1);
  if (last === undefined) return "the chain is empty";
  const place = `certificate ${chain.length} of the chain`;
  const isNamesake = anchors.some(({ der, subjectDer }) =>
    equalBytes(subjectDer, last.issuerDer) && !equalBytes(der, last.der)
  );
  const issuer = quoteName(last.issuer);
  return isNamesake
    ? `${place} names the trusted root ${issuer} as its issuer, but that root's key did not sign it`
    : `no trusted root issued ${place}: its issuer is ${issuer}`;
}

/** Checks every issuer of a path, from the leaf on. */
function* issuerProblems(
  path: Path,
  conditions: PathConditions,
): Generator<string> {
  for (const [index, issuer] of path.entries()) {
    if (index === 0) continue;
    const isAnchor = conditions.anchors.some(({ der }) =>
      equalBytes(der, issuer.der)
    );
    const name = `${isAnchor ? "the root" : "the intermediate"} ${
      quoteName(issuer.subject)
    }`;
    for (
      const problem of [
        findCaProblem(issuer, { isAnchor }),
        findLengthProblem(path, index),
        findDateProblem(issuer, conditions),
        findUnknownCritical(issuer),
      ]
    ) {
      if (problem !== undefined) yield `${name} ${problem}`;
    }
    const violation = findNameViolation(path, index);
    if (violation !== undefined) {
      yield `the name constraints of ${name} are broken: ${violation}`;
    }
  }
}

function findCaProblem(
  issuer: Certificate,
  place: { readonly isAnchor: boolean },
): string | undefined {
  // Old roots are of version 1, which cannot say that they are a CA: that the
  // user trusts them says it. Nobody says it of an intermediate.
  const isOldAnchor = place.isAnchor && issuer.version === 1;
  if (!isOldAnchor && basicConstraints(issuer)?.isCa !== true) {
    return "is not a CA: basicConstraints should say CA:TRUE";
  }
  const usages = keyUsage(issuer);
  if (usages !== undefined && !usages.includes("keyCertSign")) {
    return "must not sign certificates: keyUsage should name keyCertSign";
  }
  return undefined;
}

function findLengthProblem(path: Path, index: number): string | undefined {
  const issuer = path[index];
  const limit = issuer && basicConstraints(issuer)?.pathLength;
  if (limit === undefined) return undefined;
  // RFC 5280 §4.2.1.9: self-issued certificates do not count, nor does the leaf.
  const below = path.slice(1, index).filter((ca) => !isSelfIssued(ca)).length;
  return below > limit
    ? `allows ${limit} intermediates below it, but the chain has ${below}`
    : undefined;
}

function isSelfIssued({ subjectDer, issuerDer }: Certificate): boolean {
  return equalBytes(subjectDer, issuerDer);
}

function findDateProblem(
  issuer: Certificate,
  { now, clockSkewMs }: PathConditions,
): string | undefined {
  if (issuer.notAfter <= now) {
    return `expired on ${issuer.notAfter.toISOString()}`;
  }
  if (issuer.notBefore.getTime() - now.getTime() > clockSkewMs) {
    return `is not valid before ${issuer.notBefore.toISOString()}`;
  }
  return undefined;
}

/** Policies never turn a path down here, as none is asked for. */
const UNDERSTOOD: ReadonlySet<string> = new Set([
  EXTENSION_OID.keyUsage,
  EXTENSION_OID.subjectAltName,
  EXTENSION_OID.basicConstraints,
  EXTENSION_OID.nameConstraints,
  EXTENSION_OID.crlDistributionPoints,
  EXTENSION_OID.certificatePolicies,
  EXTENSION_OID.extendedKeyUsage,
]);

/** OIDs of the critical extensions that are not understood. */
export function unknownCriticalExtensions(
  certificate: Certificate,
): readonly string[] {
  return certificate.extensions
    .filter(({ critical, oid }) => critical && !UNDERSTOOD.has(oid))
    .map(({ oid }) => oid);
}

function findUnknownCritical(issuer: Certificate): string | undefined {
  const [oid] = unknownCriticalExtensions(issuer);
  return oid && `has an unknown critical extension, ${oid}`;
}

function findNameViolation(path: Path, index: number): string | undefined {
  const issuer = path[index];
  if (issuer === undefined) return undefined;
  for (const [place, certificate] of path.slice(0, index).entries()) {
    // RFC 5280 §6.1.4 (b): a CA that certifies itself anew is exempt.
    if (place > 0 && isSelfIssued(certificate)) continue;
    const violation = nameConstraintViolation(certificate, [issuer]) ??
      directoryConstraintViolation(certificate, issuer);
    if (violation !== undefined) return violation;
  }
  return undefined;
}

/** A subject or issuer for a message. RFC 4514 text holds no control codes. */
function quoteName(name: string): string {
  return `"${name}"`;
}
