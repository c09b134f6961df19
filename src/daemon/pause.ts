/**
 * The times in which a daemon waits: for the next rekey, and when SIGHUP asks
 * too often.
 */
import { withBeats } from "./beats.ts";
import { hookLimitMs, passLimitMs } from "./limits.ts";
import { type Daemon, leftMs, type Next, statusOf } from "./next_step.ts";
import { pairMark } from "./pair_watch.ts";
import { wait } from "./wait.ts";

/** How a pause ended. */
export interface Pause {
  /** `replaced`: somebody wrote the certificate's files meanwhile. */
  readonly end: "over" | "replaced";
  /** The plan, moved with a clock that was set back. */
  readonly planned: Next;
}

/**
 * Sleeps, shows that it is no more than that, and pays reloads that are owed.
 */
export async function pause(
  { job, runtime, signals, service, reloads }: Daemon,
  next: Next,
): Promise<Pause> {
  const { clock, log } = runtime;
  let planned = next;
  const replaced = new AbortController();
  const awake = AbortSignal.any([
    ...[signals.stop, signals.wake(), replaced.signal],
  ]);
  const beat = () => {
    service.beat();
    if (pairMark(job.options) !== next.mark) replaced.abort();
  };
  await reloads.during(leftMs(next, clock.now()), {
    awake,
    sleep: (ms) =>
      wait(ms, {
        ...{ clock, signal: awake, sliceMs: service.beatMs, beat },
        stepped(byMs) {
          // Set back, the rest of the wait stays as long as it was.
          const fromMs = planned.fromMs + Math.min(byMs, 0);
          planned = { ...planned, fromMs };
          const nextAttemptMs = leftMs(planned, clock.now());
          log.write({ event: "clock-stepped", byMs, nextAttemptMs });
          service.status(statusOf(planned, runtime));
        },
      }),
    pay: (left) =>
      withBeats(reloads.pay(signals.stop, hookLimitMs(left)), {
        service,
        limitMs: passLimitMs(job.options),
      }),
  });
  return { end: replaced.signal.aborted ? "replaced" : "over", planned };
}

/** Rekeys that are asked for come no closer than the floor allows. */
export async function obeyWake(
  { runtime: { clock, log }, signals, service, wakes }: Daemon,
): Promise<void> {
  service.reloading("rekeying");
  const { waitMs, isSuspicious } = wakes.delay(clock.now());
  if (isSuspicious) {
    log.write({
      event: "warning",
      message:
        "SIGHUP comes again and again right after a rekey: the next one has to wait",
      hint: "a hook or an init may send it to this process",
    });
  }
  await wait(waitMs, {
    ...{ clock, signal: signals.stop, sliceMs: service.beatMs },
    beat: () => service.beat(),
    stepped: (byMs) =>
      log.write({ event: "clock-stepped", byMs, nextAttemptMs: undefined }),
  });
  signals.clearWake();
  if (!signals.stop.aborted) log.write({ event: "woken" });
}
