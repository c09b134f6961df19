/**
 * When a certificate is due, and when to try again after a failure.
 */
import { RekeyError } from "../base/errors.ts";
import { currentCertificate } from "../files/pair/current_pair.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";
import { backoffMs, planWait, remainingMs } from "../engine/schedule.ts";
import { stoppable } from "../base/stoppable.ts";
import type { Daemon, Next, Step } from "./next_step.ts";
import { pairMark } from "./pair_watch.ts";
import { scheduleWarning } from "./schedule_warning.ts";

/** The plan for a certificate, which is logged. */
export function plan(
  { runtime: { clock, random, log }, schedule }: Daemon,
  certificate: Certificate,
  { after, mark, step }: {
    readonly after: "start" | "rekey";
    /** The files' {@linkcode pairMark}, taken before they were read. */
    readonly mark: string;
    /** What is due then. */
    readonly step: Step;
  },
): Next {
  const now = clock.now();
  const { waitMs, isRaised } = planWait(certificate, schedule, {
    now,
    random: random(),
    after,
  });
  const warning = scheduleWarning(schedule, certificate, isRaised);
  if (warning !== undefined) log.write(warning);
  const first = after === "start";
  log.write({ event: "scheduled", certificate, waitMs, first });
  return {
    ...{ waitMs, fromMs: now.getTime(), step, failures: 0 },
    ...{ serial: certificate.serial, mark },
  };
}

/**
 * The plan after a failure, which is logged and told.
 *
 * @throws {RekeyError} when another try cannot help
 */
export async function planAfterFailure(
  daemon: Daemon,
  error: RekeyError,
  failed: Pick<Next, "step" | "failures">,
): Promise<Next> {
  const { job, runtime: { clock, random, log }, failureHook } = daemon;
  const { retry } = error;
  const attempt = failed.failures + 1;
  if (retry === "never" || retry === "reload") {
    await failureHook.tell({ error, attempt, next: "last" });
    throw error;
  }
  const mark = pairMark(job.options);
  const certificate = await certificateAfter(daemon, error, attempt);
  const now = clock.now();
  const next = {
    waitMs: backoffMs({
      ...{ retry, failures: attempt, validity: certificate },
      retryAfterMs: error.retryAfterMs,
    }, { now, random: random() }),
    ...{ fromMs: now.getTime(), step: failed.step, failures: attempt },
    ...{ serial: certificate.serial, mark },
  };
  log.write({
    ...{ event: "failed", error, attempt, certificate },
    nextAttemptMs: next.waitMs,
    leftMs: remainingMs(certificate, now),
  });
  await failureHook.tell({ error, attempt, next: "again" });
  return next;
}

/** The certificate in force; without one, both reasons are told before the end. */
async function certificateAfter(
  daemon: Daemon,
  error: RekeyError,
  attempt: number,
): Promise<Certificate> {
  const { signals: { stop }, runtime: { log }, failureHook } = daemon;
  try {
    return await certificateOnDisk(daemon);
  } catch (worse) {
    if (!(worse instanceof RekeyError) || stop.aborted) throw worse;
    const { message, hint } = error;
    log.write({ event: "warning", message, hint });
    await failureHook.tell({ error: worse, attempt, next: "last" });
    throw worse;
  }
}

/** The certificate whose dates count now. */
export async function certificateOnDisk(
  { job, runtime, signals }: Daemon,
): Promise<Certificate> {
  return await stoppable(
    currentCertificate(job.options, runtime.clock.now()),
    signals.stop,
  );
}
