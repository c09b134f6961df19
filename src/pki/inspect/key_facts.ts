/**
 * What people are shown of keys and signatures, under the names that Go has for
 * them: those are what clients of the original read.
 */
import { DerFields, readDer } from "../asn1/der.ts";
import {
  type AlgorithmIdentifier,
  readInteger,
  readObjectIdentifier,
  readPublicKeyInfo,
} from "../asn1/der_values.ts";
import { explainMalformed } from "../asn1/malformed.ts";
import {
  CURVES,
  HASHES,
  KEY_OID,
  nameOf,
  UNSUPPORTED,
} from "../keys/algorithms.ts";
import { toBigInt } from "../keys/key_numbers.ts";
import { readPssParameters } from "../keys/signature.ts";

/** Parts of a public key. Numbers are big endian, without leading zeros. */
export type KeyFacts =
  | {
    readonly algorithm: "RSA";
    readonly modulus: Uint8Array;
    readonly exponent: bigint;
  }
  | {
    readonly algorithm: "ECDSA";
    readonly curve: string;
    readonly bits: number;
    /** Uncompressed, as encoded. */
    readonly point: Uint8Array;
    readonly x: Uint8Array;
    readonly y: Uint8Array;
  }
  | { readonly algorithm: "Ed25519"; readonly octets: Uint8Array }
  | { readonly algorithm: "other"; readonly name: string };

/** The curve that Go knows and no key of ours is on. */
const P224 = { name: "P-224", oid: "1.3.132.0.33" };

/**
 * @param publicKey SubjectPublicKeyInfo DER
 * @throws {MalformedError}
 */
export function keyFacts(publicKey: Uint8Array): KeyFacts {
  return explainMalformed(() => {
    const { algorithm: { oid, parameters }, bits: octets } = readPublicKeyInfo(
      readDer(publicKey),
    );
    switch (oid) {
      case KEY_OID.rsa: {
        const fields = new DerFields(readDer(octets));
        const modulus = magnitude(readInteger(fields.take()));
        const exponent = toBigInt(readInteger(fields.take()));
        return { algorithm: "RSA", modulus, exponent };
      }
      case KEY_OID.ec:
        return ecFacts(
          readObjectIdentifier(readDer(parameters ?? EMPTY)),
          octets,
        );
      case KEY_OID.ed25519:
        return { algorithm: "Ed25519", octets };
      default:
        return { algorithm: "other", name: UNSUPPORTED.get(oid) ?? oid };
    }
  });
}

const EMPTY = new Uint8Array();

function ecFacts(curveOid: string, point: Uint8Array): KeyFacts {
  const known = nameOf(CURVES, { oid: curveOid });
  const curve = known ?? (curveOid === P224.oid ? P224.name : undefined);
  if (curve === undefined) {
    return {
      algorithm: "other",
      name: UNSUPPORTED.get(curveOid) ?? `EC with ${curveOid}`,
    };
  }
  const half = (point.length - 1) / 2;
  // RFC 5480 §2.2: the compressed form is in no use.
  if (point[0] !== 4 || !Number.isInteger(half)) throw new SyntaxError();
  return {
    algorithm: "ECDSA",
    curve,
    bits: Number(curve.slice(2)),
    point,
    x: magnitude(point.subarray(1, 1 + half)),
    y: magnitude(point.subarray(1 + half)),
  };
}

/** Of a public key in JSON; more members depend on its algorithm. */
export interface KeyJson {
  readonly key_algorithm: { readonly name: string };
  readonly rsa_public_key?: Readonly<Record<string, string | number>>;
  readonly ecdsa_public_key?: Readonly<Record<string, string | number>>;
}

function magnitude(octets: Uint8Array): Uint8Array {
  const start = octets.findIndex((octet) => octet !== 0);
  return start < 0 ? EMPTY : octets.subarray(start);
}

/** Weak ones, which nobody here verifies. */
const OLD_SIGNATURES: ReadonlyMap<string, string> = new Map([
  ["1.2.840.113549.1.1.4", "MD5-RSA"],
  ["1.2.840.113549.1.1.5", "SHA1-RSA"],
  ["1.2.840.10045.4.1", "ECDSA-SHA1"],
]);

/** Of algorithms that Go has no name for: the object identifier. */
export function signatureName(
  { oid, parameters }: AlgorithmIdentifier,
): string {
  const rsa = nameOf(HASHES, { rsa: oid });
  if (rsa !== undefined) return `${goHash(rsa)}-RSA`;
  const ecdsa = nameOf(HASHES, { ecdsa: oid });
  if (ecdsa !== undefined) return `ECDSA-${goHash(ecdsa)}`;
  if (oid === KEY_OID.ed25519) return "Ed25519";
  const pss = oid === KEY_OID.rsaPss && parameters !== undefined
    ? explainMalformed(() => readPssParameters(readDer(parameters)))
    : undefined;
  if (pss !== undefined) return `${goHash(pss.hash)}-RSAPSS`;
  return OLD_SIGNATURES.get(oid) ?? oid;
}

function goHash(hash: string): string {
  return hash.replace("-", "");
}

/** The members of a public key, as the original names them. */
export function keyJson(publicKey: Uint8Array): KeyJson {
  const key = keyFacts(publicKey);
  switch (key.algorithm) {
    case "RSA":
      return {
        key_algorithm: { name: "RSA" },
        rsa_public_key: {
          // Nobody's is larger than a number of JavaScript.
          exponent: Number(key.exponent),
          modulus: key.modulus.toBase64(),
          length: key.modulus.length * 8,
        },
      };
    case "ECDSA":
      return {
        key_algorithm: { name: "ECDSA" },
        ecdsa_public_key: {
          curve: key.curve,
          length: key.bits,
          pub: key.point.toBase64(),
          x: key.x.toBase64(),
          y: key.y.toBase64(),
        },
      };
    case "Ed25519":
      return { key_algorithm: { name: "Ed25519" } };
    case "other":
      return { key_algorithm: { name: key.name } };
  }
}
