/**
 * step's provisioner extension: which provisioner allowed a certificate
 * (smallstep/certificates authority/provisioner/extension.go:26-31).
 */
import type { Certificate } from "./certificate.ts";
import { DER_TAG, DerFields, readLeadingDer } from "../asn1/der.ts";
import { decodeText } from "../asn1/der_values.ts";
import { findExtension } from "./extensions.ts";

const STEP_PROVISIONER_OID = "1.3.6.1.4.1.37476.9000.64.1";

/** What the extension says, or why it says nothing. */
export type ProvisionerReference =
  | { readonly kind: "absent" }
  | { readonly kind: "malformed" }
  | { readonly kind: "named"; readonly name: string };

/**
 * The provisioner that a certificate names. As in step-ca, bytes behind the
 * SEQUENCE are ignored, and members at its end, which newer versions may add.
 */
export function provisionerReference(
  certificate: Certificate,
): ProvisionerReference {
  const extension = findExtension(certificate, STEP_PROVISIONER_OID);
  if (extension === undefined) return { kind: "absent" };
  try {
    const fields = new DerFields(readLeadingDer(extension.value));
    fields.take(DER_TAG.integer); // its type
    const name = fields.take(DER_TAG.octetString).content;
    fields.take(DER_TAG.octetString); // the id of its key
    return { kind: "named", name: decodeText("utf-8", name) };
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: "malformed" };
    throw error;
  }
}
