/**
 * Private keys that openssl makes and judges.
 *
 * Keys are made once and kept as text: an RSA key takes openssl a fifth of a
 * second.
 */
import type { KeySpec } from "../../../src/base/options.ts";
import {
  loadPrivateKey,
  type PrivateKey,
} from "../../../src/pki/keys/private_key.ts";
import { run, runOk } from "../../support/run.ts";

/** The types that step-rekey supports, as `openssl genpkey` options. */
export const KEY_TYPES = {
  "P-256": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"],
  "P-384": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"],
  "P-521": ["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-521"],
  "Ed25519": ["-algorithm", "ED25519"],
  "RSA": ["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"],
} as const;

/** A key of {@linkcode KEY_TYPES}. */
export type KeyType = keyof typeof KEY_TYPES;

/** All of them. */
export const KEY_TYPE_NAMES = Object.keys(KEY_TYPES) as KeyType[];

const made = new Map<KeyType, Promise<string>>();

/** A PKCS#8 key of the type, the same one at each call. */
export function keyOf(type: KeyType): Promise<string> {
  const known = made.get(type);
  if (known !== undefined) return known;
  const key = generate(...KEY_TYPES[type]);
  made.set(type, key);
  return key;
}

/** A new PKCS#8 key by `openssl genpkey`. */
export async function generate(...options: string[]): Promise<string> {
  return (await runOk("openssl", ["genpkey", ...options])).stdout;
}

/** What `openssl <args>` prints when it reads the text. */
export async function openssl(
  args: readonly string[],
  stdin: string | Uint8Array,
): Promise<string> {
  return (await runOk("openssl", args, { stdin })).stdout;
}

/** SubjectPublicKeyInfo by openssl, as hexadecimal. */
export async function publicKeyOf(pem: string): Promise<string> {
  const text = await openssl(["pkey", "-pubout"], pem);
  const base64 = text.split("\n").slice(1, -2).join("");
  return Uint8Array.fromBase64(base64).toHex();
}

/** The content of the only block of a PEM text. */
export function derOf(pem: string): Uint8Array<ArrayBuffer> {
  const lines = pem.trimEnd().split("\n");
  return Uint8Array.fromBase64(lines.slice(1, -1).join(""));
}

/** Loads a key that must not be encrypted. */
export async function loadPlain(text: string): Promise<PrivateKey> {
  const loaded = await loadPrivateKey(encode(text), noPassword);
  if (loaded.protection !== undefined || loaded.password !== undefined) {
    throw new Error("the key was encrypted");
  }
  return loaded.key;
}

/** For keys that are not encrypted: being asked is a failure. */
export function noPassword(): Promise<string> {
  throw new Error("asked for a password");
}

/** UTF-8. */
export function encode(text: string): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(text);
}

/** A DER element, to put together what openssl would not write. */
export function element(
  tag: number,
  ...parts: readonly (Uint8Array | readonly number[])[]
): Uint8Array<ArrayBuffer> {
  const content = Uint8Array.from(parts.flatMap((part) => [...part]));
  const { length } = content;
  const size = length < 0x80
    ? [length]
    : length < 0x100
    ? [0x81, length]
    : [0x82, length >> 8, length & 0xff];
  return Uint8Array.of(tag, ...size, ...content);
}

/** What openssl makes for each type. */
export const SPECS: Readonly<Record<KeyType, KeySpec>> = {
  "P-256": { kty: "EC", curve: "P-256" },
  "P-384": { kty: "EC", curve: "P-384" },
  "P-521": { kty: "EC", curve: "P-521" },
  "Ed25519": { kty: "OKP", curve: "Ed25519" },
  "RSA": { kty: "RSA", bits: 2048 },
};

/** SEC 1 or PKCS#1; types that have no such form stay PKCS#8. */
export async function traditional(pkcs8: string): Promise<string> {
  const { code, stdout } = await run("openssl", ["pkey", "-traditional"], {
    stdin: pkcs8,
  });
  return code === 0 ? stdout : await openssl(["pkey"], pkcs8);
}

/** Proves with our own signature that the two halves belong together. */
export async function signsFor(
  publicKey: Uint8Array,
  pem: string,
): Promise<boolean> {
  const { signingKey } = await loadPlain(pem);
  const { name } = signingKey.algorithm;
  const algorithm = { ...signingKey.algorithm, name };
  const operation = name === "ECDSA" ? { name, hash: "SHA-256" } : name;
  const message = encode("message");
  const spki = publicKey.slice();
  const verifier = await crypto.subtle.importKey(
    "spki",
    spki,
    algorithm,
    true,
    [
      "verify",
    ],
  );
  const signature = await crypto.subtle.sign(operation, signingKey, message);
  return crypto.subtle.verify(operation, verifier, signature, message);
}

/** Bits of the order of a curve. */
export function scalarBits(type: "P-256" | "P-384" | "P-521"): number {
  return Number(type.slice(2));
}

/** SEC 1 without public key. */
export function sec1(
  type: "P-256" | "P-384" | "P-521",
  scalar: Uint8Array,
): Uint8Array {
  const oids = {
    "P-256": "06082a8648ce3d030107",
    "P-384": "06052b81040022",
    "P-521": "06052b81040023",
  };
  const curve = element(0xa0, Uint8Array.fromHex(oids[type]));
  return element(0x30, [2, 1, 1], element(0x04, scalar), curve);
}
