/**
 * `ENCRYPTED PRIVATE KEY`: PKCS#8 under PBES2 with PBKDF2 (RFC 8018, RFC 5958),
 * read in all its usual variants; encrypt_key.ts writes the strong ones.
 *
 * Everything that a file dictates is bounded before it is used, so that no file
 * can keep the program computing or make it fail in an undefined way.
 */
import {
  DER_TAG,
  type DerElement,
  DerFields,
  readDer,
  requireTag,
} from "../asn1/der.ts";
import {
  type AlgorithmIdentifier,
  readAlgorithm,
  readInteger,
  readSmallInteger,
} from "../asn1/der_values.ts";
import { MalformedError } from "../asn1/malformed.ts";
import { type HmacHash, HMACS, nameOf } from "./algorithms.ts";
import {
  BLOCK_CIPHERS,
  type BlockCipherName,
  decryptCbc,
} from "./block_cipher.ts";
import { explainKey, shownOid, toBigInt } from "./key_numbers.ts";

export interface Pbes2Protection {
  readonly prf: HmacHash;
  readonly cipher: BlockCipherName;
  readonly iterations: number;
}

/** An encrypted key whose parameters have been checked. */
export interface EncryptedKey {
  readonly protection: Pbes2Protection;
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly ciphertext: Uint8Array<ArrayBuffer>;
}

/** The object identifiers of RFC 8018 §A.4 and §A.2. */
export const PBES2 = "1.2.840.113549.1.5.13";
export const PBKDF2 = "1.2.840.113549.1.5.12";

/** About five seconds of computing; real files have at most some 1,000,000. */
const MAX_ITERATIONS = 10_000_000;

const WHAT = "encrypted private key";

/**
 * Reads the content of `ENCRYPTED PRIVATE KEY`.
 *
 * @throws {MalformedError} another scheme (in the words of
 *   go.step.sm/crypto/pemutil `DecryptPKCS8PrivateKey`), sizes that do not fit,
 *   or more than 10,000,000 iterations
 */
export function readEncryptedKey(der: Uint8Array): EncryptedKey {
  return explainKey(WHAT, () => {
    const fields = new DerFields(readDer(der));
    const algorithm = readAlgorithm(fields.take());
    const ciphertext = fields.take(DER_TAG.octetString).content.slice();
    fields.end();
    if (algorithm.oid !== PBES2) throw unsupported("only PBES2 is supported");
    const scheme = new DerFields(parametersOf(algorithm));
    const derivation = readDerivation(readAlgorithm(scheme.take()));
    const encryption = readAlgorithm(scheme.take());
    scheme.end();
    const { prf, iterations, salt, keyBytes } = derivation;
    const cipher = known(BLOCK_CIPHERS, encryption.oid);
    const sizes = BLOCK_CIPHERS[cipher];
    const iv = requireTag(parametersOf(encryption), DER_TAG.octetString)
      .content.slice();
    const fits = iv.length === sizes.blockBytes && ciphertext.length > 0 &&
      ciphertext.length % sizes.blockBytes === 0 &&
      (keyBytes === undefined || keyBytes === sizes.keyBytes);
    if (!fits) throw new SyntaxError();
    const protection = { prf, cipher, iterations };
    return { protection, salt, iv, ciphertext };
  });
}

interface Derivation {
  readonly salt: Uint8Array<ArrayBuffer>;
  readonly iterations: number;
  readonly keyBytes: number | undefined;
  readonly prf: HmacHash;
}

/**
 * PBKDF2-params (RFC 8018 §A.2), with the salt as bytes: nobody has ever defined
 * another source of it. Without `prf` it is HMAC-SHA1.
 */
function readDerivation(algorithm: AlgorithmIdentifier): Derivation {
  if (algorithm.oid !== PBKDF2) throw unsupported("only PBKDF2 is supported");
  const fields = new DerFields(parametersOf(algorithm));
  const salt = fields.take(DER_TAG.octetString).content.slice();
  const iterations = readIterations(fields.take());
  const length = fields.takeOptional(DER_TAG.integer);
  const prf = fields.isAtEnd
    ? "SHA-1"
    : known(HMACS, readAlgorithm(fields.take()).oid);
  fields.end();
  const keyBytes = length && readSmallInteger(length);
  return { salt, iterations, keyBytes, prf };
}

/**
 * Decrypts to PKCS#8.
 *
 * @throws {MalformedError} when the password is wrong; one wrong
 *   password in about 256 gives bytes that are no key instead
 */
export async function decryptKey(
  { protection, salt, iv, ciphertext }: EncryptedKey,
  password: string,
): Promise<Uint8Array> {
  const { cipher } = protection;
  const key = await deriveKey(password, { protection, salt });
  return decryptCbc(ciphertext, { cipher, key, iv });
}

function parametersOf({ parameters }: AlgorithmIdentifier): DerElement {
  if (parameters === undefined) throw new SyntaxError();
  return readDer(parameters);
}

function known<Name extends string>(
  table: Readonly<Record<Name, { readonly oid: string }>>,
  oid: string,
): Name {
  const name = nameOf(table, { oid });
  if (name !== undefined) return name;
  throw unsupported(`unknown algorithm ${shownOid(oid)}`);
}

function readIterations(element: DerElement): number {
  const octets = readInteger(element);
  const iterations = toBigInt(octets);
  if ((octets[0] ?? 0) >= 0x80 || iterations === 0n) throw new SyntaxError();
  if (iterations <= MAX_ITERATIONS) return Number(iterations);
  throw unsupported(
    `${iterations} iterations of PBKDF2, at most ${MAX_ITERATIONS} are accepted`,
  );
}

/**
 * The key of the cipher by PBKDF2 (RFC 8018 §5.2), computed off the main thread:
 * 2,000,000 iterations take about a second.
 */
export async function deriveKey(
  password: string,
  { protection, salt }: Pick<EncryptedKey, "protection" | "salt">,
): Promise<Uint8Array<ArrayBuffer>> {
  const { prf, cipher, iterations } = protection;
  const bytes = BLOCK_CIPHERS[cipher].keyBytes;
  const secret = new TextEncoder().encode(password);
  if (prf === "SHA-224") {
    // Web Crypto does not have SHA-224, and loading node:crypto takes 28 ms.
    const { pbkdf2 } = await import("node:crypto");
    return new Promise((resolve, reject) => {
      pbkdf2(secret, salt, iterations, bytes, "sha224", (error, key) => {
        if (error) return reject(error);
        resolve(new Uint8Array(key));
      });
    });
  }
  const { subtle } = crypto;
  const material = await subtle.importKey("raw", secret, "PBKDF2", false, [
    "deriveBits",
  ]);
  const algorithm = { name: "PBKDF2", hash: prf, salt, iterations };
  return new Uint8Array(
    await subtle.deriveBits(algorithm, material, bytes * 8),
  );
}

function unsupported(fault: string): MalformedError {
  return new MalformedError(`unsupported encrypted PEM: ${fault}`);
}
