/**
 * How a command asks a CA: in a process that trusts the roots of that CA only,
 * and ends on a signal.
 */
import { RekeyError } from "../../base/errors.ts";
import type { Runtime } from "../../base/runtime.ts";
import { singleRun } from "./deno_runtime.ts";
import type { Program, TrustProblem } from "./program.ts";

/** What who asks is given. */
export interface Asker extends Runtime {
  readonly signal: AbortSignal;
}

/**
 * Runs `ask`, here or in a process of its own where it is too late here.
 *
 * @param file that messages are about
 * @returns the exit code
 */
export async function askAuthority(
  program: Program,
  file: string,
  ask: (asker: Asker) => Promise<number>,
): Promise<number> {
  const problem = program.pinTrust();
  if (problem !== undefined) return await beginAgain(problem, program);
  return await ask(singleRun(file, program));
}

/**
 * Runs the same line in a process where it is not too late.
 *
 * @throws {RekeyError} kind `config` where that cannot be done
 */
export async function beginAgain(
  problem: TrustProblem,
  program: Program,
): Promise<number> {
  const exitCode = await program.startAgain();
  if (exitCode !== undefined) return exitCode;
  throw problem === "other roots"
    ? new RekeyError(
      "config",
      "cannot make --root the only trust anchor: Deno has loaded other root certificates into this process, to download modules or to look for a newer version of itself",
      {
        hint:
          "run the same command again, now that the modules are downloaded, with DENO_NO_UPDATE_CHECK=1",
      },
    )
    : new RekeyError(
      "config",
      "the secrets of the connection to the CA would be written to the file of SSLKEYLOGFILE",
      { hint: "unset SSLKEYLOGFILE" },
    );
}
