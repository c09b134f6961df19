/**
 * Every curve, hash and key algorithm that the program knows, with all names
 * that they have: the one table, for keys, requests, certificates and tokens.
 */
import type { EcCurve, KeySpec } from "../../base/options.ts";

/** A hash of signatures, by Web Crypto's name. */
export type SignatureHash = "SHA-256" | "SHA-384" | "SHA-512";

export interface HashNames {
  readonly oid: string;
  readonly bytes: number;
  /** ecdsa-with-… (RFC 5758 §3.2). */
  readonly ecdsa: string;
  /** …WithRSAEncryption (RFC 4055 §5). */
  readonly rsa: string;
}

/**
 * SHA-1 and MD5 are not in here on purpose: whoever can make two documents with
 * one hash could put a certificate under another's signature.
 */
export const HASHES: Readonly<Record<SignatureHash, HashNames>> = {
  "SHA-256": {
    oid: "2.16.840.1.101.3.4.2.1",
    bytes: 32,
    ecdsa: "1.2.840.10045.4.3.2",
    rsa: "1.2.840.113549.1.1.11",
  },
  "SHA-384": {
    oid: "2.16.840.1.101.3.4.2.2",
    bytes: 48,
    ecdsa: "1.2.840.10045.4.3.3",
    rsa: "1.2.840.113549.1.1.12",
  },
  "SHA-512": {
    oid: "2.16.840.1.101.3.4.2.3",
    bytes: 64,
    ecdsa: "1.2.840.10045.4.3.4",
    rsa: "1.2.840.113549.1.1.13",
  },
};

export interface CurveNames {
  /** RFC 5480 §2.1.1.1. */
  readonly oid: string;
  /** Of a coordinate, and of a scalar in fixed length (RFC 5915 §3). */
  readonly bytes: number;
  /** The hash of signatures: Go's choice, and that of RFC 7518 §3.4. */
  readonly hash: SignatureHash;
  /** RFC 5656 §10.1. */
  readonly ssh: string;
  /** RFC 7518 §3.4. */
  readonly jose: string;
}

/** By the names of RFC 7518, which Web Crypto has as well. */
export const CURVES: Readonly<Record<EcCurve, CurveNames>> = {
  "P-256": {
    oid: "1.2.840.10045.3.1.7",
    bytes: 32,
    hash: "SHA-256",
    ssh: "nistp256",
    jose: "ES256",
  },
  "P-384": {
    oid: "1.3.132.0.34",
    bytes: 48,
    hash: "SHA-384",
    ssh: "nistp384",
    jose: "ES384",
  },
  "P-521": {
    oid: "1.3.132.0.35",
    bytes: 66,
    hash: "SHA-512",
    ssh: "nistp521",
    jose: "ES512",
  },
};

/** Bytes of an Ed25519 seed and of its public key (RFC 8032 §5.1.5). */
export const ED25519_BYTES = 32;

/** Algorithms of keys; that of Ed25519 is the one of its signatures as well. */
export const KEY_OID = {
  rsa: "1.2.840.113549.1.1.1",
  /** Of signatures, too. */
  rsaPss: "1.2.840.113549.1.1.10",
  ec: "1.2.840.10045.2.1",
  ed25519: "1.3.101.112",
} as const;

/** The algorithm under which Web Crypto keeps RSA keys. */
export const RSA_ALGORITHM = {
  name: "RSASSA-PKCS1-v1_5",
  hash: "SHA-256",
} as const;

/** What Web Crypto has to know to sign with a key that it keeps. */
export function signingParameters(spec: KeySpec): Algorithm | EcdsaParams {
  switch (spec.kty) {
    case "RSA":
      return { name: RSA_ALGORITHM.name };
    case "OKP":
      return { name: spec.curve };
    case "EC":
      return { name: "ECDSA", hash: CURVES[spec.curve].hash };
  }
}

/** The hash inside the HMAC of PBKDF2; the weak ones are only read. */
export type HmacHash = "SHA-1" | "SHA-224" | SignatureHash;

/** How key files name the HMAC with each hash (RFC 8018 §B.1.2). */
export const HMACS: Readonly<Record<HmacHash, { readonly oid: string }>> = {
  "SHA-1": { oid: "1.2.840.113549.2.7" },
  "SHA-224": { oid: "1.2.840.113549.2.8" },
  "SHA-256": { oid: "1.2.840.113549.2.9" },
  "SHA-384": { oid: "1.2.840.113549.2.10" },
  "SHA-512": { oid: "1.2.840.113549.2.11" },
};

/** Curves and algorithms of keys that nobody signs with here, for a refusal. */
export const UNSUPPORTED: ReadonlyMap<string, string> = new Map([
  ["1.3.132.0.33", "EC with P-224"],
  ["1.2.840.10045.3.1.1", "EC with P-192"],
  ["1.3.132.0.10", "EC with secp256k1"],
  ["1.3.36.3.3.2.8.1.1.7", "EC with brainpoolP256r1"],
  ["1.3.36.3.3.2.8.1.1.11", "EC with brainpoolP384r1"],
  ["1.3.36.3.3.2.8.1.1.13", "EC with brainpoolP512r1"],
  ["1.3.101.110", "X25519"],
  ["1.3.101.111", "X448"],
  ["1.3.101.113", "Ed448"],
  ["1.2.840.10040.4.1", "DSA"],
  ["1.2.840.113549.1.3.1", "DH"],
  ["1.2.840.113549.1.1.10", "RSA for PSS only"],
]);

/** The name of the row of a table that has these values. */
export function nameOf<Name extends string, Row extends object>(
  table: Readonly<Record<Name, Row>>,
  values: Partial<Row>,
): Name | undefined {
  for (const name in table) {
    const row: Partial<Row> = table[name];
    const columns = Object.keys(values) as (keyof Row)[];
    if (columns.every((column) => row[column] === values[column])) return name;
  }
  return undefined;
}
