/**
 * The text of a note that counts as a whole or not at all: what it is, JSON in
 * one line, and a last line that proves that it is complete. Pure.
 */
import { type Format, headerOf, versionIn } from "../disk/format.ts";

/** What a file called like such a note turned out to be. */
export type SealedReading =
  | { readonly kind: "complete"; readonly body: object }
  /** Begins like ours and ends early: it never came into force. */
  | { readonly kind: "torn" }
  /** From a later version of this program. */
  | { readonly kind: "newer"; readonly version: number }
  /** Ours, but changed since; or not ours at all. */
  | { readonly kind: "damaged" | "alien" };

/** Last line of every version: without it, the writing was interrupted. */
const END = "end\n";

export function formatSealed(format: Format, body: object): string {
  return `${headerOf(format)}${JSON.stringify(body)}\n${END}`;
}

/** Reads the text of such a note; never throws. */
export function readSealed(text: string, format: Format): SealedReading {
  const magic = `${format.name} `;
  const isPrefix = text.length < magic.length;
  if (!(isPrefix ? magic.startsWith(text) : text.startsWith(magic))) {
    return { kind: "alien" };
  }
  const version = versionIn(text, format);
  if (version !== undefined && version > format.version) {
    return { kind: "newer", version };
  }
  if (!text.endsWith(`\n${END}`)) return { kind: "torn" };
  const [, line = "", end, ...rest] = text.split("\n");
  const body = parseObject(line);
  const isWhole = version === format.version && end === "end" &&
    rest.length === 1 && body !== undefined;
  return isWhole ? { kind: "complete", body } : { kind: "damaged" };
}

function parseObject(text: string): object | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

export function isObject(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

/** Members of an object that somebody else may have written. */
export type Fields<T> = Partial<Record<keyof T, unknown>>;
