/**
 * Parameters of RSA-PSS signatures (RFC 4055 §3.1).
 */
import {
  DER_TAG,
  type DerElement,
  DerFields,
  equalBytes,
} from "../asn1/der.ts";
import {
  readAlgorithm,
  readObjectIdentifier,
  readSmallInteger,
} from "../asn1/der_values.ts";

/** What Web Crypto needs to know of a PSS signature. */
export interface PssParameters {
  /** Web Crypto's name, for the message and for MGF1. */
  readonly hash: string;
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
  const hash = readHash(unwrap(fields.takeOptional(0xa0)));
  const mask = unwrap(fields.takeOptional(0xa1));
  const salt = unwrap(fields.takeOptional(0xa2));
  const trailer = unwrap(fields.takeOptional(0xa3));
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

function unwrap(tagged: DerElement | undefined): DerElement | undefined {
  if (tagged === undefined) return undefined;
  const fields = new DerFields(tagged, tagged.tag);
  const element = fields.take();
  fields.end();
  return element;
}

function readHash(element: DerElement | undefined): string | undefined {
  if (element === undefined) return undefined;
  const { oid, parameters } = readAlgorithm(element);
  return isNullOrAbsent(parameters) ? HASH_OID.get(oid) : undefined;
}

const HASH_OID: ReadonlyMap<string, string> = new Map([
  ["2.16.840.1.101.3.4.2.1", "SHA-256"],
  ["2.16.840.1.101.3.4.2.2", "SHA-384"],
  ["2.16.840.1.101.3.4.2.3", "SHA-512"],
]);

/** Whether parameters say nothing: RFC 4055 §2.1 allows both ways. */
export function isNullOrAbsent(parameters: Uint8Array | undefined): boolean {
  return parameters === undefined ||
    equalBytes(parameters, Uint8Array.of(DER_TAG.null, 0));
}
