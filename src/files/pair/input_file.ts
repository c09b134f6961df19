/**
 * Reads small files that the user names: certificates, keys, passwords.
 */
import { accessFacts } from "../../base/access_facts.ts";
import { RekeyError } from "../../base/errors.ts";
import { readLimited, readToLimit } from "../../base/limited_file.ts";
import { osReason } from "../../base/os_error.ts";
import { STANDARD_INPUT } from "../../base/paths.ts";

/** Largest accepted input, in bytes; a chain of 1000 certificates is below 2 MiB. */
export const MAX_INPUT_BYTES: number = 10 * 1024 * 1024;

/**
 * The content of `file`; `-` is standard input.
 *
 * @throws {RekeyError} kind `pair`: `open FILE failed: REASON` in the system's
 *   words, or what is wrong with it (not a regular file, too large)
 */
export async function readInputFile(
  file: string,
): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return file === STANDARD_INPUT
      ? await readToLimit(Deno.stdin, MAX_INPUT_BYTES)
      : await readLimited(file, MAX_INPUT_BYTES);
  } catch (error) {
    const facts = accessFacts(file, error);
    throw new RekeyError(
      "pair",
      `open ${file} failed: ${osReason(error)}${
        facts === undefined ? "" : ` (${facts})`
      }`,
      { cause: error },
    );
  }
}
