/**
 * From the numbers of a private key to the key that Web Crypto signs with.
 *
 * The public key is always derived from the private numbers, never taken from
 * the file: one whose two halves do not belong together is refused here, before
 * anything can compare it with a certificate.
 */
import { type KeySpec, MAX_RSA_BITS } from "../../base/options.ts";
import { equalBytes } from "../../base/bytes.ts";
import { MalformedError } from "../asn1/malformed.ts";
import { CURVES, ED25519_BYTES, RSA_ALGORITHM } from "./algorithms.ts";
import { encodeEcPkcs8, encodeEdPkcs8 } from "./key_encoding.ts";
import {
  type EcNumbers,
  type EdNumbers,
  type KeyNumbers,
  MalformedKeyError,
  type RsaNumbers,
} from "./key_numbers.ts";

export interface PrivateKey {
  readonly spec: KeySpec;
  /**
   * SubjectPublicKeyInfo DER, derived from the private key: what is compared
   * with a certificate's.
   */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /**
   * PKCS#8 DER, unencrypted; EC with its public point. Never logged, never
   * written as it is.
   */
  readonly pkcs8: Uint8Array<ArrayBuffer>;
  /** For Web Crypto; ECDSA, Ed25519 or RSASSA-PKCS1-v1_5 with SHA-256. */
  readonly signingKey: CryptoKey;
}

/**
 * Proves the numbers and makes the key.
 *
 * @throws {MalformedKeyError} when a number is out of range
 * @throws {MalformedError} when the numbers contradict each other, or
 *   the public key that the file names belongs to another private key
 */
export function importKey(numbers: KeyNumbers): Promise<PrivateKey> {
  switch (numbers.kty) {
    case "EC":
      return importEc(numbers);
    case "OKP":
      return importEd(numbers);
    case "RSA":
      return importRsa(numbers);
  }
}

/**
 * The key of a pair that Web Crypto made or imported, both halves extractable.
 */
export async function privateKeyOf(
  spec: KeySpec,
  pair: CryptoKeyPair,
): Promise<PrivateKey> {
  const [pkcs8, spki] = await Promise.all([
    crypto.subtle.exportKey("pkcs8", pair.privateKey),
    crypto.subtle.exportKey("spki", pair.publicKey),
  ]);
  return {
    spec,
    publicKey: new Uint8Array(spki),
    pkcs8: new Uint8Array(pkcs8),
    signingKey: pair.privateKey,
  };
}

async function importEc(numbers: EcNumbers): Promise<PrivateKey> {
  const { curve } = numbers;
  const { bytes } = CURVES[curve];
  const algorithm = { name: "ECDSA", namedCurve: curve };
  const bare = encodeEcPkcs8(curve, fixedLength(numbers.scalar, bytes));
  const { d = "", x = "", y = "" } = await derive(bare, algorithm);
  const point = { x: fromBase64Url(x), y: fromBase64Url(y) };
  if (!numbers.claimed.every((claim) => isPoint(claim, point))) {
    throw foreignPublicKey();
  }
  const publicJwk = { kty: "EC", crv: curve, x, y };
  return privateKeyOf(
    { kty: "EC", curve },
    await importPair(publicJwk, { d }, algorithm),
  );
}

async function importEd(numbers: EdNumbers): Promise<PrivateKey> {
  const algorithm = { name: "Ed25519" };
  if (numbers.seed.length !== ED25519_BYTES) {
    throw new MalformedKeyError("Ed25519 private key");
  }
  const { d = "", x = "" } = await derive(
    encodeEdPkcs8(numbers.seed),
    algorithm,
  );
  const derived = fromBase64Url(x);
  if (!numbers.claimed.every((claim) => equalBytes(claim, derived))) {
    throw foreignPublicKey();
  }
  const publicJwk = { kty: "OKP", crv: "Ed25519", x };
  return privateKeyOf(
    { kty: "OKP", curve: "Ed25519" },
    await importPair(publicJwk, { d }, algorithm),
  );
}

