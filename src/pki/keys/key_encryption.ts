/**
 * `ENCRYPTED PRIVATE KEY`: PKCS#8 under PBES2 with PBKDF2 (RFC 8018, RFC 5958),
 * read in all its usual variants and written in the strong ones.
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
  type AesName,
  BLOCK_CIPHERS,
  type BlockCipherName,
  decryptCbc,
  encryptCbc,
  isAes,
} from "./block_cipher.ts";
import { explainKey, shownOid, toBigInt } from "./key_numbers.ts";
import { derivePbkdf2 } from "./pbkdf2.ts";
import {
  asn1Pkcs8,
  asn1Schema,
  asn1X509,
  defineSchema,
  serialize,
} from "../asn1/x509.ts";

const { AsnPropTypes, OctetString } = asn1Schema;

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
    const iv = requireTag(parametersOf(encryption), DER_TAG.octetString)
      .content.slice();
    const encrypted: EncryptedKey = {
      protection: { scheme: "pbes2", prf, cipher, iterations },
      salt,
      iv,
      ciphertext,
    };
    checkSizes(encrypted, keyBytes);
    return encrypted;
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
  return serialize(
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

type Algorithm = InstanceType<typeof asn1X509.AlgorithmIdentifier>;

function pbes2Algorithm(
  { protection, salt, iv }: Omit<EncryptedKey, "ciphertext">,
): Algorithm {
  const derivation = new Pbkdf2Parameters();
  derivation.salt = new OctetString(salt);
  derivation.iterationCount = protection.iterations;
  // RFC 8018 §B.1.2: NULL parameters, not absent ones.
  derivation.prf = algorithmOf(HMACS[protection.prf].oid, null);
  const scheme = new Pbes2Parameters();
  scheme.keyDerivationFunc = algorithmOf(PBKDF2, derivation);
  scheme.encryptionScheme = algorithmOf(
    BLOCK_CIPHERS[protection.cipher].oid,
    new OctetString(iv),
  );
  return algorithmOf(PBES2, scheme);
}

function algorithmOf(oid: string, parameters: object | null): Algorithm {
  return new asn1X509.AlgorithmIdentifier({
    algorithm: oid,
    parameters: parameters && serialize(parameters).buffer,
  });
}

/** RFC 8018 §A.4, as it is written. */
class Pbes2Parameters {
  keyDerivationFunc: Algorithm = new asn1X509.AlgorithmIdentifier();
  encryptionScheme: Algorithm = new asn1X509.AlgorithmIdentifier();
}
defineSchema(Pbes2Parameters, {
  keyDerivationFunc: { type: asn1X509.AlgorithmIdentifier },
  encryptionScheme: { type: asn1X509.AlgorithmIdentifier },
});

/** RFC 8018 §A.2, as it is written. */
class Pbkdf2Parameters {
  salt: InstanceType<typeof OctetString> = new OctetString();
  iterationCount = 0;
  prf: Algorithm = new asn1X509.AlgorithmIdentifier();
}
defineSchema(Pbkdf2Parameters, {
  salt: { type: OctetString },
  iterationCount: { type: AsnPropTypes.Integer },
  prf: { type: asn1X509.AlgorithmIdentifier },
});

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

function checkSizes(
  { protection, iv, ciphertext }: EncryptedKey,
  keyLength: number | undefined,
): void {
  const { keyBytes, blockBytes } = BLOCK_CIPHERS[protection.cipher];
  const fits = iv.length === blockBytes && ciphertext.length > 0 &&
    ciphertext.length % blockBytes === 0 &&
    (keyLength === undefined || keyLength === keyBytes);
  if (!fits) throw new SyntaxError();
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
