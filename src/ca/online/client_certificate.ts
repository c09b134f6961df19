/**
 * The current pair as the client's side of mutual TLS: can TLS use it, and what
 * may be wrong with it when the CA does not take it.
 */
import { RekeyError } from "../../base/errors.ts";
import { formatInstant } from "../../base/duration.ts";
import type { Hint } from "../../base/remedy.ts";
import {
  type Certificate,
  chainToPem,
} from "../../pki/certificate/certificate.ts";
import { extendedKeyUsage } from "../../pki/certificate/extensions.ts";
import type { KeyPair } from "../../pki/keys/key_pair.ts";
import { MalformedError } from "../../pki/asn1/malformed.ts";
import { toPem } from "../../pki/asn1/pem.ts";
import type { TlsIdentity } from "./tls_post.ts";

/** RFC 5280 §4.2.1.12: clientAuth, and anyExtendedKeyUsage. */
const CLIENT_USAGES: readonly string[] = ["1.3.6.1.5.5.7.3.2", "2.5.29.37.0"];

/** Smallest and largest RSA modulus that the runtime's TLS signs with, in bits. */
const RSA_BITS = { least: 2048, most: 8192 } as const;

/**
 * The whole chain and the key, for createHttpClient.
 *
 * Checked first, because Deno 2.7 aborts the process where 2.9 throws.
 *
 * @throws {RekeyError} kind `pair` when TLS cannot use key or certificate
 */
export function tlsIdentity({ chain, key }: KeyPair): TlsIdentity {
  const fault = keyFault(key.spec) ??
    (chain[0].version === 3
      ? undefined
      : `X.509 version ${chain[0].version} instead of 3`);
  if (fault !== undefined) {
    throw new RekeyError(
      "pair",
      `error rekeying certificate: TLS cannot use the current certificate: ${fault}`,
      {
        hint: { remedy: "get a new certificate or rekey offline" },
      },
    );
  }
  return {
    certificate: chainToPem(chain),
    key: toPem("PRIVATE KEY", key.pkcs8),
  };
}

function keyFault(spec: KeyPair["key"]["spec"]): string | undefined {
  if (
    spec.kty === "RSA" &&
    (spec.bits < RSA_BITS.least || spec.bits > RSA_BITS.most)
  ) {
    return `an RSA key of ${spec.bits} bits instead of ${RSA_BITS.least} to ${RSA_BITS.most}`;
  }
  return undefined;
}

/**
 * What to look at when the CA ends the TLS handshake because of this
 * certificate. TLS itself says very little: Go's servers, step-ca among them,
 * send `bad certificate` for nearly everything.
 *
 * @throws {RekeyError} kind `pair` when its extended key usage is malformed
 */
export function clientCertificateHint(
  certificate: Certificate,
  now: Date,
): Hint {
  if (certificate.notBefore > now) {
    return `the current certificate is not valid before ${
      formatInstant(certificate.notBefore)
    }; compare the clocks`;
  }
  const usages = readUsages(certificate);
  if (usages !== undefined && !usages.some(isClientUsage)) {
    return "the current certificate is not for client authentication (no clientAuth in its extended key usage), which rekeying needs";
  }
  return { remedy: "check the CA and the clocks" };
}

function readUsages(certificate: Certificate): readonly string[] | undefined {
  try {
    return extendedKeyUsage(certificate);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    throw new RekeyError("pair", error.message, { cause: error });
  }
}

function isClientUsage(oid: string): boolean {
  return CLIENT_USAGES.includes(oid);
}
