import { RekeyError } from "../base/errors.ts";
import type { RekeyOptions } from "../base/options.ts";
import type { Runtime } from "../base/runtime.ts";
import type { RekeyJob } from "./open_job.ts";
import {
  deliverPendingReload,
  deliverReload,
  INSTALLED,
} from "./pending_reload.ts";
import { type RekeyOutcome, replacePair } from "./rekey.ts";

/**
 * Rekeys once. A reload that is pending from an earlier run is delivered in any
 * case: with the new one, when none is due, or when there was no new one, since
 * the service then needs the pair in place all the more.
 *
 * @throws {RekeyError} as {@linkcode rekeyOnce}, after --exec-on-failure
 */
export async function runOnce(
  job: RekeyJob,
  runtime: Runtime,
  stop: AbortSignal,
): Promise<RekeyOutcome> {
  try {
    return await rekeyOnce(job, runtime, stop);
  } catch (error) {
    if (!(error instanceof RekeyError) || isPersonsWish(error)) throw error;
    if (error.retry !== "reload") {
      await deliverAfterFailure(job, runtime, stop);
    }
    await reportLast(error, job.options, { runtime, stop });
    throw error;
  }
}

/** Runs --exec-on-failure, if there is one, to its end. */
export async function reportLast(
  error: RekeyError,
  options: RekeyOptions,
  { runtime, stop }: {
    readonly runtime: Runtime;
    readonly stop: AbortSignal;
  },
): Promise<void> {
  if (options.reload.onFailure === undefined) return;
  const { FailureHook } = await import("./failure_hook.ts");
  await using hook = new FailureHook(options, runtime, stop);
  await hook.report({ error, attempt: 1, next: "last" });
}

/**
 * One pass: swaps the pair, then tells the service; or tells it of the pair in
 * place, when that is still pending and none is due.
 *
 * @throws {RekeyError} of any kind but `bug`; errors.ts says which are worth
 *   another try. Kinds `signal` and `hook` mean that the new pair is installed.
 */
export async function rekeyOnce(
  job: RekeyJob,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<RekeyOutcome> {
  const { outcome, pending } = await replacePair(job, runtime, signal);
  if (pending === undefined) return outcome;
  await deliverReload(pending, {
    reloader: job.reloader,
    log: runtime.log,
    names: job.options.names,
    installed: outcome.kind === "not-due" ? INSTALLED.earlier : INSTALLED.now,
    deliveredBy: "next run",
  }, signal);
  return outcome;
}

function isPersonsWish({ kind }: RekeyError): boolean {
  return kind === "declined" || kind === "interrupted";
}

/** The first failure is what the run ends with; this one is a warning beside it. */
async function deliverAfterFailure(
  job: RekeyJob,
  runtime: Runtime,
  stop: AbortSignal,
): Promise<void> {
  try {
    await deliverPendingReload(
      { ...job, installed: INSTALLED.earlier, deliveredBy: "next run" },
      runtime,
      stop,
    );
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    // The run that has the pair delivers what is pending, too.
    if (error.kind === "busy") return;
    runtime.log.write({
      event: "warning",
      message: error.retry === "reload"
        ? error.message
        : `a reload is still pending: ${error.message}`,
      hint: error.hint,
    });
  }
}
