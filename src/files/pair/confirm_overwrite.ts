/**
 * May we replace these files? Asked once, for all of them, before the CA is
 * asked: the original asks for each, after the CA has issued, and a "yes" then
 * "no" leaves two files that do not match (smallstep/cli
 * command/ca/renew.go:534-541).
 */
import { RekeyError } from "../../base/errors.ts";
import { osReason } from "../../base/os_error.ts";
import { NoTerminalError, type Terminal } from "../../base/runtime.ts";
import type { Pair } from "../transaction.ts";

/**
 * Asks once before existing targets are replaced; new ones need no answer.
 *
 * @throws {RekeyError} kind `declined` on no; kind `usage` when there is no
 *   terminal; kind `install` for a directory
 */
export async function confirmOverwrite(
  files: Pair<string>,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const existing: string[] = [];
  for (const file of [files.certificate, files.key]) {
    if (file !== undefined && await exists(file)) existing.push(file);
  }
  const [first] = existing;
  if (first === undefined) return;
  if (await ask(existing.join(" and "), terminal, signal)) return;
  throw new RekeyError(
    "declined",
    `unexpected error on ${first}: file exists, and you chose to keep it; nothing was requested or changed`,
  );
}

async function exists(file: string): Promise<boolean> {
  try {
    const { isDirectory } = await Deno.stat(file);
    if (!isDirectory) return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw new RekeyError("install", `open ${file} failed: ${osReason(error)}`, {
      cause: error,
    });
  }
  throw new RekeyError("install", `${file} is a directory`);
}

async function ask(
  files: string,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    return await terminal.confirm(
      `Would you like to overwrite ${files} [Y/n]: `,
      signal,
    );
  } catch (error) {
    if (!(error instanceof NoTerminalError)) throw error;
    throw new RekeyError(
      "usage",
      `cannot ask whether to overwrite ${files}: open /dev/tty failed: ${error.reason}`,
      { hint: { remedy: "overwrite without asking" }, cause: error },
    );
  }
}
