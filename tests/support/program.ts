/**
 * The program under test, as a child process: the source with the Deno that
 * runs the tests, or the binary or bundle that REKEY_TEST_BINARY names.
 */
import { ROOT } from "../../scripts/paths.ts";
import { run, type RunOptions, type RunResult } from "./run.ts";

/** What to start, and the arguments that come before the program's own. */
export interface ProgramCommand {
  readonly command: string;
  readonly args: readonly string[];
}

/**
 * The permissions of deno.json, as flags: all that the program needs. `-P` grants
 * the same, and prints a warning at every start.
 */
export const PERMISSIONS: readonly string[] = Object.entries(
  JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`)).permissions.rekey,
).flatMap(([name, granted]) =>
  Array.isArray(granted)
    ? [`--allow-${name}=${granted.join(",")}`]
    : granted === true
    ? [`--allow-${name}`]
    : []
);

/** With it, the runtime opens the files of /proc. */
export const EVERY_PERMISSION: readonly string[] = ["-A"];

/**
 * The command that starts the program.
 *
 * @param permissions of the source; {@linkcode EVERY_PERMISSION} for what it can
 *   do with all of them alone
 */
export function program(
  permissions: readonly string[] = PERMISSIONS,
): ProgramCommand {
  const binary = Deno.env.get("REKEY_TEST_BINARY");
  if (binary?.endsWith(".js")) return bundled(binary);
  return binary ? { command: binary, args: [] } : {
    command: Deno.execPath(),
    args: ["run", ...permissions, "--no-prompt", `${ROOT}main.ts`],
  };
}

/** A bundle, by its file or its URL, without anything of this checkout. */
export function bundled(
  bundle: string,
  permissions: readonly string[] = EVERY_PERMISSION,
): ProgramCommand {
  const flags = ["--no-config", "--no-prompt", "--unstable-net"];
  return {
    command: Deno.execPath(),
    args: ["run", ...flags, ...permissions, bundle],
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
