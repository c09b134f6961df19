/**
 * Signatures on certificates, verified by Web Crypto.
 *
 * Only with the hashes of algorithms.ts, which says why there are no others.
 */
import {
  type DerElement,
  DerFields,
  equalBytes,
  readDer,
} from "../asn1/der.ts";
import {
  type AlgorithmIdentifier,
  type PublicKeyInfo,
  readAlgorithm,
  readInteger,
  readObjectIdentifier,
  readPublicKeyInfo,
  readSmallInteger,
} from "../asn1/der_values.ts";
import {
  DER_NULL,
  writeAlgorithm,
  writeOctetBits,
  writeSequence,
} from "../asn1/der_writer.ts";
import {
  CURVES,
  HASHES,
  KEY_OID,
  nameOf,
  RSA_ALGORITHM,
  type SignatureHash,
} from "./algorithms.ts";

/** What was signed, by what, and how. */
export interface SignedBytes {
  readonly data: Uint8Array<ArrayBuffer>;
  readonly signature: Uint8Array<ArrayBuffer>;
  readonly algorithm: AlgorithmIdentifier;
}

/**
 * Whether the key signed the bytes: RSA PKCS#1 v1.5 and PSS, ECDSA on P-256,
 * P-384 and P-521, each with SHA-256, SHA-384 or SHA-512; Ed25519.
 *
 * @param publicKey SubjectPublicKeyInfo DER
 * @returns false as well for any other algorithm, and for one that does not fit
 *   the key
 */
export async function isValidSignature(
  signed: SignedBytes,
  publicKey: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  const check = planFor(signed, publicKey);
  return check !== undefined && await isPassed(check, signed.data);
}

