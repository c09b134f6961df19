/**
 * Whether a certificate verifies, as `certificate verify` asks it
 * (smallstep/cli command/certificate/verify.go): its dates, its names, and a
 * path to a root, for any purpose. Revocation is not looked at.
 */
import { equalBytes } from "../base/bytes.ts";
import { formatInstant } from "../base/duration.ts";
import { MalformedError } from "../pki/asn1/malformed.ts";
import type {
  Certificate,
  CertificateChain,
} from "../pki/certificate/certificate.ts";
import { findPathFault } from "../pki/verify/certification_path.ts";
import { hostNameProblem } from "../pki/verify/host_name.ts";
import { unknownCriticalExtensions } from "../pki/verify/issuer_problems.ts";

/** Why a certificate does not verify. */
export interface Refusal {
  /** In Go's words, where it has some. */
  readonly reason: string;
  /** What is behind it. */
  readonly detail?: string | undefined;
}

/**
 * @param chain the certificate, and issuers in any order
 * @returns undefined when it verifies
 */
export async function findRefusal(
  chain: CertificateChain,
  { roots, host, now }: {
    /** Believed as they are, the certificate itself among them. */
    readonly roots: readonly Certificate[];
    /** A name or an address that it has to be for. */
    readonly host: string | undefined;
    readonly now: Date;
  },
): Promise<Refusal | undefined> {
  const [leaf, ...intermediates] = chain;
  try {
    const problem = ownProblem(leaf, now) ??
      (host === undefined ? undefined : hostNameProblem(leaf, host));
    if (problem !== undefined) return { reason: `x509: ${problem}` };
    if (roots.some(({ der }) => equalBytes(der, leaf.der))) return undefined;
    const fault = await findPathFault(leaf, {
      intermediates,
      anchors: roots,
      now,
      clockSkewMs: 0,
    });
    if (fault === undefined) return undefined;
    const { isUnknown, problem: detail } = fault;
    return isUnknown
      ? { reason: "x509: certificate signed by unknown authority", detail }
      : { reason: `x509: ${detail}` };
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    return { reason: `x509: ${error.message}` };
  }
}

function ownProblem(leaf: Certificate, now: Date): string | undefined {
  const { notBefore, notAfter } = leaf;
  const clock = `current time ${formatInstant(now)} is`;
  const wrong = "certificate has expired or is not yet valid:";
  if (now < notBefore) {
    return `${wrong} ${clock} before ${formatInstant(notBefore)}`;
  }
  if (now > notAfter) {
    return `${wrong} ${clock} after ${formatInstant(notAfter)}`;
  }
  return unknownCriticalExtensions(leaf).length > 0
    ? "unhandled critical extension"
    : undefined;
}
