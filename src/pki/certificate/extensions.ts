/**
 * What the extensions of a certificate say (RFC 5280 §4.2.1).
 *
 * Each reader gives undefined when the extension is absent, and throws
 * {@linkcode MalformedError} when it is malformed.
 */
import { explainMalformed } from "../asn1/malformed.ts";
import {
  type Certificate,
  type CertificateExtension,
  EXTENSION_OID,
} from "./certificate.ts";
import {
  DER_TAG,
  type DerElement,
  DerFields,
  readLeadingDer,
  requireTag,
} from "../asn1/der.ts";
import {
  readBoolean,
  readObjectIdentifier,
  readSmallInteger,
} from "../asn1/der_values.ts";

/** What has extensions: a certificate or a request for one. */
export type Extended = Pick<Certificate, "extensions">;

export function findExtension(
  certificate: Extended,
  oid: string,
): CertificateExtension | undefined {
  return certificate.extensions.find((extension) => extension.oid === oid);
}

/** Whether it is a CA's certificate, and how many CAs may follow below it. */
export interface BasicConstraints {
  readonly isCa: boolean;
  readonly pathLength: number | undefined;
}

/** Reads basicConstraints (RFC 5280 §4.2.1.9). */
export function basicConstraints(
  certificate: Extended,
): BasicConstraints | undefined {
  return read(certificate, EXTENSION_OID.basicConstraints, (element) => {
    const fields = new DerFields(element);
    const flag = fields.takeOptional(DER_TAG.boolean);
    const length = fields.takeOptional(DER_TAG.integer);
    fields.end();
    return {
      isCa: flag !== undefined && readBoolean(flag),
      pathLength: length && readSmallInteger(length),
    };
  });
}

/** Bit names of RFC 5280 §4.2.1.3, in order. */
const KEY_USAGES = [
  "digitalSignature",
  "contentCommitment",
  "keyEncipherment",
  "dataEncipherment",
  "keyAgreement",
  "keyCertSign",
  "cRLSign",
  "encipherOnly",
  "decipherOnly",
] as const;

export type KeyUsage = (typeof KEY_USAGES)[number];

/** Reads keyUsage (RFC 5280 §4.2.1.3), in the order of the bits. */
export function keyUsage(
  certificate: Extended,
): readonly KeyUsage[] | undefined {
  return read(certificate, EXTENSION_OID.keyUsage, (element) => {
    const [unused = 8, ...octets] =
      requireTag(element, DER_TAG.bitString).content;
    if (unused > 7) throw new SyntaxError();
    return KEY_USAGES.filter((_, bit) =>
      ((octets[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0
    );
  });
}

/** Reads extendedKeyUsage as OIDs (RFC 5280 §4.2.1.12). */
export function extendedKeyUsage(
  certificate: Extended,
): readonly string[] | undefined {
  return read(certificate, EXTENSION_OID.extendedKeyUsage, (element) => {
    const fields = new DerFields(element);
    const oids = [];
    while (!fields.isAtEnd) oids.push(readObjectIdentifier(fields.take()));
    return oids;
  });
}

/** Reads subjectKeyIdentifier (RFC 5280 §4.2.1.2). */
export function subjectKeyIdentifier(
  certificate: Extended,
): Uint8Array<ArrayBuffer> | undefined {
  return read(
    certificate,
    EXTENSION_OID.subjectKeyIdentifier,
    (element) => requireTag(element, DER_TAG.octetString).content,
  );
}

/** Reads the keyIdentifier of authorityKeyIdentifier (RFC 5280 §4.2.1.1). */
export function authorityKeyIdentifier(
  certificate: Extended,
): Uint8Array<ArrayBuffer> | undefined {
  return read(
    certificate,
    EXTENSION_OID.authorityKeyIdentifier,
    (element) => new DerFields(element).takeOptional(0x80)?.content,
  );
}

function read<T>(
  certificate: Extended,
  oid: string,
  reader: (element: DerElement) => T,
): T | undefined {
  const extension = findExtension(certificate, oid);
  if (extension === undefined) return undefined;
  // Go, and with it step-ca, ignores bytes behind the value.
  return explainMalformed(() => reader(readLeadingDer(extension.value)));
}
