/**
 * The ASN.1 forms of private keys: SEC 1 (RFC 5915), PKCS#1 (RFC 8017) and
 * PKCS#8 (RFC 5958), read into numbers and written from them.
 *
 * Must not trust what it reads: shapes are checked here, and whether the
 * numbers belong together is for `key_import.ts` to prove.
 */
import type { EcCurve } from "../../base/options.ts";
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
  readObjectIdentifier,
  readOctetBits,
  readSmallInteger,
} from "../asn1/der_values.ts";
import { MalformedError } from "../asn1/malformed.ts";
import {
  writeAlgorithm,
  writeDer,
  writeObjectIdentifier,
  writeOctetBits,
  writeOctetString,
  writeSequence,
  writeSmallInteger,
} from "../asn1/der_writer.ts";
import { CURVES, KEY_OID, nameOf, UNSUPPORTED } from "./algorithms.ts";
import {
  type EcNumbers,
  explainKey,
  type KeyNumbers,
  type RsaNumbers,
  shownOid,
  toBigInt,
  unsupportedKey,
} from "./key_numbers.ts";

const EC = "EC private key";
const PKCS8 = "PKCS#8 private key";

/** RFC 5915 §3: ecPrivkeyVer1. */
const SEC1_VERSION = writeSmallInteger(1);

/** RFC 5208 §5: v1, which has no public key. */
const PKCS8_VERSION = writeSmallInteger(0);

/**
 * Reads the content of `EC PRIVATE KEY` (RFC 5915 §3).
 *
 * @throws {MalformedKeyError} when it is not one
 * @throws {MalformedError} for a curve that is not supported
 */
export function decodeSec1(der: Uint8Array): EcNumbers {
  return readEc(der, { curve: undefined, claimed: [] });
}

/**
 * Reads the content of `RSA PRIVATE KEY` (RFC 8017 §A.1.2).
 *
 * @throws {MalformedKeyError} when it is not one
 * @throws {MalformedError} for a key of more than two primes
 */
export function decodePkcs1(der: Uint8Array): RsaNumbers {
  return explainKey("RSA private key", () => {
    const fields = new DerFields(readDer(der));
    const version = readSmallInteger(fields.take());
    const next = () => readPositive(fields.take());
    const numbers: RsaNumbers = {
      kty: "RSA",
      n: next(),
      e: next(),
      d: next(),
      p: next(),
      q: next(),
      dp: next(),
      dq: next(),
      qi: next(),
    };
    if (version === 1) throw unsupportedKey("RSA with more than two primes");
    if (version !== 0) throw new SyntaxError();
    fields.end();
    return numbers;
  });
}

/**
 * Reads the content of `PRIVATE KEY` (RFC 5208, and RFC 5958 with public key).
 *
 * @throws {MalformedKeyError} when it is not one
 * @throws {MalformedError} for a type or curve that is not supported
 */
export function decodePkcs8(der: Uint8Array): KeyNumbers {
  const { algorithm, content, claimed } = readPkcs8(der);
  switch (algorithm.oid) {
    case KEY_OID.ec:
      return readEc(content, { curve: outerCurve(algorithm), claimed });
    case KEY_OID.rsa:
      return decodePkcs1(content);
    case KEY_OID.ed25519: {
      // RFC 8410 §7: an octet string inside the octet string.
      const seed = explainKey(
        PKCS8,
        () => requireTag(readDer(content), DER_TAG.octetString).content,
      );
      return { kty: "OKP", seed, claimed };
    }
    default:
      throw unsupportedKey(
        UNSUPPORTED.get(algorithm.oid) ??
          `algorithm ${shownOid(algorithm.oid)}`,
      );
  }
}

/**
 * The content of `EC PRIVATE KEY` as OpenSSL and Go write it: the scalar in
 * fixed length, the curve by its name, and the public point.
 *
 * @param pkcs8 with public point, as Web Crypto exports it
 */
export function encodeSec1(
  pkcs8: Uint8Array,
  curve: EcCurve,
): Uint8Array<ArrayBuffer> {
  const surroundings = { curve, claimed: [] };
  const { scalar, claimed } = readEc(unwrapPkcs8(pkcs8), surroundings);
  const [point = new Uint8Array()] = claimed;
  return writeSequence(
    SEC1_VERSION,
    writeOctetString(scalar),
    writeDer(0xa0, writeObjectIdentifier(CURVES[curve].oid)),
    writeDer(0xa1, writeOctetBits(point)),
  );
}

