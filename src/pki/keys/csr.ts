/**
 * PKCS#10 certificate signing requests (RFC 2986).
 */
import { toPem } from "../asn1/pem.ts";
import { signingParameters } from "./algorithms.ts";
import type { PrivateKey } from "./private_key.ts";
import { x509 } from "../asn1/x509.ts";

/** A signed request: proof that we hold the key. */
export interface Csr {
  readonly der: Uint8Array<ArrayBuffer>;
  /** `CERTIFICATE REQUEST`, 64 columns, final newline. */
  readonly pem: string;
  /** SubjectPublicKeyInfo DER of the new key. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
}

/**
 * Makes a request with an empty subject and no attributes, signed by the new
 * key itself. The CA takes nothing but the public key from it
 * (smallstep/certificates api/rekey.go); subject and names are the current
 * certificate's. Field by field what Go's x509.CreateCertificateRequest makes of
 * an empty template.
 */
export async function createCsr(key: PrivateKey): Promise<Csr> {
  const { signingKey, publicKey } = key;
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    keys: { privateKey: signingKey, publicKey: await importPublicKey(key) },
    signingAlgorithm: signingParameters(key.spec),
  });
  const der = new Uint8Array(request.rawData);
  return { der, pem: toPem("CERTIFICATE REQUEST", der), publicKey };
}

/** The generator takes the public half as a CryptoKey only. */
function importPublicKey(
  { publicKey, signingKey }: PrivateKey,
): Promise<CryptoKey> {
  return crypto.subtle.importKey(
    "spki",
    publicKey,
    signingKey.algorithm,
    true,
    ["verify"],
  );
}
