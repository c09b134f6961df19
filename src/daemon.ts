/**
 * The same pass, repeated: waits, calls `rekeyOnce`, waits again.
 *
 * Nothing is remembered across passes but the number of failures in a row:
 * each wait is computed from the certificate that is on disk at that moment
 * (smallstep/cli#1632), and each pass makes a new key (smallstep/cli#1343).
 */
import type { ServiceManager } from "./daemon/service_manager.ts";
import { wait } from "./daemon/wait.ts";
import { withBeats } from "./daemon/beats.ts";
import { requireShorterThanLife } from "./daemon/shorter_than_life.ts";
import { formatRoundedDuration } from "./duration.ts";
import { RekeyError } from "./errors.ts";
import { FailureHook } from "./failure_hook.ts";
import { currentCertificate } from "./files/current_pair.ts";
import { formatInstant } from "./instant.ts";
import type { RekeyOptions, Schedule } from "./options.ts";
import type { Certificate } from "./pki/certificate.ts";
import { checkPair, type RekeyJob, rekeyOnce } from "./rekey.ts";
import { ReloadRetries } from "./reload_retries.ts";
import type { Runtime } from "./runtime.ts";
import { backoffMs, lifetimeMs, planWait, remainingMs } from "./schedule.ts";
import { stoppable } from "./stoppable.ts";

/** What the outside world may ask of a daemon. */
export interface DaemonSignals {
  /** Aborts when the daemon has to end. */
  readonly stop: AbortSignal;
  /** Aborts at the next request to rekey now, or is aborted when one is pending. */
  wake(): AbortSignal;
  /** Forgets a request that is being obeyed; later ones count again. */
  clearWake(): void;
}

/** Who a daemon listens to, and who it tells. */
export interface DaemonHost {
  readonly signals: DaemonSignals;
  readonly service: ServiceManager;
}

/** Everything that one daemon works with. */
interface Daemon extends DaemonHost {
  readonly job: RekeyJob;
  readonly runtime: Runtime;
  readonly schedule: Schedule;
  readonly failureHook: FailureHook;
  readonly reloads: ReloadRetries;
}

/** Work that ends with a plan for the next. */
type Step = (daemon: Daemon) => Promise<Next>;

/** What comes next. */
interface Next {
  readonly waitMs: number;
  readonly step: Step;
  /** Failures in a row so far. */
  readonly failures: number;
}

/**
 * Rekeys until it is told to stop.
 *
 * @throws {RekeyError} when another try cannot help (retry class `never`)
 */
export async function runDaemon(
  job: RekeyJob,
  runtime: Runtime,
  { signals, service }: DaemonHost,
): Promise<void> {
  const schedule = daemonSchedule(job.options);
  const { stop } = signals;
  await using failureHook = new FailureHook(job.options, runtime, stop);
  const reloads = new ReloadRetries(job, runtime, failureHook);
  const daemon = {
    ...{ job, runtime, schedule, signals, service },
    ...{ failureHook, reloads },
  };
  stop.addEventListener("abort", () => service.stopping(), { once: true });
  let next = await attempt(daemon, begin, 0);
  if (!stop.aborted) service.ready(statusOf(next, runtime));
  while (!stop.aborted) {
    await pause(daemon, next.waitMs);
    if (stop.aborted) break;
    const isWoken = signals.wake().aborted;
    signals.clearWake();
    if (isWoken) {
      runtime.log.write({ event: "woken" });
      service.reloading("rekeying");
    } else service.status("rekeying");
    const step = isWoken ? rekeyAndPlan : next.step;
    next = await attempt(daemon, step, next.failures);
    // Who is stopping is not ready any more.
    if (!stop.aborted) service.ready(statusOf(next, runtime));
  }
  runtime.log.write({ event: "stopped" });
}

/** Sleeps, shows that it is no more than that, and pays reloads that are owed. */
async function pause(
  { job, runtime: { clock, log }, signals, service, reloads }: Daemon,
  waitMs: number,
): Promise<void> {
  const awake = AbortSignal.any([signals.stop, signals.wake()]);
  await reloads.during(waitMs, {
    awake,
    sleep: (ms) =>
      wait(ms, {
        ...{ clock, signal: awake, sliceMs: service.beatMs },
        beat: () => service.beat(),
        stepped: (byMs) => log.write({ event: "clock-stepped", byMs }),
      }),
    pay: () =>
      withBeats(reloads.pay(signals.stop), {
        service,
        limitMs: passLimitMs(job.options),
      }),
  });
}

