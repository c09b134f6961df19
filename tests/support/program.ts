/**
 * The program under test, as a child process: the source with the Deno that
 * runs the tests, or the binary that REKEY_TEST_BINARY names.
 */
import { ROOT } from "../../scripts/paths.ts";
import { run, type RunOptions, type RunResult } from "./run.ts";

/** What to start, and the arguments that come before the program's own. */
export interface ProgramCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/** The command that starts the program. */
export function program(): ProgramCommand {
  const binary = Deno.env.get("REKEY_TEST_BINARY");
  return binary ? { command: binary, args: [] } : {
    command: Deno.execPath(),
    args: ["run", "-A", "--no-prompt", `${ROOT}main.ts`],
  };
}

/** Runs the program to its end. */
export function runProgram(
  args: readonly string[],
  options: RunOptions = {},
): Promise<RunResult> {
  const { command, args: before } = program();
  return run(command, [...before, ...args], options);
}
