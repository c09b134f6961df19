/**
 * Settings files: JSON objects that may be missing.
 *
 * Errors name the file and the place, never the content: a settings file may
 * hold a password next to the mistake.
 */
import { RekeyError } from "../../base/errors.ts";
import { requireRegularFile } from "../../base/limited_file.ts";
import { osReason } from "../../base/os_error.ts";

/** An object of a settings file. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** What an error begins with: the file cannot be opened, or not be parsed. */
export interface ErrorBeginnings {
  readonly open: string;
  readonly parse: string;
}

/**
 * Reads a JSON object. `null` counts as an empty one, as in Go. Waits for the
 * disk: most of these files are not there, and nothing else could be done yet.
 *
 * @returns undefined when the file does not exist
 * @throws {RekeyError} kind `config`
 */
export function readJsonObject(
  file: string,
  begin: ErrorBeginnings,
): JsonObject | undefined {
  const fail = (message: string, cause?: unknown) =>
    new RekeyError("config", message, {
      hint: `repair or remove "${file}"`,
      cause,
    });
  let text: string;
  try {
    requireRegularFile(file);
    text = Deno.readTextFileSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    // A missing permission of the runtime is not the file's fault.
    if (error instanceof Deno.errors.NotCapable) throw error;
    throw fail(`${begin.open}open ${file} failed: ${osReason(error)}`, error);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    // V8 quotes the text around some mistakes; the quotation is cut off, and
    // the error is no cause, which STEPDEBUG would print.
    throw fail(begin.parse + error.message.replace(/, (?:\.\.\.)?".*$/s, ""));
  }
  if (value === null) return {};
  if (!isJsonObject(value)) throw fail(`${begin.parse}must be a JSON object`);
  return value;
}

/** Whether a value is a JSON object, not an array and not null. */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
