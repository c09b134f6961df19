/**
 * The same pass, repeated: waits, replaces the pair, tells the service, waits
 * again.
 *
 * Nothing is remembered across passes but the number of failures in a row:
 * each wait is computed from the certificate that is on disk at that moment
 * (smallstep/cli#1632), and each pass makes a new key (smallstep/cli#1343).
 */
import { withBeats } from "./beats.ts";
import { hookLimitMs, passLimitMs } from "./limits.ts";
import {
  type Daemon,
  type DaemonHost,
  leftMs,
  type Next,
  statusOf,
  type Step,
} from "./next_step.ts";
import { pairMark } from "./pair_watch.ts";
import { obeyWake, pause } from "./pause.ts";
import { certificateOnDisk, plan, planAfterFailure } from "./plan.ts";
import { requireShorterThanLife } from "./shorter_than_life.ts";
import { WakeFloor } from "./rekey_throttle.ts";
import { RekeyError } from "../base/errors.ts";
import { FailureHook } from "../engine/failure_hook.ts";
import type { PendingReload } from "../files/reload_note/pending_reload.ts";
import type { RekeyOptions, Schedule } from "../base/options.ts";
import { checkPair, type RekeyJob } from "../engine/open_job.ts";
import { deliverReload } from "../engine/pending_reload.ts";
import { replacePair } from "../engine/rekey.ts";
import { ReloadRetries } from "./reload_retries.ts";
import type { Runtime } from "../base/runtime.ts";

export type { DaemonHost, DaemonSignals } from "./next_step.ts";

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
  const failureHook = new FailureHook(job.options, runtime, stop);
  const reloads = new ReloadRetries(job, runtime, failureHook);
  const daemon = {
    ...{ job, runtime, schedule, signals, service },
    ...{ failureHook, reloads, wakes: new WakeFloor() },
  };
  stop.addEventListener("abort", () => service.stopping(), { once: true });
  try {
    await live(daemon);
  } finally {
    await withBeats(failureHook[Symbol.asyncDispose](), {
      service,
      limitMs: passLimitMs(job.options),
    });
  }
  runtime.log.write({ event: "stopped" });
}

async function live(daemon: Daemon): Promise<void> {
  const { runtime, signals, signals: { stop }, service } = daemon;
  let next = await start(daemon);
  while (!stop.aborted) {
    service.ready(statusOf(next, runtime));
    const { end, planned } = await pause(daemon, next);
    if (stop.aborted) break;
    if (end === "replaced" && !signals.wake().aborted) {
      const again = () => planAgain(daemon, planned);
      next = await attempt(daemon, again, next.failures);
      continue;
    }
    const isWoken = signals.wake().aborted;
    if (isWoken) await obeyWake(daemon);
    else service.status("rekeying");
    if (stop.aborted) break;
    const step = isWoken ? rekeyAndPlan : next.step;
    // Who is stopping is not ready any more: the loop ends after this.
    next = await attempt(daemon, step, next.failures);
  }
}

/** The first look. When that ends it all, what is owed is paid all the same. */
async function start(daemon: Daemon): Promise<Next> {
  const { reloads, signals: { stop }, service, job } = daemon;
  try {
    return await attempt(daemon, begin, 0);
  } catch (error) {
    if (error instanceof RekeyError && error.kind !== "declined") {
      await withBeats(reloads.pay(stop), {
        service,
        limitMs: passLimitMs(job.options),
      });
    }
    throw error;
  }
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

const STOPPED: Next = {
  ...{ waitMs: 0, fromMs: 0, step: begin, failures: 0 },
  ...{ serial: "", mark: "" },
};

/** What a start may take besides the wait for a lock, in ms. */
const START_MS = 90_000;

/** Looks before the first wait whether a pass could succeed. */
async function begin(daemon: Daemon): Promise<Next> {
  const { job, runtime, schedule, signals, service } = daemon;
  const { lockTimeoutMs } = job.options.write;
  // Longer than systemd waits for a start by itself, perhaps.
  if (lockTimeoutMs > 0) service.extend(lockTimeoutMs + START_MS);
  const mark = pairMark(job.options);
  const certificate = await checkPair(job, runtime, signals.stop);
  requireShorterThanLife(certificate, schedule);
  return plan(daemon, certificate, {
    after: "start",
    mark,
    step: rekeyAndPlan,
  });
}

/** Plans anew when the files hold another certificate; else goes on waiting. */
async function planAgain(daemon: Daemon, planned: Next): Promise<Next> {
  const { job, runtime: { clock, log } } = daemon;
  const mark = pairMark(job.options);
  const waitMs = leftMs(planned, clock.now());
  const same = { ...planned, fromMs: clock.now().getTime(), waitMs };
  try {
    const certificate = await certificateOnDisk(daemon);
    if (certificate.serial === planned.serial) return { ...same, mark };
    log.write({ event: "replaced", certificate });
    return plan(daemon, certificate, {
      after: "start",
      mark,
      step: rekeyAndPlan,
    });
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    // Half written, perhaps: looked at again after the next slice.
    return same;
  }
}

async function rekeyAndPlan(daemon: Daemon): Promise<Next> {
  const { job, runtime, signals, reloads, failureHook, wakes } = daemon;
  const { outcome, pending } = await replacePair(job, runtime, signals.stop);
  using reload = pending;
  const mark = pairMark(job.options);
  const certificate = outcome.kind === "rekeyed"
    ? outcome.certificate
    : await certificateOnDisk(daemon);
  wakes.rekeyed(runtime.clock.now(), certificate);
  reloads.paid();
  failureHook.succeeded();
  // Planned, and said, before a hook that takes its time.
  const next = plan(daemon, certificate, {
    after: "rekey",
    mark,
    step: rekeyAndPlan,
  });
  if (reload !== undefined) await tellService(daemon, reload, next);
  return next;
}

/** The service has no longer than until the next rekey is due. */
async function tellService(
  { job, runtime: { log }, signals: { stop }, reloads }: Daemon,
  pending: PendingReload,
  { waitMs }: Next,
): Promise<void> {
  const { reloader } = job;
  try {
    const hookLimit = hookLimitMs(waitMs);
    await deliverReload(
      pending,
      { reloader, log, hookLimitMs: hookLimit },
      stop,
    );
  } catch (error) {
    if (!(error instanceof RekeyError) || error.retry !== "reload") throw error;
    // The pair is new: only the reload failed, so no new certificate is due.
    await reloads.owes(error);
  }
}

function daemonSchedule({ mode }: RekeyOptions): Schedule {
  if (mode.run === "daemon") return mode.schedule;
  throw new TypeError("runDaemon() needs options of a daemon");
}
