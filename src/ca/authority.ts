/**
 * Who signs: the one interface that a CA has to fulfil.
 */
import type { Certificate } from "../pki/certificate/certificate.ts";
import type { Csr } from "../pki/keys/csr.ts";
import type { KeyPair } from "../pki/keys/key_pair.ts";

/** What is asked. */
export interface RekeyRequest {
  /** Authenticates the request; subject, names and lifetime come from it. */
  readonly current: KeyPair;
  readonly csr: Csr;
  /** Ends the request at once. */
  readonly signal: AbortSignal;
}

/** Issues certificates for new keys. */
export interface CertificateAuthority {
  /** For messages: the URL, or the path of ca.json. */
  readonly name: string;
  /**
   * What doubts about dates and the path to a root are worth: see
   * `ExpectedCertificate`.
   */
  readonly doubts: "refuse" | "warn";
  /**
   * Reads and checks the authority's configuration and trust anchors, so that
   * a mistake is reported before anything is generated or asked. Idempotent.
   *
   * @throws {RekeyError} kind `config`
   */
  roots(): Promise<readonly Certificate[]>;
  /**
   * Asks for a certificate on the CSR's key.
   *
   * @returns the chain as the CA sent it, leaf first, unverified, never empty
   * @throws {RekeyError} kinds `unreachable`, `refused`, `untrusted`, `pair`, `config`, `interrupted`
   */
  rekey(request: RekeyRequest): Promise<readonly Certificate[]>;
}
