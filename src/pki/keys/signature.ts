/**
 * Signatures on certificates, verified by Web Crypto. Only with the hashes of
 * algorithms.ts, which says why there are no others.
 */
import { equalBytes } from "../../base/bytes.ts";
import { type DerElement, DerFields, readDer } from "../asn1/der.ts";
import {
  type AlgorithmIdentifier,
  readAlgorithm,
  readInteger,
  readObjectIdentifier,
  readPublicKeyInfo,
  readSmallInteger,
} from "../asn1/der_values.ts";
import { DER_NULL } from "../asn1/der_writer.ts";
import {
  CURVES,
  HASHES,
  KEY_OID,
  nameOf,
  RSA_ALGORITHM,
  type SignatureHash,
} from "./algorithms.ts";

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
  const check = planCheck(signed, publicKey);
  if (check === undefined) return false;
  const { keyAlgorithm, algorithm, signature } = check;
  try {
    const { subtle } = crypto;
    const key = await subtle.importKey("spki", publicKey, keyAlgorithm, false, [
      "verify",
    ]);
    return await subtle.verify(algorithm, key, signature, signed.data);
  } catch {
    // An unusable key: Deno 2.9 reports a point that is not on the curve as
    // TypeError, others as DOMException. What cannot be verified is not valid.
    return false;
  }
}

interface SignatureCheck {
  readonly keyAlgorithm: Algorithm | EcKeyImportParams | RsaHashedImportParams;
  readonly algorithm: Algorithm | EcdsaParams | RsaPssParams;
  readonly signature: Uint8Array<ArrayBuffer>;
}

function planCheck(
  signed: SignedBytes,
  publicKey: Uint8Array,
): SignatureCheck | undefined {
  try {
    const key = readPublicKeyInfo(readDer(publicKey)).algorithm;
    switch (key.oid) {
      case KEY_OID.rsa:
        return planRsa(signed);
      case KEY_OID.ec:
        return planEcdsa(signed, key);
      case KEY_OID.ed25519:
        return planEd25519(signed);
      default:
        // A key under the OID of PSS as well: Go, and so step-ca, has none.
        return undefined;
    }
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function planRsa(
  { algorithm: { oid, parameters }, signature }: SignedBytes,
): SignatureCheck | undefined {
  if (oid === KEY_OID.rsaPss) {
    const pss = parameters && readPssParameters(readDer(parameters));
    if (pss === undefined) return undefined;
    const { hash, saltLength } = pss;
    const name = "RSA-PSS";
    return {
      keyAlgorithm: { name, hash },
      algorithm: { name, saltLength },
      signature,
    };
  }
  const hash = nameOf(HASHES, { rsa: oid });
  if (hash === undefined || !isNullOrAbsent(parameters)) return undefined;
  const { name } = RSA_ALGORITHM;
  return { keyAlgorithm: { name, hash }, algorithm: { name }, signature };
}

function planEcdsa(
  { algorithm, signature }: SignedBytes,
  key: AlgorithmIdentifier,
): SignatureCheck | undefined {
  const hash = nameOf(HASHES, { ecdsa: algorithm.oid });
  const curve = key.parameters &&
    nameOf(CURVES, { oid: readObjectIdentifier(readDer(key.parameters)) });
  if (
    hash === undefined || curve === undefined ||
    !isNullOrAbsent(algorithm.parameters)
  ) {
    return undefined;
  }
  return {
    keyAlgorithm: { name: "ECDSA", namedCurve: curve },
    algorithm: { name: "ECDSA", hash },
    signature: toFixedWidth(signature, CURVES[curve].bytes),
  };
}

function planEd25519(
  { algorithm: { oid, parameters }, signature }: SignedBytes,
): SignatureCheck | undefined {
  if (oid !== KEY_OID.ed25519 || parameters !== undefined) return undefined;
  const algorithm = { name: "Ed25519" };
  return { keyAlgorithm: algorithm, algorithm, signature };
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

export const MGF1_OID = "1.2.840.113549.1.1.8";

function readHash(
  element: DerElement | undefined,
): SignatureHash | undefined {
  if (element === undefined) return undefined;
  const { oid, parameters } = readAlgorithm(element);
  return isNullOrAbsent(parameters) ? nameOf(HASHES, { oid }) : undefined;
}

/** Whether parameters say nothing: RFC 4055 §2.1 allows both ways. */
function isNullOrAbsent(parameters: Uint8Array | undefined): boolean {
  return parameters === undefined || equalBytes(parameters, DER_NULL);
}
