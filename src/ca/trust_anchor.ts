/**
 * Which certificates may be roots: whoever holds the key of one can play the CA,
 * so a host's certificate that lies among them is none.
 */
import {
  type Certificate,
  isSelfIssued,
} from "../pki/certificate/certificate.ts";
import { basicConstraints, keyUsage } from "../pki/certificate/extensions.ts";
import { MalformedError } from "../pki/asn1/malformed.ts";
import type { RekeyError } from "../base/errors.ts";
import { printable, shortened } from "../base/printable.ts";
import type { Log } from "../base/runtime.ts";

export interface RootCandidate {
  readonly file: string;
  readonly certificate: Certificate;
}

/**
 * Takes what says of itself that it is a CA (basicConstraints), and self-signed
 * certificates of version 1, which cannot: Go, and with it the original, takes
 * them too (crypto/x509 CheckSignatureFrom). Warns of the latter, and of what is
 * not taken.
 *
 * @throws the error of `refusal` when none is left; `refused` says why not,
 *   where there was any candidate
 */
export function trustAnchors(
  candidates: readonly RootCandidate[],
  { log, refusal }: {
    readonly log: Log;
    readonly refusal: (refused: string | undefined) => RekeyError;
  },
): readonly Certificate[] {
  const roots: Certificate[] = [];
  const refused: string[] = [];
  const doubtful: string[] = [];
  for (const { file, certificate } of candidates) {
    const name = () =>
      `"${shortened(printable(certificate.subject))}" in ${file}`;
    const fault = anchorFault(certificate);
    if (fault === undefined) roots.push(certificate);
    else refused.push(`${name()} ${fault}`);
    if (fault === undefined && certificate.version !== 3) {
      doubtful.push(
        `${name()} is of X.509 version ${certificate.version}, which does not say whether it is a CA's; it is trusted as one`,
      );
    }
  }
  if (roots.length === 0) {
    throw refusal(refused.length === 0 ? undefined : someOf(refused));
  }
  const warn = (message: string) =>
    log.write({ event: "warning", message, once: true });
  if (refused.length > 0) warn(`not trusted as a root: ${someOf(refused)}`);
  if (doubtful.length > 0) warn(someOf(doubtful));
  return roots;
}

/** Why a certificate must not be a root, behind its name; undefined: it may. */
export function anchorFault(
  certificate: Certificate,
): string | undefined {
  try {
    if (certificate.version !== 3) {
      // By name: the signatures of old roots are of SHA-1, and a CA gives nobody
      // its own name.
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

/** Sentences for one message: two of them, and how many more there are. */
function someOf(sentences: readonly string[]): string {
  const more = sentences.length - 2;
  return sentences.slice(0, 2).join("; ") +
    (more > 0 ? `; and ${more} more` : "");
}
