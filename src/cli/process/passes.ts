/**
 * Runs passes over a pair, once or as a daemon: what `ca rekey` and `ca renew`
 * do. Light, so that trust is pinned and signals are caught before the rest is
 * loaded.
 */
import type { RekeyOptions } from "../../base/options.ts";
import type { Program } from "./program.ts";

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
    if (problem !== undefined) {
      const { beginAgain } = await import("./ask_authority.ts");
      return await beginAgain(problem, program);
    }
  }
  if (options.dryRun !== undefined) {
    const { runDryRun } = await import("./dry_run.ts");
    return await runDryRun(options, program);
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
