/**
 * Certificate requests (PKCS#10, RFC 2986) as plain data, for who looks at one.
 * Nobody here signs what a request asks for.
 */
import { DER_TAG, type DerElement, DerFields, readDer } from "../asn1/der.ts";
import {
  type AlgorithmIdentifier,
  readAlgorithm,
  readObjectIdentifier,
  readOctetBits,
  readPublicKeyInfo,
  readSmallInteger,
} from "../asn1/der_values.ts";
import { explainMalformed } from "../asn1/malformed.ts";
import {
  type CertificateExtension,
  readExtensionList,
  readNames,
} from "./certificate.ts";
import { readDistinguishedName } from "./distinguished_name.ts";

/** Each array of bytes has a buffer of its own. */
export interface CertificateRequest {
  readonly der: Uint8Array<ArrayBuffer>;
  /** DER of certificationRequestInfo, as signed. */
  readonly info: Uint8Array<ArrayBuffer>;
  /** As encoded: 0 for version 1. */
  readonly version: number;
  readonly subjectDer: Uint8Array<ArrayBuffer>;
  /** First common name of the subject, as it is: not safe to print. */
  readonly commonName: string | undefined;
  /** SubjectPublicKeyInfo DER. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** Those that it asks for. */
  readonly extensions: readonly CertificateExtension[];
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array<ArrayBuffer>;
}

/** RFC 2985 §5.4.2. */
const EXTENSION_REQUEST = "1.2.840.113549.1.9.14";

/**
 * Parses one DER request.
 *
 * @throws {MalformedError}
 */
export function parseCertificateRequest(der: Uint8Array): CertificateRequest {
  return explainMalformed(() => {
    const whole = readDer(der);
    const fields = new DerFields(whole);
    const info = fields.take();
    const signatureAlgorithm = readAlgorithm(fields.take());
    const signature = readOctetBits(fields.take()).slice();
    fields.end();
    const asked = new DerFields(info);
    const version = readSmallInteger(asked.take());
    const subject = asked.take();
    const { commonName } = readDistinguishedName(subject);
    const publicKey = asked.take();
    readPublicKeyInfo(publicKey);
    // Some programs leave the attributes out, against RFC 2986 §4.1.
    const extensions = readRequested(asked.takeOptional(0xa0)?.children ?? []);
    asked.end();
    readNames(extensions);
    return {
      der: whole.der.slice(),
      info: info.der.slice(),
      version,
      subjectDer: subject.der.slice(),
      commonName,
      publicKey: publicKey.der.slice(),
      extensions,
      signatureAlgorithm,
      signature,
    };
  }, "certificate request");
}

function readRequested(
  attributes: readonly DerElement[],
): readonly CertificateExtension[] {
  for (const element of attributes) {
    const attribute = new DerFields(element);
    if (readObjectIdentifier(attribute.take()) !== EXTENSION_REQUEST) continue;
    const values = new DerFields(attribute.take(), DER_TAG.set);
    return readExtensionList(values.take());
  }
  return [];
}