function planFor(
  signed: SignedBytes,
  publicKey: Uint8Array<ArrayBuffer>,
): SignatureCheck | undefined {
  try {
    const info = readPublicKeyInfo(readDer(publicKey));
    return planCheck(signed, { ...info, der: publicKey });
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

async function isPassed(
  check: SignatureCheck,
  data: Uint8Array<ArrayBuffer>,
): Promise<boolean> {
  try {
    const key = await crypto.subtle.importKey(
      "spki",
      check.publicKey,
      check.keyAlgorithm,
      false,
      ["verify"],
    );
    return await crypto.subtle.verify(
      check.algorithm,
      key,
      check.signature,
      data,
    );
  } catch {
    // An unusable key: Deno 2.9 reports a point that is not on the curve as
    // TypeError, others as DOMException. What cannot be verified is not valid.
    return false;
  }
}

/** The same check in the terms of Web Crypto. */
interface SignatureCheck {
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly keyAlgorithm:
    | Algorithm
    | EcKeyImportParams
    | RsaHashedImportParams;
  readonly algorithm: Algorithm | EcdsaParams | RsaPssParams;
  readonly signature: Uint8Array<ArrayBuffer>;
}

interface PublicKey extends PublicKeyInfo {
  readonly der: Uint8Array<ArrayBuffer>;
}

function planCheck(
  signed: SignedBytes,
  key: PublicKey,
): SignatureCheck | undefined {
  const { algorithm: { oid, parameters }, signature } = signed;
  const pkcs1Hash = nameOf(HASHES, { rsa: oid });
  if (pkcs1Hash !== undefined) {
    if (key.algorithm.oid !== KEY_OID.rsa || !isNullOrAbsent(parameters)) {
      return undefined;
    }
    return {
      publicKey: key.der,
      keyAlgorithm: { name: RSA_ALGORITHM.name, hash: pkcs1Hash },
      algorithm: { name: RSA_ALGORITHM.name },
      signature,
    };
  }
  const ecdsaHash = nameOf(HASHES, { ecdsa: oid });
  if (ecdsaHash !== undefined && isNullOrAbsent(parameters)) {
    return planEcdsa(signature, { key, hash: ecdsaHash });
  }
  if (oid === KEY_OID.rsaPss) return planPss(signed, key);
  const isEd25519 = oid === KEY_OID.ed25519 && parameters === undefined &&
    key.algorithm.oid === KEY_OID.ed25519;
  if (!isEd25519) return undefined;
  return {
    publicKey: key.der,
    keyAlgorithm: { name: "Ed25519" },
    algorithm: { name: "Ed25519" },
    signature,
  };
}

function planEcdsa(
  signature: Uint8Array,
  by: { readonly key: PublicKey; readonly hash: SignatureHash },
): SignatureCheck | undefined {
  const { key, hash } = by;
  const { oid, parameters } = key.algorithm;
  if (oid !== KEY_OID.ec || parameters === undefined) return undefined;
  const curve = nameOf(CURVES, {
    oid: readObjectIdentifier(readDer(parameters)),
  });
  if (curve === undefined) return undefined;
  return {
    publicKey: key.der,
    keyAlgorithm: { name: "ECDSA", namedCurve: curve },
    algorithm: { name: "ECDSA", hash },
    signature: toFixedWidth(signature, CURVES[curve].bytes),
  };
}

/** SEQUENCE { r, s } (RFC 3279 §2.2.3) as r and s side by side. */
function toFixedWidth(
  signature: Uint8Array,
  octets: number,
): Uint8Array<ArrayBuffer> {
  const fields = new DerFields(readDer(signature));
  const result = new Uint8Array(2 * octets);
  for (const end of [octets, 2 * octets]) {
    const number = readInteger(fields.take());
    const [first = 0] = number;
    const magnitude = first === 0 ? number.subarray(1) : number;
    if (first >= 0x80 || magnitude.length > octets) throw new SyntaxError();
    result.set(magnitude, end - magnitude.length);
  }
  fields.end();
  return result;
}

function planPss(
  signed: SignedBytes,
  key: PublicKey,
): SignatureCheck | undefined {
  const { algorithm: { parameters }, signature } = signed;
  const pss = parameters && readPssParameters(readDer(parameters));
  if (pss === undefined || !allowsPss(key, pss)) return undefined;
  return {
    publicKey: key.algorithm.oid === KEY_OID.rsa ? key.der : asPlainRsa(key),
    keyAlgorithm: { name: "RSA-PSS", hash: pss.hash },
    algorithm: { name: "RSA-PSS", saltLength: pss.saltLength },
    signature,
  };
}

/** RFC 4055 §3.3: a PSS key may say which hash, and how much salt at least. */
function allowsPss(key: PublicKey, pss: PssParameters): boolean {
  const { oid, parameters } = key.algorithm;
  if (oid === KEY_OID.rsa) return true;
  if (oid !== KEY_OID.rsaPss) return false;
  if (parameters === undefined) return true;
  const wanted = readPssParameters(readDer(parameters));
  return wanted !== undefined && wanted.hash === pss.hash &&
    wanted.saltLength <= pss.saltLength;
}

/** Web Crypto takes RSA keys only under the OID of plain RSA. */
function asPlainRsa(key: PublicKey): Uint8Array<ArrayBuffer> {
  return writeSequence(
    writeAlgorithm(KEY_OID.rsa, DER_NULL),
    writeOctetBits(key.bits),
  );
}

/** What Web Crypto needs to know of a PSS signature. */
export interface PssParameters {
  /** Web Crypto's name, for the message and for MGF1. */
  readonly hash: SignatureHash;
  /** In octets. */
  readonly saltLength: number;
}

/**
 * RSASSA-PSS-params (RFC 4055 §3.1) with one SHA-2 hash for both uses; undefined
 * for the rest, such as the default, which is SHA-1.
 */
export function readPssParameters(
  element: DerElement,
): PssParameters | undefined {
  const fields = new DerFields(element);
  const hash = readHash(fields.takeExplicit(0xa0));
  const mask = fields.takeExplicit(0xa1);
  const salt = fields.takeExplicit(0xa2);
  const trailer = fields.takeExplicit(0xa3);
  fields.end();
  if (hash === undefined || mask === undefined) return undefined;
  const maskFields = new DerFields(mask);
  const maskOid = readObjectIdentifier(maskFields.take());
  const maskHash = readHash(maskFields.take());
  maskFields.end();
  const isUsual = maskOid === MGF1_OID && maskHash === hash &&
    (trailer === undefined || readSmallInteger(trailer) === 1);
  if (!isUsual) return undefined;
  return { hash, saltLength: salt ? readSmallInteger(salt) : 20 };
}

const MGF1_OID = "1.2.840.113549.1.1.8";

function readHash(
  element: DerElement | undefined,
): SignatureHash | undefined {
  if (element === undefined) return undefined;
  const { oid, parameters } = readAlgorithm(element);
  return isNullOrAbsent(parameters) ? nameOf(HASHES, { oid }) : undefined;
}

/** Whether parameters say nothing: RFC 4055 §2.1 allows both ways. */
function isNullOrAbsent(parameters: Uint8Array | undefined): boolean {
  return parameters === undefined ||
    equalBytes(parameters, DER_NULL);
}
