/**
 * Distinguished names as text (RFC 4514).
 *
 * For people and for messages. Names are compared by their DER, never by this
 * text: it does not show which type of string an attribute has.
 */
import { DER_TAG, type DerElement, DerFields } from "../asn1/der.ts";
import {
  decodeText,
  octetsToText,
  readObjectIdentifier,
} from "../asn1/der_values.ts";

export interface DistinguishedName {
  /** RFC 4514: the last component first; empty for an empty name. */
  readonly text: string;
  /** First common name in the order of the encoding, unescaped. */
  readonly commonName: string | undefined;
}

/**
 * Reads a Name (RFC 5280 §4.1.2.4).
 *
 * @throws {SyntaxError} with an empty message when it is malformed
 */
export function readDistinguishedName(name: DerElement): DistinguishedName {
  const components = relativeNames(name).map(readAttributes);
  const commonName = components.flat()
    .find(({ type }) => type === COMMON_NAME)?.text;
  const texts = components.map(attributesToText).reverse();
  return { text: texts.join(","), commonName };
}

/** One component (RDN) of a name as RFC 4514 text. */
export function relativeNameText(component: DerElement): string {
  return attributesToText(readAttributes(component));
}

/** The components (RDNs) of a name, in the order of the encoding. */
export function relativeNames(name: DerElement): readonly DerElement[] {
  const fields = new DerFields(name);
  const components = [];
  while (!fields.isAtEnd) components.push(fields.take(DER_TAG.set));
  return components;
}

/** The attributes of all components, in the order of the encoding. */
export function nameAttributes(name: DerElement): readonly Attribute[] {
  return relativeNames(name).flatMap(readAttributes);
}

/** One attribute of a name. */
export interface Attribute {
  /** Its object identifier. */
  readonly type: string;
  readonly value: DerElement;
  /** Undefined when the value is no string. As it is: not safe to print. */
  readonly text: string | undefined;
}

function readAttributes(component: DerElement): readonly Attribute[] {
  const fields = new DerFields(component, DER_TAG.set);
  const attributes = [];
  do {
    const attribute = new DerFields(fields.take());
    const type = readObjectIdentifier(attribute.take());
    const value = attribute.take();
    attribute.end();
    attributes.push({ type, value, text: readString(value) });
  } while (!fields.isAtEnd);
  return attributes;
}

/** RFC 5280 §A.1, id-at-commonName. */
export const COMMON_NAME = "2.5.4.3";

// RFC 4514 §3: the names that every reader knows.
const ATTRIBUTE_NAMES: ReadonlyMap<string, string> = new Map([
  [COMMON_NAME, "CN"],
  ["2.5.4.6", "C"],
  ["2.5.4.7", "L"],
  ["2.5.4.8", "ST"],
  ["2.5.4.9", "STREET"],
  ["2.5.4.10", "O"],
  ["2.5.4.11", "OU"],
  ["0.9.2342.19200300.100.1.1", "UID"],
  ["0.9.2342.19200300.100.1.25", "DC"],
]);

function attributesToText(attributes: readonly Attribute[]): string {
  return attributes.map(({ type, value, text }) => {
    const name = ATTRIBUTE_NAMES.get(type);
    // RFC 4514 §2.4: an unknown type, or a value that is no string, as its DER.
    return name === undefined || text === undefined
      ? `${name ?? type}=#${value.der.toHex()}`
      : `${name}=${escapeValue(text)}`;
  }).join("+");
}

/**
 * The text of a string element of any type; undefined for other types.
 *
 * @throws {SyntaxError} with an empty message when it is not well-formed
 */
function readString(element: DerElement): string | undefined {
  const { content } = element;
  switch (element.tag) {
    case STRING_TAG.utf8:
      return decodeText("utf-8", content);
    case STRING_TAG.bmp:
      return decodeText("utf-16be", content);
    case STRING_TAG.universal:
      // Go refuses it too. Read as no string, it would pass by a constraint.
      throw new SyntaxError();
    case STRING_TAG.teletex:
    case STRING_TAG.numeric:
    case STRING_TAG.printable:
    case STRING_TAG.ia5:
    case STRING_TAG.visible:
      // Teletex strings are Latin-1 in practice, the others ASCII.
      return octetsToText(content);
    default:
      return undefined;
  }
}

/** Identifier octets of string types (X.680 §41). */
export const STRING_TAG = {
  utf8: 0x0c,
  numeric: 0x12,
  printable: 0x13,
  teletex: 0x14,
  ia5: 0x16,
  visible: 0x1a,
  universal: 0x1c,
  bmp: 0x1e,
} as const;

/** RFC 4514 §2.4; control characters too, as the text goes to terminals. */
function escapeValue(value: string): string {
  return value
    .replace(/[\\"+,;<>]/g, "\\$&")
    .replace(/^[ #]| $/g, "\\$&")
    // deno-lint-ignore no-control-regex
    .replace(/[\x00-\x1f\x7f-\x9f]/g, (character) => {
      const hex = new TextEncoder().encode(character).toHex().toUpperCase();
      return hex.replace(/../g, "\\$&");
    });
}
