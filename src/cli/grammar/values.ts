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
    case "list":
      return [text];
  }
}

const INT64_LIMIT = 1n << 63n;

/** `_` stands between digits, or behind what names the base. */
const INTEGER =
  /^([-+]?)(0b(?:_?[01])+|0o(?:_?[0-7])+|0x(?:_?[0-9a-f])+|0(?:_?[0-7])*|[1-9](?:_?[0-9])*)$/i;

/**
 * The integer that Go's `strconv.ParseInt(text, 0, 64)` gives: decimal, `0x`,
 * `0o`, `0b`, octal after a leading zero, `_` between digits, a sign.
 *
 * @throws {ValueError}
 */
export function parseInteger(text: string): bigint {
  const [, sign, digits] = INTEGER.exec(text) ?? [];
  if (digits === undefined) throw new ValueError("invalid syntax");
  const plain = digits.replaceAll("_", "").replace(/^0(?=[0-9])/, "0o");
  const value = sign === "-" ? -BigInt(plain) : BigInt(plain);
  if (value >= INT64_LIMIT || value < -INT64_LIMIT) {
    throw new ValueError("value out of range");
  }
  return value;
}

/**
 * The boolean that Go's `strconv.ParseBool` gives.
 *
 * @throws {ValueError}
 */
export function parseBoolean(text: string): boolean {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(text)) return false;
  throw new ValueError("invalid syntax");
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
