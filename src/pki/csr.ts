/**
 * PKCS#10 certificate signing requests (RFC 2986).
 */
import type { PrivateKey } from "./private_key.ts";

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
 * key itself (parity.md 8.2: the CA takes only its public key).
 */
export function createCsr(_key: PrivateKey): Promise<Csr> {
  throw new Error("contract only");
}
