/**
 * The block ciphers of encrypted key files, all in CBC mode with the padding of
 * RFC 8018 §6.1.1.
 *
 * Only for reading and writing key files; CBC says nothing about who wrote them.
 */
import { wrongPassword } from "./key_numbers.ts";

/** Name in PBES2 (RFC 8018 §B.2), sizes in bytes. */
export interface BlockCipher {
  readonly oid: string;
  readonly keyBytes: number;
  readonly blockBytes: number;
}

/** Every cipher that a key file may use, by the name that `DEK-Info` has. */
export const BLOCK_CIPHERS = {
  "AES-128-CBC": {
    oid: "2.16.840.1.101.3.4.1.2",
    keyBytes: 16,
    blockBytes: 16,
  },
  "AES-192-CBC": {
    oid: "2.16.840.1.101.3.4.1.22",
    keyBytes: 24,
    blockBytes: 16,
  },
  "AES-256-CBC": {
    oid: "2.16.840.1.101.3.4.1.42",
    keyBytes: 32,
    blockBytes: 16,
  },
  "DES-EDE3-CBC": { oid: "1.2.840.113549.3.7", keyBytes: 24, blockBytes: 8 },
  "DES-CBC": { oid: "1.3.14.3.2.7", keyBytes: 8, blockBytes: 8 },
} as const satisfies Readonly<Record<string, BlockCipher>>;

/** A key of {@linkcode BLOCK_CIPHERS}. */
export type BlockCipherName = keyof typeof BLOCK_CIPHERS;

/** The ciphers that may still be written. */
export type AesName = Exclude<BlockCipherName, "DES-EDE3-CBC" | "DES-CBC">;

/** What a cipher needs besides the data; of the sizes that it wants. */
export interface CipherParameters {
  readonly cipher: BlockCipherName;
  readonly key: Uint8Array<ArrayBuffer>;
  readonly iv: Uint8Array<ArrayBuffer>;
}

export function isAes(cipher: BlockCipherName): cipher is AesName {
  return cipher.startsWith("AES-");
}

export function isBlockCipher(name: string): name is BlockCipherName {
  return Object.hasOwn(BLOCK_CIPHERS, name);
}

/**
 * Decrypts and takes the padding off.
 *
 * @throws {MalformedError} wrong password, when the padding is wrong
 */
export async function decryptCbc(
  data: Uint8Array<ArrayBuffer>,
  parameters: CipherParameters,
): Promise<Uint8Array> {
  const decrypt = isAes(parameters.cipher)
    ? await aes(parameters)
    : await des(parameters);
  try {
    return await decrypt(data);
  } catch (cause) {
    throw wrongPassword(cause);
  }
}

/** Pads and encrypts; AES only, because nothing else is written any more. */
export async function encryptCbc(
  data: Uint8Array<ArrayBuffer>,
  { key, iv }: CipherParameters & { readonly cipher: AesName },
): Promise<Uint8Array<ArrayBuffer>> {
  const name = "AES-CBC";
  const aes = await crypto.subtle.importKey("raw", key, name, false, [
    "encrypt",
  ]);
  return new Uint8Array(await crypto.subtle.encrypt({ name, iv }, aes, data));
}

type Decrypt = (data: Uint8Array<ArrayBuffer>) => Promise<Uint8Array>;

async function aes({ key, iv }: CipherParameters): Promise<Decrypt> {
  const name = "AES-CBC";
  const usable = await crypto.subtle.importKey("raw", key, name, false, [
    "decrypt",
  ]);
  return async (data) =>
    new Uint8Array(await crypto.subtle.decrypt({ name, iv }, usable, data));
}

/**
 * Triple DES, and single DES as triple DES with one key three times (NIST SP
 * 800-67 §3.2). Web Crypto has neither, and loading node:crypto takes 28 ms.
 */
async function des(
  { cipher, key, iv }: CipherParameters,
): Promise<Decrypt> {
  const { createDecipheriv } = await import("node:crypto");
  const whole = cipher === "DES-CBC" ? [...key, ...key, ...key] : key;
  const decipher = createDecipheriv("des-ede3-cbc", Uint8Array.from(whole), iv);
  return (data) =>
    Promise.resolve().then(() => {
      const start = decipher.update(data);
      const end = decipher.final();
      return Uint8Array.of(...start, ...end);
    });
}
