/**
 * Certificates from their parts (RFC 5280 §4.1), for the offline CA.
 *
 * The library's own TBSCertificate decodes names and encodes them anew, which
 * can change their bytes; here every part that comes from another certificate
 * goes in as it is.
 */
import { writeInteger } from "../asn1/der_writer.ts";
import type { CertificateExtension } from "../certificate/certificate.ts";
import { asn1Schema, asn1X509, defineSchema, serialize } from "../asn1/x509.ts";

const { AsnPropTypes, OctetString } = asn1Schema;

/** The parts of a certificate; DER unless said otherwise. */
export interface CertificateParts {
  /** Magnitude, big-endian, any length. */
  readonly serial: Uint8Array;
  readonly signatureAlgorithm: Uint8Array;
  readonly issuer: Uint8Array;
  /** Whole seconds. */
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly subject: Uint8Array;
  readonly publicKey: Uint8Array;
  /** Never empty. */
  readonly extensions: readonly CertificateExtension[];
}

/** DER of a version 3 tbsCertificate. */
export function encodeTbsCertificate(
  parts: CertificateParts,
): Uint8Array<ArrayBuffer> {
  const tbs = new TbsCertificate();
  tbs.serialNumber = copy(writeInteger(parts.serial));
  tbs.signature = copy(parts.signatureAlgorithm);
  tbs.issuer = copy(parts.issuer);
  tbs.validity.notBefore = toTime(parts.notBefore);
  tbs.validity.notAfter = toTime(parts.notAfter);
  tbs.subject = copy(parts.subject);
  tbs.subjectPublicKeyInfo = copy(parts.publicKey);
  tbs.extensions = new asn1X509.Extensions(
    parts.extensions.map(({ oid, critical, value }) =>
      new asn1X509.Extension({
        extnID: oid,
        critical,
        extnValue: new OctetString(copy(value)),
      })
    ),
  );
  return serialize(tbs);
}

class TbsCertificate {
  version = 2;
  serialNumber: ArrayBuffer = new ArrayBuffer(0);
  signature: ArrayBuffer = new ArrayBuffer(0);
  issuer: ArrayBuffer = new ArrayBuffer(0);
  validity: InstanceType<typeof asn1X509.Validity> = new asn1X509.Validity();
  subject: ArrayBuffer = new ArrayBuffer(0);
  subjectPublicKeyInfo: ArrayBuffer = new ArrayBuffer(0);
  extensions: InstanceType<typeof asn1X509.Extensions> = new asn1X509
    .Extensions();
}
const ANY = { type: AsnPropTypes.Any };
defineSchema(TbsCertificate, {
  version: { type: AsnPropTypes.Integer, context: 0 },
  serialNumber: ANY,
  signature: ANY,
  issuer: ANY,
  validity: { type: asn1X509.Validity },
  subject: ANY,
  subjectPublicKeyInfo: ANY,
  extensions: { type: asn1X509.Extensions, context: 3 },
});

/**
 * RFC 5280 §4.1.2.5. The library alone would write 1949 as UTCTime, which
 * means 2049.
 */
function toTime(date: Date): InstanceType<typeof asn1X509.Time> {
  const time = new asn1X509.Time();
  const year = date.getUTCFullYear();
  if (year >= 1950 && year < 2050) time.utcTime = date;
  else time.generalTime = date;
  return time;
}

function copy(bytes: Uint8Array): ArrayBuffer {
  return new Uint8Array(bytes).buffer;
}