/** Takes a step, and decides what comes after it, be it done or failed. */
async function attempt(
  daemon: Daemon,
  step: Step,
  failures: number,
): Promise<Next> {
  const { signals: { stop }, service } = daemon;
  try {
    return await withBeats(step(daemon), {
      service,
      limitMs: passLimitMs(daemon.job.options),
    });
  } catch (error) {
    if (stop.aborted) return STOPPED;
    if (!(error instanceof RekeyError)) throw error;
    try {
      return await planAfterFailure(daemon, error, { step, failures });
    } catch (later) {
      if (stop.aborted) return STOPPED;
      throw later;
    }
  }
}

const STOPPED: Next = { waitMs: 0, step: begin, failures: 0 };

/** Looks before the first wait whether a pass could succeed. */
async function begin(daemon: Daemon): Promise<Next> {
  const { job, runtime, schedule, signals } = daemon;
  const certificate = await checkPair(job, runtime, signals.stop);
  requireShorterThanLife(certificate, schedule);
  return plan(daemon, certificate, "start");
}

async function rekeyAndPlan(daemon: Daemon): Promise<Next> {
  const { job, runtime, signals, reloads, failureHook } = daemon;
  await rekeyOnce(job, runtime, signals.stop);
  reloads.paid();
  failureHook.succeeded();
  return plan(daemon, await certificateOnDisk(daemon), "rekey");
}

function plan(
  { runtime: { clock, random, log }, schedule }: Daemon,
  certificate: Certificate,
  after: "start" | "rekey",
): Next {
  const { waitMs, isRaised } = planWait(certificate, schedule, {
    now: clock.now(),
    random: random(),
    after,
  });
  if (isRaised) {
    log.write({
      event: "warning",
      message:
        `the schedule does not fit the new certificate, which lives for ${
          formatRoundedDuration(lifetimeMs(certificate))
        }: it would be due again too soon`,
      hint:
        "choose an --expires-in or --rekey-period well below that lifetime, or ask the CA for a longer one",
    });
  }
  const first = after === "start";
  log.write({ event: "scheduled", certificate, waitMs, first });
  return { waitMs, step: rekeyAndPlan, failures: 0 };
}

async function planAfterFailure(
  daemon: Daemon,
  error: RekeyError,
  failed: Pick<Next, "step" | "failures">,
): Promise<Next> {
  const { runtime: { clock, random, log }, failureHook, reloads } = daemon;
  const { retry } = error;
  const attempt = failed.failures + 1;
  if (retry === "never") {
    await failureHook.tell({ error, attempt, next: "last" });
    throw error;
  }
  const certificate = await certificateOnDisk(daemon);
  if (retry === "reload") {
    // The pair is new: only the reload failed, so no new certificate is due.
    failureHook.succeeded();
    await reloads.owes(error);
    return plan(daemon, certificate, "rekey");
  }
  const next = {
    waitMs: backoffMs({
      ...{ retry, failures: attempt, validity: certificate },
      retryAfterMs: error.retryAfterMs,
    }, { now: clock.now(), random: random() }),
    step: failed.step,
    failures: attempt,
  };
  log.write({
    ...{ event: "failed", error, attempt, certificate },
    nextAttemptMs: next.waitMs,
    leftMs: remainingMs(certificate, clock.now()),
  });
  await failureHook.tell({ error, attempt, next: "again" });
  return next;
}

async function certificateOnDisk(
  { job, runtime, signals }: Daemon,
): Promise<Certificate> {
  return await stoppable(
    currentCertificate(job.options, runtime.clock.now()),
    signals.stop,
  );
}

function statusOf({ waitMs, failures }: Next, { clock }: Runtime): string {
  const at = formatInstant(new Date(clock.now().getTime() + waitMs));
  return failures === 0
    ? `next rekey at ${at}`
    : `failed ${
      failures === 1 ? "once" : `${failures} times in a row`
    }, next attempt at ${at}`;
}

/** Key generation of the largest size, two steps over a network, and hooks, in ms. */
const LONGEST_WORK_MS = 1_800_000;

/** How long a pass may take before it counts as stuck, in ms. */
function passLimitMs({ authority, reload }: RekeyOptions): number {
  // An expired certificate is renewed before it is rekeyed: two requests.
  return LONGEST_WORK_MS + (reload.execTimeoutMs ?? 0) +
    (authority.mode === "online" ? 2 * authority.timeoutMs : 0);
}

function daemonSchedule({ mode }: RekeyOptions): Schedule {
  if (mode.run === "daemon") return mode.schedule;
  throw new TypeError("runDaemon() needs options of a daemon");
}
