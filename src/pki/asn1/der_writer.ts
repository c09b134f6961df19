/**
 * DER elements (X.690), written: the counterpart of der.ts and der_values.ts.
 *
 * For the few structures of a rekey. What is made with it is read back, and
 * proven, before anybody relies on it.
 */
import { DER_TAG } from "./der.ts";

export const DER_NULL: Uint8Array<ArrayBuffer> = Uint8Array.of(5, 0);

/** One element with `parts`, one behind the other, as its content. */
export function writeDer(
  tag: number,
  ...parts: readonly Uint8Array[]
): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const header = [tag, ...lengthOctets(length)];
  const der = new Uint8Array(header.length + length);
  der.set(header);
  let at = header.length;
  for (const part of parts) {
    der.set(part, at);
    at += part.length;
  }
  return der;
}

/** X.690 §10.1: as few octets as possible. */
function lengthOctets(length: number): readonly number[] {
  if (length < 0x80) return [length];
  const octets = [];
  for (let rest = length; rest > 0; rest = Math.floor(rest / 0x100)) {
    octets.unshift(rest % 0x100);
  }
  return [0x80 + octets.length, ...octets];
}

export function writeSequence(
  ...members: readonly Uint8Array[]
): Uint8Array<ArrayBuffer> {
  return writeDer(DER_TAG.sequence, ...members);
}

/**
 * INTEGER that is not negative, as short as possible (X.690 §8.3.2).
 *
 * @param magnitude big endian, of any length
 */
export function writeInteger(magnitude: Uint8Array): Uint8Array<ArrayBuffer> {
  const start = magnitude.findIndex((octet) => octet !== 0);
  const digits = start < 0 ? new Uint8Array() : magnitude.subarray(start);
  // The top bit is the sign; zero is one octet as well.
  const sign = (digits[0] ?? 0x80) < 0x80 ? [] : [0];
  return writeDer(DER_TAG.integer, Uint8Array.from(sign), digits);
}

/** INTEGER from 0 to 2^31 - 1. */
export function writeSmallInteger(value: number): Uint8Array<ArrayBuffer> {
  const octets = new Uint8Array(4);
  new DataView(octets.buffer).setUint32(0, value);
  return writeInteger(octets);
}

export function writeOctetString(
  content: Uint8Array,
): Uint8Array<ArrayBuffer> {
  return writeDer(DER_TAG.octetString, content);
}

/** BIT STRING of whole octets. */
export function writeOctetBits(octets: Uint8Array): Uint8Array<ArrayBuffer> {
  return writeDer(DER_TAG.bitString, Uint8Array.of(0), octets);
}

/** OBJECT IDENTIFIER from its dotted text. */
export function writeObjectIdentifier(oid: string): Uint8Array<ArrayBuffer> {
  const [first = 0n, second = 0n, ...rest] = oid.split(".").map(BigInt);
  // X.690 §8.19.4: the first two arcs share one number.
  const octets = [first * 40n + second, ...rest].flatMap(base128);
  return writeDer(DER_TAG.objectIdentifier, Uint8Array.from(octets));
}

/** Seven bits an octet; all but the last have the top bit. */
function base128(arc: bigint): readonly number[] {
  const octets = [Number(arc & 0x7fn)];
  for (let rest = arc >> 7n; rest > 0n; rest >>= 7n) {
    octets.unshift(0x80 | Number(rest & 0x7fn));
  }
  return octets;
}

/**
 * AlgorithmIdentifier (RFC 5280 §4.1.1.2).
 *
 * @param parameters DER; none when absent
 */
export function writeAlgorithm(
  oid: string,
  ...parameters: readonly Uint8Array[]
): Uint8Array<ArrayBuffer> {
  return writeSequence(writeObjectIdentifier(oid), ...parameters);
}
