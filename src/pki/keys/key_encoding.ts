/**
 * The ASN.1 forms of private keys: SEC 1 (RFC 5915), PKCS#1 (RFC 8017) and
 * PKCS#8 (RFC 5958), read into numbers and written from them.
 *
 * Must not trust what it reads: shapes are checked here, and whether the
 * numbers belong together is for `key_import.ts` to prove.
 */
import type { EcCurve } from "../../base/options.ts";
import { MalformedError } from "../asn1/malformed.ts";
import { CURVES, KEY_OID, nameOf, UNSUPPORTED } from "./algorithms.ts";
import {
  type KeyNumbers,
  MalformedKeyError,
  type RsaNumbers,
  shownOid,
  toBigInt,
  unsupportedKey,
} from "./key_numbers.ts";
import { OneAsymmetricKey, parseAsn, serializeAsn } from "./key_schemas.ts";
import { asn1Ecc, asn1Rsa, asn1Schema, asn1X509 } from "../asn1/x509.ts";

const { OctetString } = asn1Schema;
const { AlgorithmIdentifier } = asn1X509;

/**
 * Reads the content of `EC PRIVATE KEY` (RFC 5915 §3).
 *
 * @throws {MalformedKeyError} when it is not one
 * @throws {MalformedError} for a curve that is not supported
 */
export function decodeSec1(der: Uint8Array): KeyNumbers {
  return readEc(der, { curve: undefined, claimed: [] });
}

/**
 * Reads the content of `RSA PRIVATE KEY` (RFC 8017 §A.1.2).
 *
 * @throws {MalformedKeyError} when it is not one
 * @throws {MalformedError} for a key of more than two primes
 */
export function decodePkcs1(der: Uint8Array): RsaNumbers {
  const what = "RSA private key";
  const key = parseAsn(der, { schema: asn1Rsa.RSAPrivateKey, what });
  if (key.version === 1 || key.otherPrimeInfos !== undefined) {
    throw unsupportedKey("RSA with more than two primes");
  }
  if (key.version !== 0) throw new MalformedKeyError(what);
  return {
    kty: "RSA",
    n: positive(key.modulus),
    e: positive(key.publicExponent),
    d: positive(key.privateExponent),
    p: positive(key.prime1),
    q: positive(key.prime2),
    dp: positive(key.exponent1),
    dq: positive(key.exponent2),
    qi: positive(key.coefficient),
  };
}

/**
 * Reads the content of `PRIVATE KEY` (RFC 5208, and RFC 5958 with public key).
 *
 * @throws {MalformedKeyError} when it is not one
 * @throws {MalformedError} for a type or curve that is not supported
 */
