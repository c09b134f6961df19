/**
 * Names (RFC 5280 §4.1.2.4) as Go's crypto/x509 reads them: it knows fewer types
 * of strings than X.520, and looks at their characters (parser.go, parseName).
 */
import { DER_TAG, type DerElement, DerFields, readDer } from "../asn1/der.ts";
import { readObjectIdentifier } from "../asn1/der_values.ts";
import { isGoOid } from "./go_oid.ts";

/** Why Go does not read a Name, in its words; undefined when it does. */
export function goNameRefusal(name: Uint8Array): string | undefined {
  const attributes = readDer(name).children
    .flatMap(({ children }) => children);
  for (const attribute of attributes) {
    const fields = new DerFields(attribute);
    const type = fields.take(DER_TAG.objectIdentifier);
    const fault = isGoOid(readObjectIdentifier(type))
      ? stringFault(fields.take())
      : "type";
    if (fault === undefined) continue;
    return `x509: invalid RDNSequence: invalid attribute ${fault}`;
  }
  return undefined;
}

function stringFault({ tag, content }: DerElement): string | undefined {
  const rule = RULES.get(tag);
  if (rule === undefined) return `value: unsupported string type: ${tag}`;
  const [type, isValid] = rule;
  return isValid(content) ? undefined : `value: invalid ${type}`;
}

type Rule = readonly [
  type: string,
  isValid: (content: Uint8Array) => boolean,
];

/** By identifier octet (X.680 §41). */
const RULES: ReadonlyMap<number, Rule> = new Map<number, Rule>([
  [0x0c, ["UTF-8 string", isUtf8]],
  [0x12, ["NumericString", matches(/^[0-9 ]*$/)]],
  // Go lets pass `*` and `&` too, which are common.
  [0x13, ["PrintableString", matches(/^[A-Za-z0-9 '()+,\-./:=?*&]*$/)]],
  [0x14, ["T61String", () => true]],
  // deno-lint-ignore no-control-regex
  [0x16, ["IA5String", matches(/^[\x00-\x7f]*$/)]],
  [0x1e, ["BMPString", isBmp]],
]);

function matches(pattern: RegExp): (content: Uint8Array) => boolean {
  return (content) =>
    pattern.test(
      Array.from(content, (octet) => String.fromCharCode(octet)).join(""),
    );
}

function isUtf8(content: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(content);
    return true;
  } catch (error) {
    if (error instanceof TypeError) return false;
    throw error;
  }
}

/** Two octets each, and neither a surrogate nor a noncharacter. */
function isBmp(content: Uint8Array): boolean {
  if (content.length % 2 !== 0) return false;
  for (let at = 0; at < content.length; at += 2) {
    const point = (content[at] ?? 0) * 256 + (content[at + 1] ?? 0);
    const isSurrogate = point >= 0xd800 && point <= 0xdfff;
    const isNoncharacter = point >= 0xfffe ||
      (point >= 0xfdd0 && point <= 0xfdef);
    if (isSurrogate || isNoncharacter) return false;
  }
  return true;
}
