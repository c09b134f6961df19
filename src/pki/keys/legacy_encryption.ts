/**
 * The encryption of RFC 1423 as OpenSSL writes it: `Proc-Type: 4,ENCRYPTED` and
 * `DEK-Info` above a key in its plain format.
 *
 * `step ca init` protects the keys of a CA with it. Read only: its key
 * derivation is one round of MD5, so no new file is written in this way.
 */
import { MalformedError } from "../asn1/malformed.ts";
import {
  BLOCK_CIPHERS,
  type BlockCipherName,
  decryptCbc,
  isBlockCipher,
} from "./block_cipher.ts";
import type { PemBlock } from "../asn1/pem.ts";

/** An encrypted block whose headers have been checked. */
export interface LegacyEncrypted {
  readonly cipher: BlockCipherName;
  readonly iv: Uint8Array<ArrayBuffer>;
  readonly ciphertext: Uint8Array<ArrayBuffer>;
}

/** Bytes of the initialization vector that OpenSSL takes as the salt. */
const SALT_BYTES = 8;

/**
 * Reads the headers (RFC 1421 §4.6.1.3). The texts are those of Go's
 * crypto/x509 `DecryptPEMBlock`.
 *
 * @throws {MalformedError} when they are missing or make no sense
 */
export function readLegacyEncryption(block: PemBlock): LegacyEncrypted {
  const info = block.headers.get("DEK-Info");
  if (info === undefined) throw refused("no DEK-Info header in block");
  const [cipher = "", hex, ...more] = info.split(",").map((part) =>
    part.trim()
  );
  if (hex === undefined || more.length > 0) {
    throw refused("malformed DEK-Info header");
  }
  if (!isBlockCipher(cipher)) throw refused("unknown encryption mode");
  if (!/^([0-9a-f]{2})*$/i.test(hex)) {
    throw refused("malformed DEK-Info header");
  }
  const iv = Uint8Array.fromHex(hex);
  const { blockBytes } = BLOCK_CIPHERS[cipher];
  if (iv.length !== blockBytes) throw refused("incorrect IV size");
  if (block.der.length === 0 || block.der.length % blockBytes !== 0) {
    throw refused("encrypted PEM data is not a multiple of the block size");
  }
  return { cipher, iv, ciphertext: block.der };
}

/**
 * Decrypts the block.
 *
 * @throws {MalformedError} when the password is wrong; one wrong
 *   password in about 256 gives bytes that are no key instead
 */
export async function decryptLegacy(
  { cipher, iv, ciphertext }: LegacyEncrypted,
  password: string,
): Promise<Uint8Array> {
  const salt = iv.subarray(0, SALT_BYTES);
  const key = await deriveKey(password, salt, BLOCK_CIPHERS[cipher].keyBytes);
  return decryptCbc(ciphertext, { cipher, key, iv });
}

/** OpenSSL's EVP_BytesToKey with MD5 and one round; Web Crypto has no MD5. */
async function deriveKey(
  password: string,
  salt: Uint8Array,
  bytes: number,
): Promise<Uint8Array<ArrayBuffer>> {
  const { createHash } = await import("node:crypto");
  const secret = new TextEncoder().encode(password);
  const key = new Uint8Array(bytes);
  let digest = new Uint8Array();
  for (let at = 0; at < bytes; at += digest.length) {
    digest = new Uint8Array(
      createHash("md5").update(digest).update(secret).update(salt).digest(),
    );
    key.set(digest.subarray(0, bytes - at), at);
  }
  return key;
}

function refused(fault: string): MalformedError {
  return new MalformedError(`x509: ${fault}`);
}
