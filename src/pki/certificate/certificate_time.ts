/**
 * The dates of a certificate's validity.
 */
import { DER_TAG, type DerElement, requireTag } from "../asn1/der.ts";

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
  const text = String.fromCharCode(...element.content.subarray(0, 16));
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
