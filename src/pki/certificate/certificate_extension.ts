/**
 * The list of extensions of a certificate (RFC 5280 §4.1.2.9).
 */
import { DER_TAG, type DerElement, DerFields } from "../asn1/der.ts";
import { readBoolean, readObjectIdentifier } from "../asn1/der_values.ts";

/** One X.509 v3 extension; `value` is the content of extnValue. */
export interface CertificateExtension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array<ArrayBuffer>;
}

/** Extensions that RFC 5280 §4.2 wants uncritical; Go refuses them otherwise. */
const NEVER_CRITICAL: ReadonlyMap<string, string> = new Map([
  ["2.5.29.14", "subject key identifier"],
  ["2.5.29.35", "authority key identifier"],
  ["1.3.6.1.5.5.7.1.1", "authority info access"],
]);

/**
 * Reads the list of extensions, in order.
 *
 * @param tagged the `[3]` element, undefined when the certificate has none
 * @throws {SyntaxError} when the list is malformed, has an OID twice, or stands
 *   in a certificate of another version than 3
 */
export function readExtensions(
  tagged: DerElement | undefined,
  version: number,
): readonly CertificateExtension[] {
  if (tagged === undefined) return [];
  if (version !== 3) throw new SyntaxError("extensions need version 3");
  const outer = new DerFields(tagged, 0xa3);
  const list = new DerFields(outer.take());
  outer.end();
  const extensions = new Map<string, CertificateExtension>();
  while (!list.isAtEnd) {
    const extension = readExtension(list.take());
    const { oid, critical } = extension;
    if (extensions.has(oid)) {
      throw new SyntaxError(
        `certificate contains duplicate extension with OID "${oid}"`,
      );
    }
    const name = NEVER_CRITICAL.get(oid);
    if (critical && name !== undefined) {
      throw new SyntaxError(`${name} incorrectly marked critical`);
    }
    extensions.set(oid, extension);
  }
  return [...extensions.values()];
}

function readExtension(element: DerElement): CertificateExtension {
  const fields = new DerFields(element);
  const oid = readObjectIdentifier(fields.take());
  const flag = fields.takeOptional(DER_TAG.boolean);
  const value = fields.take(DER_TAG.octetString).content.slice();
  fields.end();
  return { oid, critical: flag !== undefined && readBoolean(flag), value };
}
