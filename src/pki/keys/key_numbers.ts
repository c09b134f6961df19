/**
 * The numbers of a private key: what every file format comes down to.
 *
 * They are only what a file says. Nothing may sign with them, or compare their
 * public half with a certificate, before `key_import.ts` has proven them.
 */
import type { EcCurve } from "../../base/options.ts";
import { MalformedError } from "../asn1/malformed.ts";

export interface EcNumbers {
  readonly kty: "EC";
  readonly curve: EcCurve;
  /** Big endian, of any length: some writers leave out leading zeros. */
  readonly scalar: Uint8Array;
  /** The public points that the file names, as in SEC 1 §2.3.3. */
  readonly claimed: readonly Uint8Array[];
}

export interface EdNumbers {
  readonly kty: "OKP";
  /** The private key of RFC 8032 §5.1.5. */
  readonly seed: Uint8Array;
  /** The public keys that the file names, as in RFC 8032 §5.1.5. */
  readonly claimed: readonly Uint8Array[];
}

/** What a file says about an RSA key of two primes; names of RFC 7518 §6.3. */
export interface RsaNumbers {
  readonly kty: "RSA";
  readonly n: bigint;
  readonly e: bigint;
  readonly d: bigint;
  readonly p: bigint;
  readonly q: bigint;
  readonly dp: bigint;
  readonly dq: bigint;
  readonly qi: bigint;
}

/** A private key of any supported type, not proven yet. */
export type KeyNumbers = EcNumbers | EdNumbers | RsaNumbers;

/**
 * The bytes are no private key of the format that they should have.
 *
 * A class of its own because of encrypted files: what a wrong password leaves
 * is malformed, so there it has to read as a wrong password.
 */
export class MalformedKeyError extends MalformedError {
  constructor(what: string, cause?: unknown) {
    super(`malformed ${what}`, { cause });
  }
}

/**
 * The error for a password that does not open the key, in the words of Go
 * (crypto/x509 `IncorrectPasswordError`), which scripts look for.
 */
export function wrongPassword(cause?: unknown): MalformedError {
  return new MalformedError("x509: decryption password incorrect", { cause });
}

/**
 * Runs a reader of DER.
 *
 * @throws {MalformedKeyError} when the bytes are not what it reads
 */
export function explainKey<T>(what: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    throw new MalformedKeyError(what, error);
  }
}

/** The refusal of a key that is well formed, but of a type that nobody signs with here. */
export function unsupportedKey(what: string): MalformedError {
  return new MalformedError(
    `unsupported private key: found ${what}, supported are EC with P-256, P-384 or P-521, Ed25519, and RSA`,
  );
}

/**
 * An object identifier for an error text. In a damaged file the bytes of one
 * can be those of the key, so what is longer than real ones is not shown.
 */
export function shownOid(oid: string): string {
  return oid.length <= 64 ? oid : "of unusual length";
}

/** Unsigned big-endian bytes as a number; no bytes are 0. */
export function toBigInt(bytes: Uint8Array): bigint {
  return bytes.length === 0 ? 0n : BigInt(`0x${bytes.toHex()}`);
}
