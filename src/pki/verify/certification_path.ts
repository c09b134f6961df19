/**
 * Certification paths: from a leaf over its issuers to a trust anchor (RFC 5280
 * §6.1, as far as a host certificate needs).
 *
 * Policies and revocation are not looked at. What is critical and not
 * understood is refused.
 */
import type {
  Certificate,
  CertificateChain,
} from "../certificate/certificate.ts";
import { equalBytes } from "../../base/bytes.ts";
import {
  authorityKeyIdentifier,
  subjectKeyIdentifier,
} from "../certificate/extensions.ts";
import {
  issuerProblems,
  type PathConditions,
  quoteName,
} from "./issuer_problems.ts";
import { isValidSignature } from "../keys/signature.ts";

export type { PathConditions };

/**
 * Everything that is wrong with a chain, one sentence without final period for
 * each: first why no path leads from its first certificate to an anchor, then
 * what speaks against the issuers. Empty when it is in order.
 *
 * The chain is what a TLS server is going to send, so it must be complete and in
 * issuing order. It may go on behind the anchor (a cross-signed root), or stop
 * before it.
 *
 * @throws {MalformedError} when an extension is malformed
 */
export async function findPathProblems(
  chain: CertificateChain,
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

/** Most signatures that a search verifies, as in Go (crypto/x509 verify.go). */
const MAX_SIGNATURES = 100;

/**
 * Searches for a path from a certificate to an anchor, over any of
 * `intermediates`, in whatever order they stand.
 *
 * @returns undefined when there is one in order; else why not: what speaks
 *   against the first one, or that there is none
 * @throws {MalformedError} when an extension is malformed
 */
export async function findPathFault(
  leaf: Certificate,
  { intermediates, ...conditions }: PathConditions & {
    readonly intermediates: readonly Certificate[];
  },
): Promise<PathFault | undefined> {
  let first: PathFault | undefined;
  const open: CertificateChain[] = [[leaf]];
  let longest: CertificateChain = [leaf];
  let signatures = 0;
  for (let path = open.shift(); path !== undefined; path = open.shift()) {
    const last = path.at(-1) ?? leaf;
    longest = path;
    for await (const whole of pathsToAnchors(path, conditions.anchors)) {
      const [problem] = issuerProblems(whole, conditions);
      if (problem === undefined) return undefined;
      first ??= { isUnknown: false, problem };
    }
    for (const next of intermediates) {
      const isUsed = path.some(({ der }) => equalBytes(der, next.der));
      if (isUsed || !namesIssuer(last, next)) continue;
      if (++signatures > MAX_SIGNATURES) break;
      if (await isSignedBy(last, next)) open.push([...path, next]);
    }
  }
  return first ??
    {
      isUnknown: true,
      problem: describeMissingAnchor(longest, conditions.anchors),
    };
}

/** Why a search found no path that is in order. */
export interface PathFault {
  /** There is no path at all: nobody who is trusted signed it. */
  readonly isUnknown: boolean;
  readonly problem: string;
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

/** Every path that the chain makes possible, the shortest first. */
async function* pathsToAnchors(
  chain: CertificateChain,
  anchors: readonly Certificate[],
): AsyncGenerator<CertificateChain> {
  const [leaf, ...issuers] = chain;
  for (const [index, last] of chain.entries()) {
    const path: CertificateChain = [leaf, ...issuers.slice(0, index)];
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
