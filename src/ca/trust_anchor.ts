/**
 * Which certificates may be roots: whoever holds the key of one can play the CA,
 * so a host's certificate that lies among them is none.
 */
import type { Certificate } from "../pki/certificate/certificate.ts";
import { basicConstraints, keyUsage } from "../pki/certificate/extensions.ts";
import { equalBytes } from "../pki/asn1/der.ts";
import { MalformedError } from "../pki/asn1/malformed.ts";
import { printable, shortened } from "../base/printable.ts";

/** A certificate of a file that names roots. */
export interface RootCandidate {
  readonly file: string;
  readonly certificate: Certificate;
}

/** What is trusted, and what a person should know about it: one sentence each. */
export interface TrustAnchors {
  readonly roots: readonly Certificate[];
  /** Certificates that are none, and why. */
  readonly refused: readonly string[];
  /** Roots that cannot say that they are a CA. */
  readonly doubtful: readonly string[];
}

/**
 * Takes what says of itself that it is a CA (basicConstraints), and self-signed
 * certificates of version 1, which cannot: Go, and with it the original, takes
 * them too (crypto/x509 CheckSignatureFrom).
 */
export function trustAnchors(
  candidates: readonly RootCandidate[],
): TrustAnchors {
  const roots: Certificate[] = [];
  const refused: string[] = [];
  const doubtful: string[] = [];
  for (const { file, certificate } of candidates) {
    const name = `"${shortened(printable(certificate.subject))}" in ${file}`;
    const fault = anchorFault(certificate);
    if (fault === undefined) roots.push(certificate);
    else refused.push(`${name} ${fault}`);
    if (fault === undefined && certificate.version !== 3) {
      doubtful.push(
        `${name} is of X.509 version ${certificate.version}, which does not say whether it is a CA's; it is trusted as one`,
      );
    }
  }
  return { roots, refused, doubtful };
}

function anchorFault(
  certificate: Certificate,
): string | undefined {
  try {
    if (certificate.version !== 3) {
      return isSelfIssued(certificate)
        ? undefined
        : `is not self-signed, and of X.509 version ${certificate.version}, which does not say whether it is a CA's`;
    }
    if (basicConstraints(certificate)?.isCa !== true) {
      return "is not a CA's certificate (basicConstraints does not say CA:TRUE)";
    }
    return keyUsage(certificate)?.includes("keyCertSign") === false
      ? "must not sign certificates (keyUsage does not name keyCertSign)"
      : undefined;
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    return `cannot be read: ${error.message}`;
  }
}

/** By name: the signatures of old roots are of SHA-1, and a CA gives nobody its own name. */
function isSelfIssued({ subjectDer, issuerDer }: Certificate): boolean {
  return equalBytes(subjectDer, issuerDer);
}

/** Sentences for one message: two of them, and how many more there are. */
export function someOf(sentences: readonly string[]): string {
  const more = sentences.length - 2;
  return sentences.slice(0, 2).join("; ") +
    (more > 0 ? `; and ${more} more` : "");
}
