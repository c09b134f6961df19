/**
 * The note that a reload is owed, as text: parsing and formatting.
 *
 * Every note has the same length, so that it can be changed by writing over it
 * once. What a power cut or somebody else made unreadable still says by its
 * name that a reload is owed for the certificate, and that is the safe reading.
 */
import type { ReloadPart } from "../../base/options.ts";

/** What is owed, and how often it was tried. */
export interface OwedNote {
  /** SHA-256 of the certificate's DER, hexadecimal. */
  readonly certificate: string;
  readonly serial: string;
  /** Undefined when the note was damaged, or the number far too long. */
  readonly previousSerial?: string | undefined;
  readonly notAfter: Date;
  /** Tries that have begun, the one in hand included. */
  readonly attempts: number;
  /** Never empty. */
  readonly owed: readonly ReloadPart[];
}

/** Bytes of a note: one sector, which a disk writes as a whole. */
export const NOTE_BYTES = 512;

/** Counts of attempts beyond it are a mistake, and would not stay exact. */
const MOST_ATTEMPTS = 2 ** 31;

/** Hexadecimal digits of a serial number; RFC 5280 §4.1.2.2 allows 40. */
const MOST_SERIAL_DIGITS = 128;

/**
 * The text of a note: {@linkcode NOTE_BYTES} bytes of JSON and white space. A
 * serial number far beyond all rules is cut, a previous one left out.
 */
export function formatOwedNote(
  { certificate, serial, previousSerial = "", notAfter, attempts, owed }:
    OwedNote,
): string {
  const fits = previousSerial !== "" &&
    previousSerial.length <= MOST_SERIAL_DIGITS;
  const text = JSON.stringify({
    version: 1,
    certificate,
    serial: serial.slice(0, MOST_SERIAL_DIGITS),
    ...(fits && { previousSerial }),
    notAfter: notAfter.toISOString(),
    attempts: Math.min(attempts, MOST_ATTEMPTS),
    owed,
  });
  return `${text.padEnd(NOTE_BYTES - 1)}\n`;
}

/** The bytes of {@linkcode formatOwedNote}. */
export function encodeOwedNote(note: OwedNote): Uint8Array {
  return new TextEncoder().encode(formatOwedNote(note));
}

/** The note, or undefined when it is not one that this version writes. */
export function parseOwedNote(text: string): OwedNote | undefined {
  const value = parseObject(text);
  if (value === undefined || value.version !== 1) return undefined;
  const { certificate, serial, previousSerial, attempts } = value;
  const notAfter = new Date(String(value.notAfter));
  const owed = parseParts(value.owed);
  if (
    !isHex(certificate) || !isHex(serial) || owed === undefined ||
    Number.isNaN(notAfter.getTime()) ||
    !(previousSerial === undefined || isHex(previousSerial)) ||
    !isCount(attempts)
  ) return undefined;
  return {
    ...{ certificate, serial, notAfter, attempts, owed },
    ...(previousSerial !== undefined && { previousSerial }),
  };
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null
      ? { ...value }
      : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function parseParts(value: unknown): readonly ReloadPart[] | undefined {
  if (!Array.isArray(value) || value.length === 0) return undefined;
  const parts = value.filter(isPart);
  return parts.length === value.length ? parts : undefined;
}

function isPart(value: unknown): value is ReloadPart {
  return value === "signal" || value === "exec";
}

function isHex(value: unknown): value is string {
  return typeof value === "string" && /^[0-9A-Fa-f]+$/.test(value) &&
    value.length <= MOST_SERIAL_DIGITS;
}

function isCount(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 1 &&
    value <= MOST_ATTEMPTS;
}
