/**
 * Runs passes over a pair, once or as a daemon: what `ca rekey` and `ca renew`
 * do. Light, so that trust is pinned and signals are caught before the rest is
 * loaded.
 */
import { RekeyError } from "../../base/errors.ts";
import type { RekeyOptions } from "../../base/options.ts";
import type { Program, TrustProblem } from "./program.ts";

/** How long to wait for a reader of the log when a signal ended the run, in ms. */
const STOP_FLUSH_MS = 300;

/**
 * @returns the exit code
 * @throws {RekeyError} of any kind
 */
export async function runPasses(
  options: RekeyOptions,
  program: Program,
): Promise<number> {
  if (options.authority.mode === "online") {
    const problem = program.pinTrust();
    if (problem !== undefined) return await beginAgain(problem, program);
  }
  // Then at once: what is loaded next takes a tenth of a second, in which a
  // signal would end the process in the system's way.
  const { processSignals } = await import("./signals.ts");
  const signals = processSignals(options.mode.run);
  const [{ runRekey }, { denoRuntime }] = await Promise.all([
    import("./job.ts"),
    import("./deno_runtime.ts"),
  ]);
  const runtime = denoRuntime({
    run: options.mode.run,
    file: options.output.certificate,
    format: options.logFormat,
  }, program);
  try {
    await runRekey(options, runtime, signals);
  } finally {
    // Who stops us does not wait for a reader as long as a person would.
    if (signals.stop.aborted) await program.flush(STOP_FLUSH_MS);
  }
  return 0;
}

/** In a process where it is not too late. */
async function beginAgain(
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
