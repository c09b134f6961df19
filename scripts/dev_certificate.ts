/**
 * One certificate of a throwaway CA, made by the X.509 library: not the code
 * with which the program itself signs offline.
 */
import type { KeySpec } from "../src/base/options.ts";
import {
  type Certificate,
  parseCertificate,
} from "../src/pki/certificate/certificate.ts";
import type { PrivateKey } from "../src/pki/keys/private_key.ts";
import { asn1Schema, x509 } from "../src/pki/asn1/x509.ts";

/** Both ends inclusive, whole seconds. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Whose certificate is the issuer, and what signs. */
export interface Issuer {
  readonly certificate: Certificate;
  readonly key: PrivateKey;
}

/** Makes a certificate with key identifiers; its own key signs without an issuer. */
export async function certify(request: {
  readonly subject: string;
  readonly key: PrivateKey;
  readonly issuer?: Issuer;
  readonly validity: Validity;
  readonly extensions: readonly x509.Extension[];
}): Promise<Certificate> {
  const { subject, key, issuer, validity, extensions } = request;
  const above = issuer &&
    new x509.X509Certificate(issuer.certificate.der);
  const signer = issuer?.key ?? key;
  const certificate = await x509.X509CertificateGenerator.create({
    subject,
    issuer: above?.subjectName ?? subject,
    ...validity,
    publicKey: key.publicKey,
    signingKey: signer.signingKey,
    signingAlgorithm: signingAlgorithm(signer.spec),
    extensions: [
      ...extensions,
      await x509.SubjectKeyIdentifierExtension.create(
        new x509.PublicKey(key.publicKey),
      ),
      ...above === undefined
        ? []
        : [await x509.AuthorityKeyIdentifierExtension.create(above)],
    ],
  });
  return parseCertificate(new Uint8Array(certificate.rawData));
}

function signingAlgorithm(spec: KeySpec): Algorithm | EcdsaParams {
  switch (spec.kty) {
    case "EC":
      return { name: "ECDSA", hash: CURVE_HASH[spec.curve] };
    case "OKP":
      return { name: "Ed25519" };
    case "RSA":
      return { name: "RSASSA-PKCS1-v1_5" };
  }
}

const CURVE_HASH = {
  "P-256": "SHA-256",
  "P-384": "SHA-384",
  "P-521": "SHA-512",
} as const;

const STEP_PROVISIONER_OID = "1.3.6.1.4.1.37476.9000.64.1";
const ACME = 6;

/**
 * step's extension, which names an ACME provisioner (smallstep/certificates
 * authority/provisioner/extension.go:26-31).
 */
export function provisionerExtension(name: string): x509.Extension {
  const value = new StepProvisioner();
  value.type = ACME;
  value.name = new asn1Schema.OctetString(new TextEncoder().encode(name));
  return new x509.Extension(
    STEP_PROVISIONER_OID,
    false,
    asn1Schema.AsnConvert.serialize(value),
  );
}

class StepProvisioner {
  type = 0;
  name: asn1Schema.OctetString = new asn1Schema.OctetString();
  credentialId: asn1Schema.OctetString = new asn1Schema.OctetString();
}
const { AsnProp, AsnPropTypes, OctetString } = asn1Schema;
AsnProp({ type: AsnPropTypes.Integer })(StepProvisioner.prototype, "type");
AsnProp({ type: OctetString })(StepProvisioner.prototype, "name");
AsnProp({ type: OctetString })(StepProvisioner.prototype, "credentialId");
