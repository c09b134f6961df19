/**
 * step's provisioner extension: which provisioner allowed a certificate
 * (smallstep/certificates authority/provisioner/extension.go:26-31).
 */
import type { Certificate } from "./certificate.ts";
import { DER_TAG, DerFields, readDer } from "./der.ts";
import { readSmallInteger } from "./der_values.ts";
import { findExtension } from "./extensions.ts";

const STEP_PROVISIONER_OID = "1.3.6.1.4.1.37476.9000.64.1";

/** What the extension says, or why it says nothing. */
export type ProvisionerReference =
  | { readonly kind: "absent" }
  | { readonly kind: "malformed" }
  | { readonly kind: "named"; readonly name: string };

/** The provisioner that a certificate names. */
export function provisionerReference(
  certificate: Certificate,
): ProvisionerReference {
  const extension = findExtension(certificate, STEP_PROVISIONER_OID);
  if (extension === undefined) return { kind: "absent" };
  try {
    const fields = new DerFields(readDer(extension.value));
    readSmallInteger(fields.take(DER_TAG.integer));
    const name = fields.take(DER_TAG.octetString).content;
    fields.take(DER_TAG.octetString);
    // Newer versions may add members at the end.
    return { kind: "named", name: readUtf8(name) };
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: "malformed" };
    throw error;
  }
}

/** Exactly: what is not the same bytes must not become the same name. */
function readUtf8(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true })
      .decode(bytes);
  } catch (error) {
    throw new SyntaxError("", { cause: error });
  }
}
