/**
 * A program of the user's that this process starts, tells, and outlives.
 *
 * It has our streams, directory, environment, process group and terminal: what
 * a shell would give it. Its end is never brought about from here.
 */
import { RekeyError } from "../base/errors.ts";
import { osReason } from "../base/os_error.ts";
import { shortened } from "../base/printable.ts";
import { NOT_EXECUTABLE, NOT_FOUND, notStarted } from "./exec.ts";
import { programProblem } from "./program_problem.ts";

/** A running program. */
export interface Child {
  readonly pid: number;
  /** How it ended. */
  readonly status: Promise<Deno.CommandStatus>;
  /**
   * Hands a signal on: a name, or a number from 1 to 31. Nothing happens when
   * it has ended.
   *
   * @throws what the system says, as of a program of another user
   */
  kill(signal: Deno.Signal | number): void;
}

/**
 * Refuses a program that could not be started, as far as a look tells.
 *
 * @throws {RekeyError} kind `usage`, with the exit code of a shell: 127 when
 *   it is not found, 126 when it is not executable
 */
export async function requireProgram(program: string): Promise<void> {
  const problem = await programProblem(program);
  if (problem === undefined) return;
  throw new RekeyError(
    "usage",
    `the command cannot be run: ${
      JSON.stringify(shortened(program))
    } is ${problem}`,
    {
      exitCode: problem === "no executable file" ? NOT_EXECUTABLE : NOT_FOUND,
      hint: "nothing was changed: install it, or correct its name",
    },
  );
}

/**
 * Starts a program.
 *
 * @param words program and arguments, at least one word
 * @param env variables in addition to the environment of this process
 * @throws {RekeyError} kind `usage`, with the exit code of a shell
 */
export function startChild(
  [program = "", ...args]: readonly string[],
  env: Readonly<Record<string, string>>,
): Child {
  let child: Deno.ChildProcess;
  try {
    child = new Deno.Command(program, {
      args,
      env: { ...env },
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
  } catch (error) {
    throw notStarted("usage", program, error);
  }
  return {
    pid: child.pid,
    status: child.status,
    kill(signal) {
      try {
        // The types know names only, and the runtime numbers, too.
        child.kill(signal as Deno.Signal);
      } catch (error) {
        // It has ended, and the runtime knows, or will in a moment.
        const hasEnded = error instanceof TypeError ||
          error instanceof Deno.errors.NotFound;
        if (!hasEnded) throw error;
      }
    },
  };
}

/**
 * Tells a child of a new pair. One that has ended needs no telling: the next
 * one reads the pair at its start.
 *
 * @throws {RekeyError} kind `signal`
 */
export function tellChild({ kill, pid }: Child, signal: number): void {
  try {
    kill(signal);
  } catch (error) {
    throw new RekeyError(
      "signal",
      `kill ${pid} with signal ${signal} failed: ${osReason(error)}`,
      { cause: error },
    );
  }
}