async function importRsa(numbers: RsaNumbers): Promise<PrivateKey> {
  const { kty, n, e, d, p, q, dp, dq, qi } = numbers;
  const bits = n.toString(2).length;
  if (bits > MAX_RSA_BITS) {
    throw new MalformedError(
      `the RSA private key has ${bits} bits, supported are at most ${MAX_RSA_BITS}`,
    );
  }
  if (!belongTogether(numbers)) throw brokenRsa();
  const secret = {
    d: toBase64Url(d),
    p: toBase64Url(p),
    q: toBase64Url(q),
    dp: toBase64Url(dp),
    dq: toBase64Url(dq),
    qi: toBase64Url(qi),
  };
  const publicJwk = { kty, n: toBase64Url(n), e: toBase64Url(e) };
  let pair: CryptoKeyPair;
  try {
    pair = await importPair(publicJwk, secret, RSA_ALGORITHM);
  } catch (cause) {
    throw brokenRsa(cause);
  }
  return privateKeyOf({ kty, bits }, pair);
}

/**
 * RFC 8017 §3.2. Web Crypto checks only some of it (Deno 2.9: neither e nor the
 * last three numbers), and programs that read our output use all of them.
 */
function belongTogether({ n, e, d, p, q, dp, dq, qi }: RsaNumbers): boolean {
  return p > 1n && q > 1n && p * q === n && (qi * q) % p === 1n &&
    dp === d % (p - 1n) && (e * dp) % (p - 1n) === 1n &&
    dq === d % (q - 1n) && (e * dq) % (q - 1n) === 1n;
}

/**
 * The JWK of a PKCS#8 key without public key: Web Crypto derives it then, and
 * gives scalars in fixed length. (The public half of a JWK it does not check.)
 */
async function derive(
  pkcs8: Uint8Array<ArrayBuffer>,
  algorithm: AlgorithmIdentifier & { readonly name: string },
): Promise<JsonWebKey> {
  try {
    const key = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, true, [
      "sign",
    ]);
    return await crypto.subtle.exportKey("jwk", key);
  } catch (cause) {
    throw new MalformedKeyError(`${algorithm.name} private key`, cause);
  }
}

async function importPair(
  publicJwk: JsonWebKey,
  secret: JsonWebKey,
  algorithm: { readonly name: string },
): Promise<CryptoKeyPair> {
  const { subtle } = crypto;
  const privateJwk = { ...publicJwk, ...secret };
  const [privateKey, publicKey] = await Promise.all([
    subtle.importKey("jwk", privateJwk, algorithm, true, ["sign"]),
    subtle.importKey("jwk", publicJwk, algorithm, true, ["verify"]),
  ]);
  return { privateKey, publicKey };
}

/** SEC 1 §2.3.3: 04 X Y, compressed 02 or 03 X, hybrid (X9.62) 06 or 07 X Y. */
function isPoint(
  claim: Uint8Array,
  { x, y }: { readonly x: Uint8Array; readonly y: Uint8Array },
): boolean {
  const odd = (y.at(-1) ?? 0) & 1;
  const forms = [
    Uint8Array.of(4, ...x, ...y),
    Uint8Array.of(2 + odd, ...x),
    Uint8Array.of(6 + odd, ...x, ...y),
  ];
  return forms.some((form) => equalBytes(form, claim));
}

function foreignPublicKey(): MalformedError {
  return new MalformedError(
    "the public key in the file does not belong to its private key",
  );
}

function brokenRsa(cause?: unknown): MalformedError {
  return new MalformedError(
    "the numbers of the RSA private key do not belong together",
    { cause },
  );
}

function fixedLength(scalar: Uint8Array, bytes: number): Uint8Array {
  const excess = Math.max(0, scalar.length - bytes);
  if (scalar.subarray(0, excess).some((byte) => byte !== 0)) {
    throw new MalformedKeyError("EC private key");
  }
  const fixed = new Uint8Array(bytes);
  fixed.set(scalar.subarray(excess), Math.max(0, bytes - scalar.length));
  return fixed;
}

function fromBase64Url(text: string): Uint8Array {
  return Uint8Array.fromBase64(text, { alphabet: "base64url" });
}

function toBase64Url(number: bigint): string {
  const hex = number.toString(16);
  return Uint8Array.fromHex(hex.length % 2 === 0 ? hex : `0${hex}`)
    .toBase64({ alphabet: "base64url", omitPadding: true });
}
