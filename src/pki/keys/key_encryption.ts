/**
 * `ENCRYPTED PRIVATE KEY`: PKCS#8 under PBES2 with PBKDF2 (RFC 8018, RFC 5958),
 * read in all its usual variants and written in the strong ones.
 *
 * Everything that a file dictates is bounded before it is used, so that no file
 * can keep the program computing or make it fail in an undefined way.
 */
import { MalformedError } from "../asn1/malformed.ts";
import { type HmacHash, HMACS, nameOf } from "./algorithms.ts";
import {
  type AesName,
  BLOCK_CIPHERS,
  type BlockCipherName,
  decryptCbc,
  encryptCbc,
  isAes,
} from "./block_cipher.ts";
import { MalformedKeyError, shownOid } from "./key_numbers.ts";
import {
  parseAsn,
  Pbes2Parameters,
  Pbkdf2Parameters,
  serializeAsn,
} from "./key_schemas.ts";
import { derivePbkdf2 } from "./pbkdf2.ts";
import { asn1Pkcs8, asn1Schema, asn1X509 } from "../asn1/x509.ts";

const { OctetString } = asn1Schema;
const { AlgorithmIdentifier } = asn1X509;

type Algorithm = InstanceType<typeof AlgorithmIdentifier>;

/** How a PBES2 file protects its key. */
export interface Pbes2Protection {
  readonly scheme: "pbes2";
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

const PBES2 = "1.2.840.113549.1.5.13";
const PBKDF2 = "1.2.840.113549.1.5.12";

/** What OWASP recommends for PBKDF2-HMAC-SHA256 since 2023. */
const MIN_WRITTEN_ITERATIONS = 600_000;

/** About five seconds of computing; real files have at most some 1,000,000. */
const MAX_ITERATIONS = 10_000_000;

/** RFC 8018 §4.1 asks for eight or more. */
const WRITTEN_SALT_BYTES = 16;

const WHAT = "encrypted private key";

/**
 * Reads the content of `ENCRYPTED PRIVATE KEY`.
 *
 * @throws {MalformedError} another scheme (in the words of
 *   go.step.sm/crypto/pemutil `DecryptPKCS8PrivateKey`), sizes that do not fit,
 *   or more than 10,000,000 iterations
 */
export function readEncryptedKey(der: Uint8Array): EncryptedKey {
  const { encryptionAlgorithm, encryptedData } = parseAsn(der, {
    schema: asn1Pkcs8.EncryptedPrivateKeyInfo,
    what: WHAT,
  });
  if (encryptionAlgorithm.algorithm !== PBES2) {
    throw unsupported("only PBES2 is supported");
  }
  const scheme = parseAsn(parametersOf(encryptionAlgorithm), {
    schema: Pbes2Parameters,
    what: WHAT,
  });
  if (scheme.keyDerivationFunc.algorithm !== PBKDF2) {
    throw unsupported("only PBKDF2 is supported");
  }
  const derivation = parseAsn(parametersOf(scheme.keyDerivationFunc), {
    schema: Pbkdf2Parameters,
    what: WHAT,
  });
  const prf = derivation.prf === undefined
    ? "SHA-1"
    : known(HMACS, derivation.prf.algorithm);
  const cipher = known(BLOCK_CIPHERS, scheme.encryptionScheme.algorithm);
  const iv = parseAsn(parametersOf(scheme.encryptionScheme), {
    schema: OctetString,
    what: WHAT,
  });
  const encrypted = {
    protection: {
      scheme: "pbes2",
      prf,
      cipher,
      iterations: iterationsOf(derivation),
    },
    salt: new Uint8Array(derivation.salt.buffer),
    iv: new Uint8Array(iv.buffer),
    ciphertext: new Uint8Array(encryptedData.buffer),
  } as const;
  checkSizes(encrypted, derivation.keyLength);
  return encrypted;
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

/**
 * Encrypts PKCS#8 into the content of `ENCRYPTED PRIVATE KEY`.
 *
 * @param encryption `like` is how the file before was protected: its hash and
 *   cipher stay, where they are still sound, so that what reads the file today
 *   can read the new one as well
 */
export async function encryptKey(
  pkcs8: Uint8Array<ArrayBuffer>,
  encryption: {
    readonly password: string;
    readonly like: Pbes2Protection | undefined;
  },
): Promise<Uint8Array<ArrayBuffer>> {
  const protection = strengthened(encryption.like);
  const { cipher } = protection;
  const salt = crypto.getRandomValues(new Uint8Array(WRITTEN_SALT_BYTES));
  const iv = crypto.getRandomValues(
    new Uint8Array(BLOCK_CIPHERS[cipher].blockBytes),
  );
  const key = await deriveKey(encryption.password, { protection, salt });
  const ciphertext = await encryptCbc(pkcs8, { cipher, key, iv });
  return serializeAsn(
    new asn1Pkcs8.EncryptedPrivateKeyInfo({
      encryptionAlgorithm: pbes2Algorithm({ protection, salt, iv }),
      encryptedData: new asn1Pkcs8.EncryptedData(ciphertext),
    }),
  );
}

type Strong = Pbes2Protection & { readonly cipher: AesName };

function strengthened(like: Pbes2Protection | undefined): Strong {
  const cipher = like?.cipher ?? "DES-EDE3-CBC";
  const prf = like?.prf ?? "SHA-1";
  const iterations = Math.max(like?.iterations ?? 0, MIN_WRITTEN_ITERATIONS);
  const sound = prf !== "SHA-1" && prf !== "SHA-224";
  return isAes(cipher) && sound
    ? { scheme: "pbes2", prf, cipher, iterations }
    : { scheme: "pbes2", prf: "SHA-256", cipher: "AES-256-CBC", iterations };
}

function pbes2Algorithm(
  { protection, salt, iv }: Omit<EncryptedKey, "ciphertext">,
): Algorithm {
  const derivation = new Pbkdf2Parameters();
  derivation.salt = new OctetString(salt);
  derivation.iterationCount = protection.iterations;
  // RFC 8018 §B.1.2: NULL parameters, not absent ones.
  derivation.prf = algorithm(HMACS[protection.prf].oid, null);
  const scheme = new Pbes2Parameters();
  scheme.keyDerivationFunc = algorithm(PBKDF2, derivation);
  scheme.encryptionScheme = algorithm(
    BLOCK_CIPHERS[protection.cipher].oid,
    new OctetString(iv),
  );
  return algorithm(PBES2, scheme);
}

function algorithm(oid: string, parameters: object | null): Algorithm {
  return new AlgorithmIdentifier({
    algorithm: oid,
    parameters: parameters && serializeAsn(parameters).buffer,
  });
}

function parametersOf({ parameters }: Algorithm): ArrayBuffer {
  if (!parameters) throw new MalformedKeyError(WHAT);
  return parameters;
}

function known<Name extends string>(
  table: Readonly<Record<Name, { readonly oid: string }>>,
  oid: string,
): Name {
  const name = nameOf(table, { oid });
  if (name !== undefined) return name;
  throw unsupported(`unknown algorithm ${shownOid(oid)}`);
}

function iterationsOf({ iterationCount }: Pbkdf2Parameters): number {
  const iterations = Number(iterationCount);
  if (iterations > MAX_ITERATIONS) {
    throw unsupported(
      `${iterationCount} iterations of PBKDF2, at most ${MAX_ITERATIONS} are accepted`,
    );
  }
  if (!(iterations >= 1)) throw new MalformedKeyError(WHAT);
  return iterations;
}

function checkSizes(
  { protection, iv, ciphertext }: EncryptedKey,
  keyLength: Pbkdf2Parameters["keyLength"],
): void {
  const { keyBytes, blockBytes } = BLOCK_CIPHERS[protection.cipher];
  const fits = iv.length === blockBytes && ciphertext.length > 0 &&
    ciphertext.length % blockBytes === 0 &&
    (keyLength === undefined || keyLength === keyBytes);
  if (!fits) throw new MalformedKeyError(WHAT);
}

function deriveKey(
  password: string,
  { protection, salt }: Pick<EncryptedKey, "protection" | "salt">,
): Promise<Uint8Array<ArrayBuffer>> {
  const { prf, cipher, iterations } = protection;
  const bytes = BLOCK_CIPHERS[cipher].keyBytes;
  return derivePbkdf2(password, { hash: prf, salt, iterations, bytes });
}

function unsupported(fault: string): MalformedError {
  return new MalformedError(`unsupported encrypted PEM: ${fault}`);
}
