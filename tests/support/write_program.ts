/**
 * Scripts that a test calls, or lets the program call.
 */
import { runOk } from "./run.ts";

/**
 * Writes an executable script, by a process of its own: what this one has open
 * for writing, a child that another test starts just now holds until it executes
 * its own program, and until then nothing can execute the script (ETXTBSY).
 */
export async function writeProgram(path: string, text: string): Promise<void> {
  await runOk("install", ["-m", "755", "/dev/stdin", path], { stdin: text });
}
