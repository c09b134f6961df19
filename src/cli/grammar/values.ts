/**
 * Integers and booleans as Go reads them, and text as Go quotes it.
 *
 * Pure. The rules are Go's strconv package (`ParseInt` with base 0,
 * `ParseBool`, `Quote`), which every value of the original goes through.
 */

import type { FlagKind, FlagValue } from "./command.ts";

/** What is wrong with a value, in strconv's words. */
export type ValueFault = "invalid syntax" | "value out of range";

/** A value that cannot be read. */
export class ValueError extends Error {
  override readonly name = "ValueError";
  readonly fault: ValueFault;
  constructor(fault: ValueFault) {
    super(fault);
    this.fault = fault;
  }
}

/**
 * The value that the text of a flag means.
 *
 * @throws {ValueError}
 */
export function parseValue(text: string, kind: FlagKind): FlagValue {
  switch (kind) {
    case "text":
      return text;
    case "integer":
      return parseInteger(text);
    case "boolean":
      return parseBoolean(text);
  }
}

const UINT64_LIMIT = 1n << 64n;
const INT64_LIMIT = 1n << 63n;

/**
 * The integer that Go's `strconv.ParseInt(text, 0, 64)` gives: decimal, `0x`,
 * `0o`, `0b`, octal after a leading zero, `_` between digits, a sign.
 *
 * @throws {ValueError}
 */
export function parseInteger(text: string): bigint {
  const negative = text.startsWith("-");
  const unsigned = negative || text.startsWith("+") ? text.slice(1) : text;
  const { base, digits } = splitBase(unsigned);
  // "0_7" is legal: the zero in front counts as a digit for the underscore.
  const prefixed = base !== 10;
  if (digits === "" && unsigned !== "0") throw new ValueError("invalid syntax");
  const magnitude = parseDigits(digits, base);
  if (!underscoresSeparate(digits, prefixed)) {
    throw new ValueError("invalid syntax");
  }
  if (magnitude > INT64_LIMIT || (!negative && magnitude === INT64_LIMIT)) {
    throw new ValueError("value out of range");
  }
  return negative ? -magnitude : magnitude;
}

function splitBase(
  unsigned: string,
): { readonly base: number; readonly digits: string } {
  if (!unsigned.startsWith("0")) return { base: 10, digits: unsigned };
  if (unsigned.length >= 3) {
    const base = { b: 2, o: 8, x: 16 }[unsigned.charAt(1).toLowerCase()];
    if (base !== undefined) return { base, digits: unsigned.slice(2) };
  }
  return { base: 8, digits: unsigned.slice(1) };
}

function parseDigits(digits: string, base: number): bigint {
  let value = 0n;
  for (const character of digits) {
    if (character === "_") continue;
    const digit = /^[0-9a-zA-Z]$/.test(character)
      ? Number.parseInt(character, 36)
      : base;
    if (digit >= base) throw new ValueError("invalid syntax");
    value = value * BigInt(base) + BigInt(digit);
    // Go gives up at the first digit too many, whatever follows.
    if (value >= UINT64_LIMIT) throw new ValueError("value out of range");
  }
  return value;
}

function underscoresSeparate(digits: string, prefixed: boolean): boolean {
  return !/__|_$/.test(digits) && (prefixed || !digits.startsWith("_"));
}

const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "TRUE", "true", "True"].map((word) =>
    [word, true] as const
  ),
  ...["0", "f", "F", "FALSE", "false", "False"].map((word) =>
    [word, false] as const
  ),
]);

/**
 * The boolean that Go's `strconv.ParseBool` gives.
 *
 * @throws {ValueError}
 */
export function parseBoolean(text: string): boolean {
  const value = BOOLEANS.get(text);
  if (value === undefined) throw new ValueError("invalid syntax");
  return value;
}

const ESCAPES: ReadonlyMap<string, string> = new Map([
  ["\x07", "\\a"],
  ["\b", "\\b"],
  ["\f", "\\f"],
  ["\n", "\\n"],
  ["\r", "\\r"],
  ["\t", "\\t"],
  ["\v", "\\v"],
  ["\\", "\\\\"],
  ['"', '\\"'],
]);

/** The text as Go's `%q` prints it: nothing in it can move a terminal's cursor. */
export function goQuote(text: string): string {
  const quoted = Array.from(text, (character) => {
    const escape = ESCAPES.get(character);
    if (escape !== undefined) return escape;
    if (/^[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u.test(character)) return character;
    const code = character.codePointAt(0) ?? 0;
    if (code < 0x80) return `\\x${hex(code, 2)}`;
    return code < 0x10000 ? `\\u${hex(code, 4)}` : `\\U${hex(code, 8)}`;
  });
  return `"${quoted.join("")}"`;
}

function hex(code: number, width: number): string {
  return code.toString(16).padStart(width, "0");
}
