/**
 * Checks on what a CA sent back, before anything is written.
 */
import type { Certificate } from "./certificate.ts";

/** What the answer has to fit. */
export interface ExpectedCertificate {
  /** SubjectPublicKeyInfo DER of the key we asked for. */
  readonly publicKey: Uint8Array;
  /** The certificate being replaced: same subject, same names. */
  readonly previous: Certificate;
  /** The only trust anchors. */
  readonly roots: readonly Certificate[];
  readonly now: Date;
}

/** A chain that passed, and what a person should know about it all the same. */
export interface VerifiedChain {
  readonly chain: readonly [Certificate, ...Certificate[]];
  readonly warnings: readonly string[];
}

/**
 * Verifies an issued chain (RFC 5280 §6.1 as far as a host certificate needs).
 *
 * @throws {RekeyError} kind `untrusted`, with the reason
 */
export function verifyIssued(
  _chain: readonly Certificate[],
  _expected: ExpectedCertificate,
): Promise<VerifiedChain> {
  throw new Error("contract only");
}

/** Whether `issuer`'s key signed `certificate`. Unknown algorithms: false. */
export function isSignedBy(
  _certificate: Certificate,
  _issuer: Certificate,
): Promise<boolean> {
  throw new Error("contract only");
}
