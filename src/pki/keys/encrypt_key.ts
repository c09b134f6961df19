/**
 * `ENCRYPTED PRIVATE KEY`, written: PKCS#8 under PBES2 with PBKDF2, in strong
 * variants only (RFC 8018).
 *
 * Behind a dynamic import: with this file the X.509 library is loaded.
 */
import { HMACS } from "./algorithms.ts";
import {
  type AesName,
  BLOCK_CIPHERS,
  encryptCbc,
  isAes,
} from "./block_cipher.ts";
import {
  deriveKey,
  type EncryptedKey,
  PBES2,
  type Pbes2Protection,
  PBKDF2,
} from "./key_encryption.ts";
import {
  asn1Pkcs8,
  asn1Schema,
  asn1X509,
  defineSchema,
  serialize,
} from "../asn1/x509.ts";

const { AsnPropTypes, OctetString } = asn1Schema;

/** What OWASP recommends for PBKDF2-HMAC-SHA256 since 2023. */
const MIN_WRITTEN_ITERATIONS = 600_000;

/** RFC 8018 §4.1 asks for eight or more. */
const WRITTEN_SALT_BYTES = 16;

export interface KeyEncryption {
  readonly password: string;
  /**
   * How the file before was protected: its hash and cipher stay where they are
   * still sound (AES-CBC, SHA-2 of 256 bits or more), so that what reads the file
   * today can read the new one as well.
   */
  readonly like?: Pbes2Protection | undefined;
}

export async function encryptKey(
  pkcs8: Uint8Array<ArrayBuffer>,
  { password, like }: KeyEncryption,
): Promise<Uint8Array<ArrayBuffer>> {
  const protection = strengthened(like);
  const { cipher } = protection;
  const salt = crypto.getRandomValues(new Uint8Array(WRITTEN_SALT_BYTES));
  const iv = crypto.getRandomValues(
    new Uint8Array(BLOCK_CIPHERS[cipher].blockBytes),
  );
  const key = await deriveKey(password, { protection, salt });
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
    ? { prf, cipher, iterations }
    : { prf: "SHA-256", cipher: "AES-256-CBC", iterations };
}

type AlgorithmSchema = InstanceType<typeof asn1X509.AlgorithmIdentifier>;

function pbes2Algorithm(
  { protection, salt, iv }: Omit<EncryptedKey, "ciphertext">,
): AlgorithmSchema {
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

function algorithmOf(oid: string, parameters: object | null): AlgorithmSchema {
  return new asn1X509.AlgorithmIdentifier({
    algorithm: oid,
    parameters: parameters && serialize(parameters).buffer,
  });
}

/** RFC 8018 §A.4, as it is written. */
class Pbes2Parameters {
  keyDerivationFunc: AlgorithmSchema = new asn1X509.AlgorithmIdentifier();
  encryptionScheme: AlgorithmSchema = new asn1X509.AlgorithmIdentifier();
}
defineSchema(Pbes2Parameters, {
  keyDerivationFunc: { type: asn1X509.AlgorithmIdentifier },
  encryptionScheme: { type: asn1X509.AlgorithmIdentifier },
});

/** RFC 8018 §A.2, as it is written. */
class Pbkdf2Parameters {
  salt: InstanceType<typeof OctetString> = new OctetString();
  iterationCount = 0;
  prf: AlgorithmSchema = new asn1X509.AlgorithmIdentifier();
}
defineSchema(Pbkdf2Parameters, {
  salt: { type: OctetString },
  iterationCount: { type: AsnPropTypes.Integer },
  prf: { type: asn1X509.AlgorithmIdentifier },
});