/** PKCS#8 with the scalar and no public point. */
export function encodeEcPkcs8(
  curve: EcCurve,
  scalar: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return encodePkcs8(
    writeAlgorithm(KEY_OID.ec, writeObjectIdentifier(CURVES[curve].oid)),
    writeSequence(SEC1_VERSION, writeOctetString(scalar)),
  );
}

/** PKCS#8 version 1 without public key (RFC 8410 §7). */
export function encodeEdPkcs8(seed: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodePkcs8(writeAlgorithm(KEY_OID.ed25519), writeOctetString(seed));
}

/** The content of `RSA PRIVATE KEY`, out of the PKCS#8 around it. */
export function unwrapPkcs8(pkcs8: Uint8Array): Uint8Array<ArrayBuffer> {
  return readPkcs8(pkcs8).content;
}

function encodePkcs8(
  algorithm: Uint8Array,
  content: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return writeSequence(PKCS8_VERSION, algorithm, writeOctetString(content));
}

/** OneAsymmetricKey (RFC 5958 §2). */
interface Pkcs8Content {
  readonly algorithm: AlgorithmIdentifier;
  readonly content: Uint8Array<ArrayBuffer>;
  /** The public key, where the file names it. */
  readonly claimed: readonly Uint8Array[];
}

function readPkcs8(der: Uint8Array): Pkcs8Content {
  return explainKey(PKCS8, () => {
    const fields = new DerFields(readDer(der));
    if (readSmallInteger(fields.take()) > 1) throw new SyntaxError();
    const algorithm = readAlgorithm(fields.take());
    const content = fields.take(DER_TAG.octetString).content.slice();
    fields.takeOptional(0xa0); // attributes
    const publicKey = fields.takeOptional(0x81);
    fields.end();
    const claimed = publicKey === undefined
      ? []
      : [readOctetBits({ ...publicKey, tag: DER_TAG.bitString })];
    return { algorithm, content, claimed };
  });
}

/** What is known about an EC key before its SEC 1 part is read. */
interface EcSurroundings {
  readonly curve: EcCurve | undefined;
  readonly claimed: readonly Uint8Array[];
}

function readEc(der: Uint8Array, outer: EcSurroundings): EcNumbers {
  return explainKey(EC, () => {
    const fields = new DerFields(readDer(der));
    if (readSmallInteger(fields.take()) !== 1) throw new SyntaxError();
    const scalar = fields.take(DER_TAG.octetString).content;
    const parameters = fields.takeExplicit(0xa0);
    const point = fields.takeExplicit(0xa1);
    fields.end();
    const inner = parameters && namedCurve(parameters);
    const curve = outer.curve ?? inner;
    if (curve === undefined) {
      throw new MalformedError("the EC private key does not name its curve");
    }
    if (inner !== undefined && inner !== curve) throw new SyntaxError();
    const claimed = point === undefined
      ? outer.claimed
      : [...outer.claimed, readOctetBits(point)];
    return { kty: "EC", curve, scalar, claimed };
  });
}

function outerCurve({ parameters }: AlgorithmIdentifier): EcCurve {
  return explainKey(EC, () => {
    if (parameters === undefined) throw new SyntaxError();
    return namedCurve(readDer(parameters));
  });
}

function namedCurve(parameters: DerElement): EcCurve {
  if (parameters.tag === DER_TAG.sequence) {
    throw new MalformedError(
      "unsupported private key: found EC with explicit curve parameters, supported are curves that are named",
      {
        hint:
          "convert the key: openssl pkey -ec_param_enc named_curve -in <old-file> -out <new-file>",
      },
    );
  }
  const oid = readObjectIdentifier(parameters);
  const curve = nameOf(CURVES, { oid });
  if (curve !== undefined) return curve;
  throw unsupportedKey(
    UNSUPPORTED.get(oid) ?? `EC with curve ${shownOid(oid)}`,
  );
}

/** No number of a key is negative (X.690 §8.3.3: the top bit is the sign). */
function readPositive(element: DerElement): bigint {
  const octets = readInteger(element);
  if ((octets[0] ?? 0) >= 0x80) throw new SyntaxError();
  return toBigInt(octets);
}
