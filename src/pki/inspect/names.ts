/** Distinguished names as the original shows them, in text and in JSON. */
import { readDer } from "../asn1/der.ts";
import { explainMalformed } from "../asn1/malformed.ts";
import {
  type Attribute,
  nameAttributes,
} from "../certificate/distinguished_name.ts";

interface AttributeNames {
  /** In text; those without one are shown as unknown there. */
  readonly text?: string;
  /** In the text of JSON. */
  readonly short: string;
  /** The member of JSON. */
  readonly member?: string;
}

/** By object identifier, in the order of the members of JSON. */
const ATTRIBUTES: ReadonlyMap<string, AttributeNames> = new Map<
  string,
  AttributeNames
>([
  ["2.5.4.3", { text: "CN", short: "CN", member: "common_name" }],
  ["2.5.4.5", {
    text: "SERIALNUMBER",
    short: "serialNumber",
    member: "serial_number",
  }],
  ["2.5.4.6", { text: "C", short: "C", member: "country" }],
  ["2.5.4.7", { text: "L", short: "L", member: "locality" }],
  ["2.5.4.8", { text: "ST", short: "ST", member: "province" }],
  ["2.5.4.9", { text: "STREET", short: "street", member: "street_address" }],
  ["2.5.4.10", { text: "O", short: "O", member: "organization" }],
  ["2.5.4.11", { text: "OU", short: "OU", member: "organizational_unit" }],
  ["2.5.4.17", {
    text: "POSTALCODE",
    short: "postalCode",
    member: "postal_code",
  }],
  ["0.9.2342.19200300.100.1.25", {
    text: "DC",
    short: "DC",
    member: "domain_component",
  }],
  ["1.2.840.113549.1.9.1", {
    text: "emailAddress",
    short: "emailAddress",
    member: "email_address",
  }],
  ["2.5.4.42", { short: "GN", member: "given_name" }],
  ["2.5.4.4", { short: "SN", member: "surname" }],
  ["0.9.2342.19200300.100.1.1", { text: "UID", short: "UID" }],
  ["2.5.4.12", { short: "title" }],
]);

function attributesOf(nameDer: Uint8Array): readonly Attribute[] {
  return explainMalformed(() => nameAttributes(readDer(nameDer)));
}

/** `C=DE,CN=a`, in the order of the encoding; not safe to print. */
export function nameLine(nameDer: Uint8Array): string {
  return attributesOf(nameDer).map(({ type, text, value }) => {
    const name = ATTRIBUTES.get(type)?.text;
    return name === undefined
      ? `UnknownOID=${type}`
      : `${name}=${text ?? `#${value.der.toHex()}`}`;
  }).join(",");
}

/** `C=DE, CN=a`, as JSON has it in one text. */
export function nameText(nameDer: Uint8Array): string {
  return attributesOf(nameDer).flatMap(({ type, text }) =>
    text === undefined ? [] : `${ATTRIBUTES.get(type)?.short ?? type}=${text}`
  ).join(", ");
}

/** The values of each attribute, as JSON has them. */
export function nameMembers(
  nameDer: Uint8Array,
): Readonly<Record<string, readonly string[]>> {
  const attributes = attributesOf(nameDer);
  const members: Record<string, string[]> = {};
  for (const [oid, { member }] of ATTRIBUTES) {
    const values = attributes.flatMap(({ type, text }) =>
      type === oid && text !== undefined ? [text] : []
    );
    if (member !== undefined && values.length > 0) members[member] = values;
  }
  return members;
}
