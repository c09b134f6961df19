import type { CertificateChain } from "../certificate/certificate.ts";
import type { LoadedPrivateKey } from "./private_key.ts";

/** Proven to match: `key.publicKey` equals `chain[0].publicKey`. */
export interface KeyPair extends LoadedPrivateKey {
  /** Leaf first. */
  readonly chain: CertificateChain;
}
