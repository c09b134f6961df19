/**
 * The same pass, repeated: waits, calls `rekeyOnce`, waits again.
 *
 * Nothing is remembered across passes but the number of failures in a row:
 * each wait is computed from the certificate that is on disk at that moment
 * (smallstep/cli#1632), and each pass makes a new key (smallstep/cli#1343).
 */
import { formatGoDuration } from "./duration.ts";
import { ERROR_KINDS, RekeyError } from "./errors.ts";
import { currentFiles } from "./files/current_pair.ts";
import { loadChain } from "./files/key_pair.ts";
import type { RekeyOptions, Schedule } from "./options.ts";
import type { Certificate } from "./pki/certificate.ts";
import { type RekeyJob, rekeyOnce } from "./rekey.ts";
import type { Runtime } from "./runtime.ts";
import { backoffMs, nextWaitMs, remainingMs } from "./schedule.ts";

/** What the outside world may ask of a daemon. */
export interface DaemonSignals {
  /** Aborts when the daemon has to end. */
  readonly stop: AbortSignal;
  /** Aborts at the next request to rekey now, or is aborted when one is pending. */
  wake(): AbortSignal;
  /** Forgets a request that is being obeyed; later ones count again. */
  clearWake(): void;
}

/**
 * Rekeys until it is told to stop.
 *
 * @throws {RekeyError} when another try cannot help (retry class `never`)
 */
export async function runDaemon(
  job: RekeyJob,
  runtime: Runtime,
  signals: DaemonSignals,
): Promise<void> {
  const { clock, log } = runtime;
  const environment = { runtime, stop: signals.stop };
  const schedule = daemonSchedule(job.options);
  let waitMs = await firstWaitMs(job.options, schedule, environment);
  let failures = 0;
  while (!signals.stop.aborted) {
    await clock.sleep(
      waitMs,
      AbortSignal.any([signals.stop, signals.wake()]),
    );
    if (signals.stop.aborted) return;
    signals.clearWake();
    try {
      await rekeyOnce(job, runtime, signals.stop);
      failures = 0;
    } catch (error) {
      if (!(error instanceof RekeyError)) throw error;
      if (signals.stop.aborted) return;
      const { retry } = ERROR_KINDS[error.kind];
      if (retry === "never") throw error;
      // The pair is new: only the reload failed, so no new certificate is due.
      failures = retry === "reload" ? 0 : failures + 1;
      waitMs = Math.max(
        await waitAfter(failures, job.options, { schedule, ...environment }),
        error.retryAfterMs ?? 0,
      );
      log.write({ event: "failed", error, nextAttemptMs: waitMs });
      continue;
    }
    const certificate = await currentCertificate(
      job.options,
      runtime,
      signals.stop,
    );
    waitMs = plannedWaitMs(certificate, schedule, runtime);
    log.write({ event: "scheduled", certificate, waitMs, first: false });
  }
}

interface Environment {
  readonly runtime: Runtime;
  readonly stop: AbortSignal;
}

async function firstWaitMs(
  options: RekeyOptions,
  schedule: Schedule,
  { runtime, stop }: Environment,
): Promise<number> {
  const certificate = await currentCertificate(options, runtime, stop);
  requireShorterThanLife(certificate, schedule);
  const waitMs = plannedWaitMs(certificate, schedule, runtime);
  runtime.log.write({ event: "scheduled", certificate, waitMs, first: true });
  return waitMs;
}

async function waitAfter(
  failures: number,
  options: RekeyOptions,
  { schedule, runtime, stop }: Environment & { readonly schedule: Schedule },
): Promise<number> {
  const certificate = await currentCertificate(options, runtime, stop);
  if (failures === 0) return plannedWaitMs(certificate, schedule, runtime);
  const leftMs = remainingMs(certificate, runtime.clock.now());
  return backoffMs(failures, leftMs, runtime.random());
}

async function currentCertificate(
  options: RekeyOptions,
  { clock, terminal }: Runtime,
  signal: AbortSignal,
): Promise<Certificate> {
  const password = { file: options.passwordFiles.key, terminal, signal };
  const files = await currentFiles(options, password, clock.now());
  return (await loadChain(files.certificate))[0];
}

function plannedWaitMs(
  certificate: Certificate,
  schedule: Schedule,
  { clock, random }: Runtime,
): number {
  return nextWaitMs(certificate, schedule, {
    now: clock.now(),
    random: random(),
  });
}

/**
 * The one rule of a schedule that needs the certificate: what is as long as its
 * life would be due again at once, for ever.
 */
function requireShorterThanLife(
  { notBefore, notAfter }: Certificate,
  schedule: Schedule,
): void {
  if (schedule.rule === "two-thirds") return;
  const [flag, ms] = schedule.rule === "period"
    ? ["rekey-period", schedule.periodMs] as const
    : ["expires-in", schedule.beforeMs] as const;
  const lifetimeMs = notAfter.getTime() - notBefore.getTime();
  if (ms < lifetimeMs) return;
  throw new RekeyError(
    "usage",
    `flag '--${flag}' must be within (lower than) the certificate validity ` +
      `period; ${flag}=${goDuration(ms)}, ` +
      `cert-validity-period=${goDuration(lifetimeMs)}`,
  );
}

function goDuration(ms: number): string {
  return formatGoDuration(BigInt(Math.round(ms * 1_000_000)));
}

function daemonSchedule({ mode }: RekeyOptions): Schedule {
  if (mode.run === "daemon") return mode.schedule;
  throw new TypeError("runDaemon() needs options of a daemon");
}
