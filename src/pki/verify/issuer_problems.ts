/**
 * What speaks against the issuers of a certification path (RFC 5280 §6.1):
 * whether each may issue, is valid now, and allows what stands below it.
 *
 * Says nothing of signatures and order, which certification_path.ts looks at.
 */
import {
  type Certificate,
  type CertificateChain,
  EXTENSION_OID,
  isSelfIssued,
} from "../certificate/certificate.ts";
import { equalBytes } from "../../base/bytes.ts";
import { basicConstraints, keyUsage } from "../certificate/extensions.ts";
import {
  directoryConstraintViolation,
  nameConstraintViolation,
} from "./name_constraints.ts";

/** What a path may end in, and when it has to hold. */
export interface PathConditions {
  /** Trusted as they are: no signature on them is verified. */
  readonly anchors: readonly Certificate[];
  readonly now: Date;
  /** How far behind the issuers' clocks ours may be, in milliseconds. */
  readonly clockSkewMs: number;
}

/**
 * Checks every issuer of a path, from the leaf on: one sentence for each problem.
 *
 * @throws {MalformedError} when an extension is malformed
 */
export function* issuerProblems(
  path: CertificateChain,
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
        findCaProblem(issuer, isAnchor),
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
  isAnchor: boolean,
): string | undefined {
  // Old roots are of version 1, which cannot say that they are a CA: that the
  // user trusts them says it. Nobody says it of an intermediate.
  const isOldAnchor = isAnchor && issuer.version === 1;
  if (!isOldAnchor && basicConstraints(issuer)?.isCa !== true) {
    return "is not a CA: basicConstraints should say CA:TRUE";
  }
  const usages = keyUsage(issuer);
  if (usages !== undefined && !usages.includes("keyCertSign")) {
    return "must not sign certificates: keyUsage should name keyCertSign";
  }
  return undefined;
}

function findLengthProblem(
  path: CertificateChain,
  index: number,
): string | undefined {
  const issuer = path[index];
  const limit = issuer && basicConstraints(issuer)?.pathLength;
  if (limit === undefined) return undefined;
  // RFC 5280 §4.2.1.9: self-issued certificates do not count, nor does the leaf.
  const below = path.slice(1, index).filter((ca) => !isSelfIssued(ca)).length;
  return below > limit
    ? `allows ${limit} intermediates below it, but the chain has ${below}`
    : undefined;
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

function findNameViolation(
  path: CertificateChain,
  index: number,
): string | undefined {
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
export function quoteName(name: string): string {
  return `"${name}"`;
}
