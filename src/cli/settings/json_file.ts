/**
 * Settings files: JSON objects that may be missing.
 *
 * Errors name the file and the place, never the content: a settings file may
 * hold a password next to the mistake.
 */

import { osReason } from "../../base/os_error.ts";

/** A file that cannot be used; `reason` stands alone after the file's name. */
export class JsonFileError extends Error {
  override readonly name = "JsonFileError";
  readonly step: "open" | "parse";
  readonly reason: string;
  constructor(step: "open" | "parse", reason: string, cause: unknown) {
    super(reason, { cause });
    this.step = step;
    this.reason = reason;
  }
}

/** An object of a settings file. */
export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Reads a JSON object. `null` counts as an empty one, as in Go.
 *
 * @returns undefined when the file does not exist
 * @throws {JsonFileError}
 */
export async function readJsonObject(
  file: string,
): Promise<JsonObject | undefined> {
  const text = await readText(file);
  if (text === undefined) return undefined;
  const value = parseJson(text);
  if (value === null) return {};
  if (!isJsonObject(value)) {
    throw new JsonFileError("parse", "must be a JSON object", undefined);
  }
  return value;
}

/** Whether a value is a JSON object, not an array and not null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

async function readText(file: string): Promise<string | undefined> {
  try {
    return await Deno.readTextFile(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    // A missing permission of the runtime is not the file's fault.
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw new JsonFileError("open", osReason(error), error);
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // V8 quotes the text around some mistakes; the quotation is cut off.
    const reason = error.message.replace(/, (?:\.\.\.)?".*$/s, "");
    throw new JsonFileError("parse", reason, undefined);
  }
}
