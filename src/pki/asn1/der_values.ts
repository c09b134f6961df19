/**
 * Values of DER elements (X.690), strictly: one value, one encoding.
 *
 * Every reader throws a SyntaxError, mostly with an empty message, when the
 * element has another type or is not DER.
 */
import { DER_TAG, type DerElement, DerFields, requireTag } from "./der.ts";

/**
 * The dotted text of an OBJECT IDENTIFIER; large arcs, such as those of UUIDs
 * (2.25.…), are exact.
 *
 * @throws {SyntaxError} when an arc is cut off or padded (X.690 §8.19.2)
 */
export function readObjectIdentifier(element: DerElement): string {
  const { content } = requireTag(element, DER_TAG.objectIdentifier);
  if (content.length > MAX_OID_OCTETS) throw new SyntaxError();
  const arcs = [];
  let arc = 0n;
  let isArcStart = true;
  for (const octet of content) {
    if (isArcStart && octet === 0x80) throw new SyntaxError();
    arc = (arc << 7n) | BigInt(octet & 0x7f);
    isArcStart = octet < 0x80;
    if (isArcStart) {
      arcs.push(arc);
      arc = 0n;
    }
  }
  const [first, ...rest] = arcs;
  if (first === undefined || !isArcStart) throw new SyntaxError();
  // X.690 §8.19.4: the first two arcs share one number.
  const root = first < 80n ? first / 40n : 2n;
  return [root, first - root * 40n, ...rest].join(".");
}

/** Far above any OID in use; big numbers take time by the square of their size. */
const MAX_OID_OCTETS = 256;

/**
 * The content octets of an INTEGER (two's complement, as short as possible).
 *
 * @throws {SyntaxError} when it is empty or padded (X.690 §8.3.2)
 */
export function readInteger(element: DerElement): Uint8Array<ArrayBuffer> {
  const { content } = requireTag(element, DER_TAG.integer);
  const [first, second] = content;
  if (first === undefined) throw new SyntaxError();
  const isPadded = second !== undefined &&
    ((first === 0 && second < 0x80) || (first === 0xff && second >= 0x80));
  if (isPadded) throw new SyntaxError();
  return content;
}

/**
 * A small INTEGER as a number.
 *
 * @throws {SyntaxError} when it is negative or above 2^31 - 1
 */
export function readSmallInteger(element: DerElement): number {
  const content = readInteger(element);
  if (content.length > 4 || (content[0] ?? 0) >= 0x80) throw new SyntaxError();
  return content.reduce((value, octet) => value * 256 + octet, 0);
}

/**
 * A BOOLEAN, which in DER is 00 or FF.
 *
 * @throws {SyntaxError} for other octets (X.690 §11.1)
 */
export function readBoolean(element: DerElement): boolean {
  const { content } = requireTag(element, DER_TAG.boolean);
  const [octet] = content;
  if (content.length !== 1 || (octet !== 0 && octet !== 0xff)) {
    throw new SyntaxError();
  }
  return octet === 0xff;
}

/**
 * The octets of a BIT STRING that has whole octets.
 *
 * @throws {SyntaxError} when bits of the last octet are unused
 */
export function readOctetBits(element: DerElement): Uint8Array<ArrayBuffer> {
  const { content } = requireTag(element, DER_TAG.bitString);
  if (content[0] !== 0) throw new SyntaxError();
  return content.subarray(1);
}

/** OID and DER of the parameters, undefined when absent. */
export interface AlgorithmIdentifier {
  readonly oid: string;
  readonly parameters: Uint8Array<ArrayBuffer> | undefined;
}

/** AlgorithmIdentifier (RFC 5280 §4.1.1.2). */
export function readAlgorithm(element: DerElement): AlgorithmIdentifier {
  const fields = new DerFields(element);
  const oid = readObjectIdentifier(fields.take());
  const parameters = fields.isAtEnd ? undefined : fields.take().der.slice();
  fields.end();
  return { oid, parameters };
}

/** An algorithm of a key, and the bits that only it explains. */
export interface PublicKeyInfo {
  readonly algorithm: AlgorithmIdentifier;
  readonly bits: Uint8Array<ArrayBuffer>;
}

/** SubjectPublicKeyInfo (RFC 5280 §4.1.2.7). */
export function readPublicKeyInfo(element: DerElement): PublicKeyInfo {
  const fields = new DerFields(element);
  const algorithm = readAlgorithm(fields.take());
  const bits = readOctetBits(fields.take());
  fields.end();
  return { algorithm, bits };
}

/** Each octet as one character; of ASCII and Latin-1 their text. */
export function octetsToText(octets: Uint8Array): string {
  return Array.from(octets, (octet) => String.fromCharCode(octet)).join("");
}

/**
 * Text in an encoding, exactly: no byte order mark is dropped, and what is not
 * the same bytes does not become the same text.
 *
 * @throws {SyntaxError} when it is not well-formed
 */
export function decodeText(
  encoding: "utf-8" | "utf-16be",
  octets: Uint8Array,
): string {
  try {
    return new TextDecoder(encoding, { fatal: true, ignoreBOM: true })
      .decode(octets);
  } catch (error) {
    throw new SyntaxError("", { cause: error });
  }
}

const UTC_TIME = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;
const GENERALIZED_TIME = /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/;

/**
 * Reads a time in one of the only two forms of RFC 5280 §4.1.2.5: with seconds,
 * and in `Z`.
 *
 * @throws {SyntaxError} for another form, and for dates that do not exist
 */
export function readTime(element: DerElement): Date {
  const isUtcTime = element.tag === DER_TAG.utcTime;
  if (!isUtcTime) requireTag(element, DER_TAG.generalizedTime);
  // Longer than any form is cut, and so matches none.
  const text = octetsToText(element.content.subarray(0, 16));
  const match = (isUtcTime ? UTC_TIME : GENERALIZED_TIME).exec(text);
  if (match === null) throw new SyntaxError("malformed time");
  const [, yearText = "", month, day, hour, minute, second] = match;
  // RFC 5280 §4.1.2.5.1: two digits mean 1950 to 2049.
  const century = yearText < "50" ? "20" : "19";
  const year = isUtcTime ? `${century}${yearText}` : yearText;
  const iso = `${year}-${month}-${day}T${hour}:${minute}:${second}.000Z`;
  const time = new Date(iso);
  // 30 February is a date to JavaScript: it has to come out as it went in.
  if (Number.isNaN(time.getTime()) || time.toISOString() !== iso) {
    throw new SyntaxError("malformed time");
  }
  return time;
}
