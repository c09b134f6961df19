/** How the daemon waits: by the wall clock, until it is time, a signal or a change. */
import { type Act, ACT_WORDS, actOf } from "../base/act.ts";
import type { RekeyOptions } from "../base/options.ts";
import type { Clock, Runtime } from "../base/runtime.ts";
import {
  fingerprint,
  hookLimitMs,
  leftMs,
  type Plan,
  statusOf,
} from "./plan.ts";
import type { RekeyThrottle } from "./rekey_throttle.ts";
import type { ReloadRetries } from "./reload_retries.ts";
import {
  type PingOptions,
  type ServiceManager,
  withPings,
} from "./service_manager.ts";

export interface DaemonSignals {
  /** Aborts when the daemon has to end. */
  readonly stop: AbortSignal;
  /** Aborts at the next request to rekey now (SIGHUP), or is aborted when one is pending. */
  wake(): AbortSignal;
  /** Forgets a request that is being obeyed; later ones count again. */
  clearWake(): void;
}

export interface DaemonHost {
  readonly signals: DaemonSignals;
  readonly service: ServiceManager;
  /** `stop`: no failure ends it, so that one which only a person can mend is tried again, too. */
  readonly endsBy: "failures" | "stop";
  /** Called with each plan for a rekey: a failure after the first is no failed start. */
  started(): void;
}

/** Longest slice of a wait, in ms. */
export const MAX_SLICE_MS = 60_000;

/** How far a clock runs ahead unnoticed, in ms: timers of a busy machine are late. */
const LATE_MS = 10_000;

/** How far a clock falls back unnoticed, in ms: no timer is as early as that. */
const EARLY_MS = 1_000;

export interface WaitOptions {
  readonly clock: Clock;
  /** Ends the wait at once. */
  readonly signal: AbortSignal;
  /** Longest slice, in ms; never above {@linkcode MAX_SLICE_MS}. */
  readonly sliceMs?: number | undefined;
  /** Called at the end of each slice. */
  onSlice(): void;
  /** The wall clock moved by `byMs` more (less: negative) than the time that passed. */
  onStep(byMs: number): void;
}

/**
 * Waits until the wall clock has gone on by `waitMs`.
 *
 * In slices, since a single timer stands still while the machine is suspended,
 * does not see that the clock was set, and fires at once above 24.8 days.
 *
 * Time that the machine was suspended counts, and so does a step forward: the
 * certificate got older. After a step back the rest of the wait stays as long
 * as it was, since a clock that is set back makes no key younger.
 */
export async function wait(
  waitMs: number,
  { clock, signal, sliceMs = MAX_SLICE_MS, onSlice, onStep }: WaitOptions,
): Promise<void> {
  let end = clock.now().getTime() + waitMs;
  while (!signal.aborted) {
    const before = clock.now().getTime();
    if (before >= end) return;
    const slice = Math.min(end - before, sliceMs, MAX_SLICE_MS);
    await clock.sleep(slice, signal);
    if (signal.aborted) return;
    const aheadMs = clock.now().getTime() - before - slice;
    if (aheadMs < -EARLY_MS) end += aheadMs;
    if (aheadMs < -EARLY_MS || aheadMs > LATE_MS) onStep(aheadMs);
    onSlice();
  }
}

export interface WakeUp {
  /** `replaced`: somebody wrote the certificate's files meanwhile. */
  readonly reason: "time is up" | "SIGHUP" | "replaced";
  /** The plan, moved with a clock that was set back. */
  readonly plan: Plan;
}

/**
 * Waits until there is something to do. Pings the watchdog meanwhile, and
 * delivers a pending reload.
 *
 * @throws the reason of the stop signal
 */
export async function waitForNext(
  planned: Plan,
  { options, runtime, host, reloads, pings }: {
    readonly options: RekeyOptions;
    readonly runtime: Runtime;
    readonly host: DaemonHost;
    readonly reloads: ReloadRetries;
    readonly pings: PingOptions;
  },
): Promise<WakeUp> {
  const { clock, log } = runtime;
  const { signals, service } = host;
  const { stop } = signals;
  let plan = planned;
  const replaced = new AbortController();
  const awake = AbortSignal.any([stop, signals.wake(), replaced.signal]);
  await reloads.during(leftMs(plan, clock.now()), {
    awake,
    sleep: (ms) =>
      wait(ms, {
        clock,
        signal: awake,
        sliceMs: service.pingMs,
        onSlice() {
          service.ping();
          if (fingerprint(options) !== plan.files) replaced.abort();
        },
        onStep(byMs) {
          // After a step back, the rest of the wait stays as long as it was.
          plan = { ...plan, fromMs: plan.fromMs + Math.min(byMs, 0) };
          const now = clock.now();
          const nextAttemptMs = leftMs(plan, now);
          log.write({ event: "clock-stepped", byMs, nextAttemptMs });
          service.status(statusOf(plan, now, actOf(options)));
        },
      }),
    deliver: (left) =>
      withPings(reloads.deliver(stop, hookLimitMs(left)), pings),
  });
  stop.throwIfAborted();
  const reason = signals.wake().aborted
    ? "SIGHUP"
    : replaced.signal.aborted
    ? "replaced"
    : "time is up";
  return { reason, plan };
}

/**
 * Holds a rekey that SIGHUP asks for back until the throttle allows it.
 *
 * @throws the reason of the stop signal
 */
export async function waitForThrottle(
  throttle: RekeyThrottle,
  { act, runtime: { clock, log }, host: { signals, service } }: {
    readonly act: Act;
    readonly runtime: Runtime;
    readonly host: DaemonHost;
  },
): Promise<void> {
  const { waitMs, isSuspicious } = throttle.delay(clock.now());
  if (isSuspicious) {
    log.write({
      event: "warning",
      message: `SIGHUP comes again and again right after a ${
        ACT_WORDS[act].noun
      }: the next one has to wait`,
      hint: "a hook or an init may send it to this process",
    });
  }
  await wait(waitMs, {
    clock,
    signal: signals.stop,
    sliceMs: service.pingMs,
    onSlice: () => service.ping(),
    onStep: (byMs) => log.write({ event: "clock-stepped", byMs }),
  });
  signals.clearWake();
  signals.stop.throwIfAborted();
  log.write({ event: "woken", act });
}
