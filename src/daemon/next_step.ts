/**
 * What a daemon works with, and what it does next.
 */
import type { FailureHook } from "../engine/failure_hook.ts";
import { formatInstant } from "../base/instant.ts";
import type { Schedule } from "../base/options.ts";
import type { RekeyJob } from "../engine/open_job.ts";
import type { ReloadRetries } from "./reload_retries.ts";
import type { Runtime } from "../base/runtime.ts";
import type { ServiceManager } from "./service_manager.ts";
import type { WakeFloor } from "./rekey_throttle.ts";

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
export interface Daemon extends DaemonHost {
  readonly job: RekeyJob;
  readonly runtime: Runtime;
  readonly schedule: Schedule;
  readonly failureHook: FailureHook;
  readonly reloads: ReloadRetries;
  readonly wakes: WakeFloor;
}

/** Work that ends with a plan for the next. */
export type Step = (daemon: Daemon) => Promise<Next>;

/** What comes next. */
export interface Next {
  /** Counted from `fromMs` on the clock. */
  readonly waitMs: number;
  readonly fromMs: number;
  readonly step: Step;
  /** Failures in a row so far. */
  readonly failures: number;
  /** The certificate that it was planned by, and its files as they were then. */
  readonly serial: string;
  readonly mark: string;
}

/** What is left of the wait, in ms. A clock that was set back makes no wait longer than it was meant. */
export function leftMs({ waitMs, fromMs }: Next, now: Date): number {
  return Math.min(waitMs, Math.max(0, fromMs + waitMs - now.getTime()));
}

/** The line that a service manager shows. */
export function statusOf(next: Next, { clock }: Runtime): string {
  const { failures } = next;
  const now = clock.now();
  const at = formatInstant(new Date(now.getTime() + leftMs(next, now)));
  return failures === 0
    ? `next rekey at ${at}`
    : `failed ${
      failures === 1 ? "once" : `${failures} times in a row`
    }, next attempt at ${at}`;
}
