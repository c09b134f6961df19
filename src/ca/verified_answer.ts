/** What the answer of an authority has to be, whoever it is. */
import { RekeyError } from "../base/errors.ts";
import { shortened } from "../base/printable.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";
import {
  type ExpectedCertificate,
  UntrustedError,
  type VerifiedChain,
  verifyIssued,
} from "../pki/verify/verify.ts";

/** Longest reason that quotes an answer, in characters: two lists of names, or two subjects. */
const MAX_REASON = 500;

/**
 * Verifies what an authority returned; see {@linkcode verifyIssued}.
 *
 * @throws {RekeyError} kind `untrusted`; worth another try only when nothing but
 *   a clock is wrong
 */
export async function verifyAnswer(
  chain: readonly Certificate[],
  expected: ExpectedCertificate,
): Promise<VerifiedChain> {
  try {
    const verified = await verifyIssued(chain, expected);
    const warnings = verified.warnings.map((text) =>
      shortened(text, MAX_REASON)
    );
    return { chain: verified.chain, warnings };
  } catch (error) {
    if (!(error instanceof UntrustedError)) throw error;
    throw new RekeyError("untrusted", shortened(error.message, MAX_REASON), {
      retry: error.isClock ? "slowly" : undefined,
      cause: error,
    });
  }
}
