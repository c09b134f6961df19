/**
 * Private keys: load, generate, export.
 */
import type { KeySpec } from "../options.ts";

/** How an encrypted key was protected, so that its successor can be as well. */
export type KeyProtection =
  | { readonly scheme: "rfc1423"; readonly cipher: string }
  | { readonly scheme: "openssh" }
  | {
    readonly scheme: "pbes2";
    readonly prf: "SHA-1" | "SHA-224" | "SHA-256" | "SHA-384" | "SHA-512";
    readonly cipher:
      | "AES-128-CBC"
      | "AES-192-CBC"
      | "AES-256-CBC"
      | "DES-EDE3-CBC";
    readonly iterations: number;
  };

/** A private key that can sign. */
export interface PrivateKey {
  readonly spec: KeySpec | { readonly kty: "EC"; readonly curve: "P-224" };
  /** SubjectPublicKeyInfo DER, compared with a certificate's. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** PKCS#8 DER, unencrypted. Never logged, never written as it is. */
  readonly pkcs8: Uint8Array<ArrayBuffer>;
  /** For Web Crypto; ECDSA, Ed25519 or RSASSA-PKCS1-v1_5 with SHA-256. */
  readonly signingKey: CryptoKey;
}

/** A key from a file, and how the file protected it. */
export interface LoadedPrivateKey {
  readonly key: PrivateKey;
  /** Undefined: the file held it in plain text. */
  readonly protection: KeyProtection | undefined;
  /** The password that opened it; undefined when it was plain. */
  readonly password: string | undefined;
}

/**
 * Reads the first private key of a file, in every format of parity.md 7.2-7.3.
 *
 * @param password called only when the key is encrypted; its answer is used once
 * @throws {RekeyError} kind `pair`, text without file name (`decryption password incorrect`)
 */
export function loadPrivateKey(
  _content: Uint8Array,
  _password: () => Promise<string>,
): Promise<LoadedPrivateKey> {
  throw new Error("contract only");
}

/** Generates a key pair by Web Crypto. RSA: public exponent 65537. */
export function generatePrivateKey(_spec: KeySpec): Promise<PrivateKey> {
  throw new Error("contract only");
}

/**
 * The key as one PEM block. Plain: EC as SEC1, RSA as PKCS#1, Ed25519 as PKCS#8
 * (parity.md 9.1). With `encryption`: PKCS#8 PBES2 (architecture.md 14.3): the
 * parameters of `like` where they are still sound, else PBKDF2-HMAC-SHA256 and
 * AES-256-CBC.
 */
export function privateKeyToPem(
  _key: PrivateKey,
  _encryption?: {
    readonly password: string;
    readonly like?: KeyProtection | undefined;
  },
): Promise<string> {
  throw new Error("contract only");
}
