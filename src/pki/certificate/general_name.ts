/** GeneralName (RFC 5280 §4.2.1.6): the names of SANs and of name constraints. */
import {
  DER_TAG,
  type DerElement,
  DerFields,
  readLeadingDer,
} from "../asn1/der.ts";
import { addressToText } from "../../base/ip_address.ts";
import { octetsToText, readObjectIdentifier } from "../asn1/der_values.ts";
import { readDistinguishedName } from "./distinguished_name.ts";

/** The kinds of names; `other` is any that only its bytes identify. */
export type GeneralNameForm =
  | "DNS"
  | "IP"
  | "email"
  | "URI"
  | "directory"
  | "other";

export interface GeneralName {
  readonly form: GeneralNameForm;
  readonly element: DerElement;
}

const FORM_BY_TAG: ReadonlyMap<number, GeneralNameForm> = new Map([
  [0xa0, "other"], // otherName
  [0x81, "email"],
  [0x82, "DNS"],
  [0xa3, "other"], // x400Address
  [0xa4, "directory"],
  [0xa5, "other"], // ediPartyName
  [0x86, "URI"],
  [0x87, "IP"],
  [0x88, "other"], // registeredID
]);

/** The form of a name by its tag. @throws {SyntaxError} for an unknown tag */
export function readGeneralName(element: DerElement): GeneralName {
  const form = FORM_BY_TAG.get(element.tag);
  if (form === undefined) throw new SyntaxError();
  return { form, element };
}

/**
 * The names of a subjectAltName extension, in order, as `DNS:a`, `IP:10.0.0.1`,
 * `email:a@b`, `URI:spiffe://x` or `other:<hex of the DER>`.
 *
 * Two lists are equal when, and only when, the extensions are.
 *
 * @param value content of the extension
 * @throws {SyntaxError} where Go refuses the certificate as well
 *   (crypto/x509/parser.go, parseSANExtension)
 */
export function readAlternativeNames(
  value: Uint8Array,
): readonly GeneralName[] {
  const fields = new DerFields(readLeadingDer(value));
  const names: GeneralName[] = [];
  while (!fields.isAtEnd) {
    const element = fields.take();
    // Go steps over tags that RFC 5280 does not know.
    names.push({ form: FORM_BY_TAG.get(element.tag) ?? "other", element });
  }
  return names;
}

/** One name as text, see {@linkcode readAlternativeNames}. */
export function generalNameToText({ element, form }: GeneralName): string {
  switch (form) {
    case "IP":
      return `IP:${addressToText(element.content)}`;
    case "DNS":
    case "email":
    case "URI":
      return `${form}:${readAscii(element.content, form)}`;
    case "directory":
      readDistinguishedName(new DerFields(element, element.tag).take());
      return `other:${element.der.toHex()}`;
    case "other":
      // The type of an otherName is an OID: refuse what is not even that.
      if (element.tag === 0xa0) {
        readObjectIdentifier(
          new DerFields(element, 0xa0).take(DER_TAG.objectIdentifier),
        );
      }
      return `other:${element.der.toHex()}`;
  }
}

const FORM_NAME = {
  DNS: "dNSName",
  email: "rfc822Name",
  URI: "uniformResourceIdentifier",
} as const;

/** The text of an IA5String. @throws {SyntaxError} unless it is ASCII */
export function readAscii(
  content: Uint8Array,
  form: keyof typeof FORM_NAME,
): string {
  if (content.some((octet) => octet > 0x7f)) {
    throw new SyntaxError(`SAN ${FORM_NAME[form]} is malformed`);
  }
  return octetsToText(content);
}
