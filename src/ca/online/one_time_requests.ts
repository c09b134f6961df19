/**
 * What a one-time token is good for: a certificate, or the end of one.
 *
 * Answers are not verified here: {@linkcode verifyAnswer} of verified_answer.ts does
 * that.
 */
import { RekeyError } from "../../base/errors.ts";
import type { Hint } from "../../base/remedy.ts";
import type { Certificate } from "../../pki/certificate/certificate.ts";
import type { Csr } from "../../pki/keys/csr.ts";
import { parseAnswer, readMembers } from "./answer.ts";
import { askCa, type TrustedCa } from "./trusted_ca.ts";
import type { TlsIdentity } from "./trust.ts";

export interface SignRequest {
  readonly csr: Csr;
  readonly token: string;
  /** RFC 3339, or a duration from the CA's now; empty: the CA's default. */
  readonly notBefore: string;
  readonly notAfter: string;
}

/**
 * Asks for a certificate (smallstep/certificates api/sign.go).
 *
 * @returns the chain as the CA sent it, leaf first, unverified, never empty
 * @throws {RekeyError} as askCa
 */
export async function requestCertificate(
  ca: TrustedCa,
  { csr, token, notBefore, notAfter }: SignRequest,
): Promise<readonly Certificate[]> {
  const body = { csr: csr.pem, ott: token, notBefore, notAfter };
  const secrets = secretsOf(token);
  const answer = await askCa(ca, { path: "/sign", body, secrets });
  return parseAnswer(answer, { purpose: "" });
}

export interface RevokeRequest {
  /** Decimal. */
  readonly serial: string;
  readonly reason: string;
  /** RFC 5280 §5.3.1. */
  readonly reasonCode: number;
  /** Who may: a token, or the certificate itself. */
  readonly by: RevokedBy;
}

export type RevokedBy =
  | { readonly kind: "token"; readonly token: string }
  | {
    readonly kind: "certificate";
    readonly identity: TlsIdentity;
    readonly clientCertificateHint: Hint;
  };

/**
 * Asks the CA to renew a certificate no more (smallstep/certificates
 * api/revoke.go): it is good until it expires.
 *
 * @throws {RekeyError} as askCa
 */
export async function revokeCertificate(
  ca: TrustedCa,
  { by, ...request }: RevokeRequest,
): Promise<void> {
  const path = "/revoke";
  const body = { ...request, passive: true };
  const answer = by.kind === "certificate"
    ? await askCa(ca, {
      ...{ path, body, identity: by.identity },
      clientCertificateHint: by.clientCertificateHint,
    })
    : await askCa(ca, {
      ...{ path, body: { ...body, ott: by.token } },
      secrets: secretsOf(by.token),
    });
  const members = readMembers(answer);
  if (typeof members !== "string" && members.get("status") === "ok") return;
  // The page of a proxy, for one: the certificate may be as good as before.
  throw new RekeyError(
    "untrusted",
    "the CA's answer does not say that the certificate is revoked",
    { hint: { remedy: "address the CA itself" } },
  );
}

function secretsOf(token: string): readonly string[] {
  return [token, ...token.split(".")];
}