export function decodePkcs8(der: Uint8Array): KeyNumbers {
  const what = "PKCS#8 private key";
  const info = parseAsn(der, { schema: OneAsymmetricKey, what });
  if (info.version !== 0 && info.version !== 1) {
    throw new MalformedKeyError(what);
  }
  const content = new Uint8Array(info.privateKey.buffer);
  const claimed = info.publicKey ? [new Uint8Array(info.publicKey)] : [];
  const { algorithm, parameters } = info.privateKeyAlgorithm;
  switch (algorithm) {
    case KEY_OID.ec:
      return readEc(content, { curve: outerCurve(parameters), claimed });
    case KEY_OID.rsa:
      return decodePkcs1(content);
    case KEY_OID.ed25519:
      // RFC 8410 §7: an octet string inside the octet string.
      return {
        kty: "OKP",
        seed: new Uint8Array(
          parseAsn(content, { schema: OctetString, what }).buffer,
        ),
        claimed,
      };
    default:
      throw unsupportedKey(
        UNSUPPORTED.get(algorithm) ?? `algorithm ${shownOid(algorithm)}`,
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
  const key = parseAsn(unwrapPkcs8(pkcs8), {
    schema: asn1Ecc.ECPrivateKey,
    what: "EC private key",
  });
  key.parameters = new asn1Ecc.ECParameters({ namedCurve: CURVES[curve].oid });
  return serializeAsn(key);
}

/** PKCS#8 with the scalar and no public point. */
export function encodeEcPkcs8(
  curve: EcCurve,
  scalar: Uint8Array,
): Uint8Array<ArrayBuffer> {
  const inner = new asn1Ecc.ECPrivateKey({
    version: 1,
    privateKey: new OctetString(scalar),
  });
  const parameters = serializeAsn(
    new asn1Ecc.ECParameters({ namedCurve: CURVES[curve].oid }),
  ).buffer;
  return encodePkcs8(
    new AlgorithmIdentifier({ algorithm: KEY_OID.ec, parameters }),
    inner,
  );
}

/** PKCS#8 version 1 without public key (RFC 8410 §7). */
export function encodeEdPkcs8(seed: Uint8Array): Uint8Array<ArrayBuffer> {
  return encodePkcs8(
    new AlgorithmIdentifier({ algorithm: KEY_OID.ed25519 }),
    new OctetString(seed),
  );
}

/** The content of `RSA PRIVATE KEY`, out of the PKCS#8 around it. */
export function unwrapPkcs8(pkcs8: Uint8Array): Uint8Array<ArrayBuffer> {
  const what = "PKCS#8 private key";
  const info = parseAsn(pkcs8, { schema: OneAsymmetricKey, what });
  return new Uint8Array(info.privateKey.buffer);
}

function encodePkcs8(
  algorithm: InstanceType<typeof AlgorithmIdentifier>,
  content: object,
): Uint8Array<ArrayBuffer> {
  const info = new OneAsymmetricKey();
  info.privateKeyAlgorithm = algorithm;
  info.privateKey = new OctetString(serializeAsn(content));
  return serializeAsn(info);
}

/** What is known about an EC key before its SEC 1 part is read. */
interface EcSurroundings {
  readonly curve: EcCurve | undefined;
  readonly claimed: readonly Uint8Array[];
}

function readEc(der: Uint8Array, outer: EcSurroundings): KeyNumbers {
  const what = "EC private key";
  const key = parseAsn(der, { schema: asn1Ecc.ECPrivateKey, what });
  if (key.version !== 1) throw new MalformedKeyError(what);
  const inner = key.parameters && namedCurve(key.parameters);
  const curve = outer.curve ?? inner;
  if (curve === undefined) {
    throw new MalformedError("the EC private key does not name its curve");
  }
  if (inner !== undefined && inner !== curve) throw new MalformedKeyError(what);
  const scalar = new Uint8Array(key.privateKey.buffer);
  const claimed = key.publicKey === undefined
    ? outer.claimed
    : [...outer.claimed, new Uint8Array(key.publicKey)];
  return { kty: "EC", curve, scalar, claimed };
}

function outerCurve(parameters: ArrayBuffer | null | undefined): EcCurve {
  const what = "EC private key";
  if (!parameters) throw new MalformedKeyError(what);
  return namedCurve(
    parseAsn(parameters, { schema: asn1Ecc.ECParameters, what }),
  );
}

function namedCurve(
  parameters: InstanceType<typeof asn1Ecc.ECParameters>,
): EcCurve {
  const oid = parameters.namedCurve;
  if (oid === undefined) {
    throw new MalformedError(
      "unsupported private key: found EC with explicit curve parameters, supported are curves that are named",
      {
        hint:
          "convert the key: openssl pkey -ec_param_enc named_curve -in <old-file> -out <new-file>",
      },
    );
  }
  const curve = nameOf(CURVES, { oid });
  if (curve !== undefined) return curve;
  throw unsupportedKey(
    UNSUPPORTED.get(oid) ?? `EC with curve ${shownOid(oid)}`,
  );
}

function positive(integer: ArrayBuffer): bigint {
  const bytes = new Uint8Array(integer);
  // The top bit is the sign (X.690 §8.3.3); no number of a key is negative.
  if (((bytes[0] ?? 0) & 0x80) !== 0) {
    throw new MalformedKeyError("RSA private key");
  }
  return toBigInt(bytes);
}
