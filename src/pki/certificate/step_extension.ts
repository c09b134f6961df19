/**
 * step's provisioner extension: which provisioner allowed a certificate
 * (smallstep/certificates authority/provisioner/extension.go:26-31).
 */
import type { Certificate } from "./certificate.ts";
import {
  DER_TAG,
  type DerElement,
  DerFields,
  readLeadingDer,
} from "../asn1/der.ts";
import { decodeText, readInteger } from "../asn1/der_values.ts";
import { findExtension } from "./extensions.ts";

const STEP_PROVISIONER_OID = "1.3.6.1.4.1.37476.9000.64.1";

/** What the extension says, or why it says nothing. */
export type ProvisionerReference =
  | { readonly kind: "absent" }
  | { readonly kind: "malformed" }
  | { readonly kind: "named"; readonly name: string };

/**
 * The provisioner that a certificate names. As lenient as Go's asn1.Unmarshal,
 * by which step-ca reads it: bytes behind the SEQUENCE, and members that newer
 * versions may add at its end, are ignored.
 */
export function provisionerReference(
  certificate: Certificate,
): ProvisionerReference {
  const extension = findExtension(certificate, STEP_PROVISIONER_OID);
  if (extension === undefined) return { kind: "absent" };
  try {
    const fields = new DerFields(readLeadingDer(extension.value));
    const type = readInteger(fields.take());
    if (type.length > MAX_INTEGER_OCTETS) throw new SyntaxError();
    const name = fields.take(DER_TAG.octetString).content;
    fields.take(DER_TAG.octetString);
    fields.takeOptional(DER_TAG.sequence)?.children.forEach(requireString);
    return { kind: "named", name: decodeText("utf-8", name) };
  } catch (error) {
    if (error instanceof SyntaxError) return { kind: "malformed" };
    throw error;
  }
}

/** Go reads the type of the provisioner into an int64. */
const MAX_INTEGER_OCTETS = 8;

/** Identifier octets of what Go decodes into a string (encoding/asn1). */
const STRING_TAGS: ReadonlySet<number> = new Set([
  0x0c, // UTF8String
  0x12, // NumericString
  0x13, // PrintableString
  0x14, // T61String
  0x16, // IA5String
  0x1b, // GeneralString
  0x1e, // BMPString
]);

/** The optional pairs are texts. */
function requireString({ tag, content }: DerElement): void {
  if (!STRING_TAGS.has(tag)) throw new SyntaxError();
  if (tag === 0x0c) decodeText("utf-8", content);
}
