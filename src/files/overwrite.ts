/**
 * May we replace these files? Asked once, for all of them.
 */
import type { Terminal } from "../runtime.ts";
import type { InstallTargets } from "./install.ts";

/**
 * Asks once before existing targets are replaced; new ones need no answer.
 *
 * @throws {RekeyError} kind `declined` on no; kind `usage` with the hint
 *   `--force` when there is no terminal; kind `install` for a directory
 */
export function confirmOverwrite(
  _targets: InstallTargets,
  _terminal: Terminal,
  _signal: AbortSignal,
): Promise<void> {
  throw new Error("contract only");
}
