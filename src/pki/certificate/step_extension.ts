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
import { decodeText, readSmallInteger } from "../asn1/der_values.ts";
import { findExtension } from "./extensions.ts";

export const STEP_PROVISIONER_OID = "1.3.6.1.4.1.37476.9000.64.1";

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

/** All that the extension says of a provisioner; texts are not safe to print. */
export interface StepProvisioner {
  /** A number of `Type` in authority/provisioner/provisioner.go. */
  readonly type: number;
  readonly name: string;
  /** The id of its key; may be empty. */
  readonly credentialId: string;
  /** Names and values in turn. */
  readonly details: readonly string[];
}

/**
 * Reads the extension whole, for a person.
 *
 * @throws {SyntaxError} when it is malformed
 */
export function readStepProvisioner(value: Uint8Array): StepProvisioner {
  const fields = new DerFields(readLeadingDer(value));
  const text = ({ content }: DerElement) => decodeText("utf-8", content);
  return {
    type: readSmallInteger(fields.take()),
    name: text(fields.take(DER_TAG.octetString)),
    credentialId: text(fields.take(DER_TAG.octetString)),
    details: (fields.takeOptional(DER_TAG.sequence)?.children ?? []).map(text),
  };
}
