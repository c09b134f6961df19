/** One pass, and what has to be done when it fails. */
import { RekeyError } from "../base/errors.ts";
import type { Runtime } from "../base/runtime.ts";
import { FailureHook } from "./failure_hook.ts";
import type { RekeyJob } from "./open_job.ts";
import { deliverPendingReload, INSTALLED } from "./pending_reload.ts";
import { rekeyOnce, type RekeyOutcome } from "./rekey.ts";

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
  await using hook = new FailureHook(job.options, runtime, stop);
  try {
    return await rekeyOnce(job, runtime, stop);
  } catch (error) {
    if (!(error instanceof RekeyError) || isPersonsWish(error)) throw error;
    if (error.retry !== "reload") {
      await deliverAfterFailure(job, runtime, stop);
    }
    await hook.tell({ error, attempt: 1, next: "last" });
    throw error;
  }
}

function isPersonsWish({ kind }: RekeyError): boolean {
  return kind === "declined" || kind === "interrupted";
}

/** The first failure is the one to report; this one is a warning beside it. */
async function deliverAfterFailure(
  job: RekeyJob,
  runtime: Runtime,
  stop: AbortSignal,
): Promise<void> {
  try {
    await deliverPendingReload(
      {
        ...job,
        installed: INSTALLED.earlier,
        deliveredBy: "next run",
      },
      runtime,
      stop,
    );
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    // Who has the pair now delivers, too.
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
