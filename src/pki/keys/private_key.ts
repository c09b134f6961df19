/**
 * Private keys: load, generate, export.
 *
 * The formats are in the files beside this one; here is which of them a block
 * of PEM has, and which one is written. No error text may hold anything of a
 * key or of a password.
 */
import type { KeySpec } from "../../base/options.ts";
import { MalformedError } from "../asn1/malformed.ts";
import { RSA_ALGORITHM } from "./algorithms.ts";
import type { KeyEncryption } from "./encrypt_key.ts";
import {
  decodePkcs1,
  decodePkcs8,
  decodeSec1,
  encodeSec1,
  unwrapPkcs8,
} from "./key_encoding.ts";
import type { Pbes2Protection } from "./key_encryption.ts";
import { importKey, type PrivateKey, privateKeyOf } from "./key_import.ts";
import {
  type KeyNumbers,
  MalformedKeyError,
  wrongPassword,
} from "./key_numbers.ts";
import { isPem, parsePem, type PemBlock, toPem } from "../asn1/pem.ts";
import { firstOf } from "./rsa_search.ts";

export type { Pbes2Protection, PrivateKey };

/** A key from a file, and how the file protected it. */
export interface LoadedPrivateKey {
  readonly key: PrivateKey;
  /** What its successor may take over; undefined for plain text and RFC 1423. */
  readonly protection: Pbes2Protection | undefined;
  /** The password that opened it; undefined when it was plain. */
  readonly password: string | undefined;
}

type Decode = (der: Uint8Array) => KeyNumbers | Promise<KeyNumbers>;

const DECODERS: ReadonlyMap<string, Decode> = new Map<string, Decode>([
  ["EC PRIVATE KEY", decodeSec1],
  ["RSA PRIVATE KEY", decodePkcs1],
  ["PRIVATE KEY", decodePkcs8],
  ["OPENSSH PRIVATE KEY", async (der) => {
    const { decodeOpenSsh } = await import("./openssh_key.ts");
    return decodeOpenSsh(der);
  }],
]);

const ENCRYPTED_LABEL = "ENCRYPTED PRIVATE KEY";

/** RFC 8017 §3.1, F4: the exponent that everybody uses. */
const RSA_EXPONENT = Uint8Array.of(1, 0, 1);

/**
 * Reads the first private key of a file; other PEM blocks are skipped. SEC 1,
 * PKCS#1, PKCS#8 (also encrypted: PBES2 with PBKDF2), each of them also
 * encrypted as in RFC 1423, and unencrypted OpenSSH keys.
 *
 * @param password called only when the key is encrypted and its parameters are
 *   usable; its answer is used once
 * @throws {MalformedError} no key, a damaged or unsupported one, one whose
 *   numbers do not belong together, or a wrong password
 */
export async function loadPrivateKey(
  content: Uint8Array,
  password: () => Promise<string>,
): Promise<LoadedPrivateKey> {
  const block = findPrivateKey(content);
  if (block.label === ENCRYPTED_LABEL) {
    const { decryptKey, readEncryptedKey } = await import(
      "./key_encryption.ts"
    );
    const encrypted = readEncryptedKey(block.der);
    const secret = await password();
    const der = await decryptKey(encrypted, secret);
    const key = await openedKey(der, decodePkcs8);
    return { key, protection: encrypted.protection, password: secret };
  }
  const decode = DECODERS.get(block.label);
  if (decode === undefined) {
    const [found = "", ...supported] = [
      block.label,
      ...DECODERS.keys(),
      ENCRYPTED_LABEL,
    ].map((label) => JSON.stringify(label));
    throw new MalformedError(
      `unsupported private key: found a PEM block ${found}, supported are ${
        supported.join(", ")
      }`,
    );
  }
  if (isLegacyEncrypted(block)) {
    const { decryptLegacy, readLegacyEncryption } = await import(
      "./legacy_encryption.ts"
    );
    const encrypted = readLegacyEncryption(block);
    const secret = await password();
    const der = await decryptLegacy(encrypted, secret);
    const key = await openedKey(der, decode);
    return { key, protection: undefined, password: secret };
  }
  const key = await importKey(await decode(block.der));
  return { key, protection: undefined, password: undefined };
}

/**
 * Generates a key by Web Crypto. RSA: public exponent 65537.
 *
 * @param searches for an RSA key at once; see rsa_search.ts
 */
export async function generatePrivateKey(
  spec: KeySpec,
  searches = 1,
): Promise<PrivateKey> {
  return await privateKeyOf(spec, await generatePair(spec, searches));
}

/**
 * The key as one PEM block. Plain, in the forms that Go writes
 * (go.step.sm/crypto/pemutil `Serialize`): EC as SEC 1, RSA as PKCS#1, Ed25519
 * as PKCS#8 without public key.
 *
 * With `encryption`: PKCS#8 under PBES2 with PBKDF2, at least 600,000 rounds of
 * SHA-256 and AES-256-CBC, or as the file before.
 */
export async function privateKeyToPem(
  key: PrivateKey,
  encryption?: KeyEncryption,
): Promise<string> {
  if (encryption !== undefined) {
    const { encryptKey } = await import("./encrypt_key.ts");
    return toPem(ENCRYPTED_LABEL, await encryptKey(key.pkcs8, encryption));
  }
  switch (key.spec.kty) {
    case "EC":
      return toPem("EC PRIVATE KEY", encodeSec1(key.pkcs8, key.spec.curve));
    case "RSA":
      return toPem("RSA PRIVATE KEY", unwrapPkcs8(key.pkcs8));
    case "OKP":
      return toPem("PRIVATE KEY", key.pkcs8);
  }
}

/** As RFC 1423 says it in the headers. */
function isLegacyEncrypted({ headers }: PemBlock): boolean {
  return /^4,\s*ENCRYPTED$/.test(headers.get("Proc-Type") ?? "") ||
    headers.has("DEK-Info");
}

function findPrivateKey(content: Uint8Array): PemBlock {
  if (!isPem(content)) {
    // A DER key would be a SEQUENCE.
    const hint = content[0] === 0x30
      ? "convert the DER file: openssl pkey -inform DER -in <old-file> -out <key-file>"
      : undefined;
    throw new MalformedError("not a valid PEM encoded block", { hint });
  }
  const block = parsePem(content).find(({ label }) =>
    /(^| )PRIVATE KEY$/.test(label)
  );
  if (block !== undefined) return block;
  throw new MalformedError("does not contain a valid private key");
}

/** What a wrong password leaves behind can look like anything but a key. */
async function openedKey(der: Uint8Array, decode: Decode): Promise<PrivateKey> {
  try {
    return await importKey(await decode(der));
  } catch (error) {
    if (error instanceof MalformedKeyError) throw wrongPassword(error);
    throw error;
  }
}

function generatePair(
  spec: KeySpec,
  searches: number,
): Promise<CryptoKeyPair> {
  const generate = (
    algorithm: Algorithm | EcKeyGenParams | RsaHashedKeyGenParams,
  ) =>
    // Deno's types do not know that every algorithm here has two keys.
    crypto.subtle.generateKey(algorithm, true, ["sign", "verify"]) as Promise<
      CryptoKeyPair
    >;
  switch (spec.kty) {
    case "EC":
      return generate({ name: "ECDSA", namedCurve: spec.curve });
    case "OKP":
      return generate({ name: spec.curve });
    case "RSA":
      return firstOf(searches, () =>
        generate({
          ...RSA_ALGORITHM,
          modulusLength: spec.bits,
          publicExponent: RSA_EXPONENT,
        }));
  }
}
