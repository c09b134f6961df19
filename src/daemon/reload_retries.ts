/**
 * The daemon's tries to deliver a pending reload: with growing pauses and a
 * limit, and never by a new certificate.
 *
 * The limit is for one certificate in one life of the daemon. The note on disk
 * stays when it is reached, so that a restart tries again, and the next rekey
 * too.
 */
import { RekeyError } from "../base/errors.ts";
import type { Runtime } from "../base/runtime.ts";
import type { FailureHook } from "../engine/failure_hook.ts";
import type { RekeyJob } from "../engine/open_job.ts";
import {
  deliverPendingReload,
  deliverReload,
  INSTALLED,
} from "../engine/pending_reload.ts";
import type { PendingReload } from "../files/reload_note/pending_reload.ts";

/** Tries for one certificate when no limit is given: about an hour. */
const DEFAULT_ATTEMPTS = 20;

/** First pause, in ms: a service that restarts just now is back soon. */
const FIRST_PAUSE_MS = 1_000;

/** Longest pause, in ms. */
const MOST_PAUSE_MS = 300_000;

const DELIVERY = {
  installed: INSTALLED.now,
  deliveredBy: "this daemon",
} as const;

/**
 * The pause after the `failures`-th failure in a row (1, 2, …), in ms: doubled
 * each time from a second to five minutes, with jitter of up to a half.
 *
 * @param random in [0, 1)
 */
export function reloadPauseMs(failures: number, random: number): number {
  const fullMs = Math.min(
    FIRST_PAUSE_MS * 2 ** Math.min(failures - 1, 30),
    MOST_PAUSE_MS,
  );
  return fullMs * (1 - random / 2);
}

export class ReloadRetries {
  readonly #job: RekeyJob;
  readonly #runtime: Runtime;
  readonly #failureHook: FailureHook;
  #failures = 0;
  /** Times in a row that a try could not begin: no failure of the service. */
  #delays = 0;
  /** Undefined while nothing is pending. */
  #next: { readonly fromMs: number; readonly pauseMs: number } | undefined;

  constructor(job: RekeyJob, runtime: Runtime, failureHook: FailureHook) {
    this.#job = job;
    this.#runtime = runtime;
    this.#failureHook = failureHook;
    this.lookAgain();
  }

  /** An earlier run, or another one that installs a certificate, may have left something. */
  lookAgain(): void {
    this.#delivered();
    this.#next = { fromMs: this.#now(), pauseMs: 0 };
  }

  /** Time until the next try, in ms; infinite when there is none. */
  waitMs(): number {
    if (this.#next === undefined) return Infinity;
    const { fromMs, pauseMs } = this.#next;
    // A clock that was set back makes no pause longer than planned.
    const passedMs = Math.max(0, this.#now() - fromMs);
    return Math.max(0, pauseMs - passedMs);
  }

  /**
   * Delivers the reload of a certificate that was just installed, if there is
   * one; the count of failures starts anew. A failure of the service is logged:
   * the pair is new all the same, so no new certificate is due.
   *
   * @throws {RekeyError} kind `interrupted`
   */
  async deliverNew(
    pending: PendingReload | undefined,
    { stop, hookLimitMs }: {
      readonly stop: AbortSignal;
      /** Most time for the hook, in ms. */
      readonly hookLimitMs: number;
    },
  ): Promise<void> {
    this.#delivered();
    if (pending === undefined) return;
    const { reloader, options: { names } } = this.#job;
    const { log } = this.#runtime;
    const deliverer = { reloader, log, names, ...DELIVERY, hookLimitMs };
    try {
      await deliverReload(pending, deliverer, stop);
    } catch (error) {
      if (!(error instanceof RekeyError)) throw error;
      if (error.retry !== "reload") throw this.#interrupted(error);
      await this.#failed(error);
    }
  }

  /**
   * Delivers what is pending for the certificate on disk; at the start of the
   * daemon, and whenever {@linkcode waitMs} is over. Failures are logged.
   *
   * @param hookLimitMs most time for the hook, in ms
   */
  async deliver(stop: AbortSignal, hookLimitMs?: number): Promise<void> {
    try {
      const job = { ...this.#job, ...DELIVERY, hookLimitMs };
      const end = await deliverPendingReload(job, this.#runtime, stop);
      if (end === "elsewhere" || end === "unreadable") {
        this.#delayed();
        return;
      }
      if (end === "delivered") this.#runtime.log.write({ event: "reloaded" });
      this.#delivered();
    } catch (error) {
      if (!(error instanceof RekeyError)) throw error;
      if (stop.aborted) {
        if (error.kind === "interrupted") this.#interrupted(error);
        return;
      }
      if (error.retry === "reload") await this.#failed(error);
      else this.#delayed(error);
    }
  }

  /**
   * Waits, and delivers meanwhile whenever it is time.
   *
   * @param wait `sleep` waits for so many ms, or until `awake` aborts;
   *   `deliver` calls {@linkcode deliver}, and is told how much of the wait is
   *   left, in ms
   */
  async during(
    waitMs: number,
    wait: {
      sleep(ms: number): Promise<void>;
      deliver(leftMs: number): Promise<void>;
      readonly awake: AbortSignal;
    },
  ): Promise<void> {
    for (let leftMs = waitMs; leftMs > 0 && !wait.awake.aborted;) {
      const beginMs = this.#now();
      const pauseMs = Math.min(leftMs, this.waitMs());
      await wait.sleep(pauseMs);
      if (wait.awake.aborted) return;
      // More than the pause after a suspend, or when the service was slow.
      const passedMs = () => Math.max(pauseMs, this.#now() - beginMs);
      if (this.waitMs() <= 0) await wait.deliver(leftMs - passedMs());
      leftMs -= passedMs();
    }
  }

  /** A stop is no failure, but a reload that stays pending is worth a line. */
  #interrupted(error: RekeyError): RekeyError {
    const { message, hint } = error;
    this.#runtime.log.write({ event: "warning", message, hint });
    return error;
  }

  #delivered(): void {
    this.#failures = 0;
    this.#delays = 0;
    this.#next = undefined;
  }

  async #failed(error: RekeyError): Promise<void> {
    const { attempts = DEFAULT_ATTEMPTS } = this.#job.options.reload;
    const attempt = ++this.#failures;
    this.#delays = 0;
    const isLast = attempts > 0 && attempt >= attempts;
    if (isLast) this.#next = undefined;
    const nextAttemptMs = isLast ? undefined : this.#pause(attempt);
    this.#runtime.log.write({
      event: "reload-failed",
      error,
      attempt,
      nextAttemptMs,
    });
    if (isLast) {
      await this.#failureHook.report({ error, attempt, next: "last" });
    }
  }

  /**
   * What is pending could not be found out, or another run is delivering it and
   * may yet fail: looked at again, with growing pauses and without limit. The
   * reason is logged once.
   */
  #delayed(error?: RekeyError): void {
    const nextAttemptMs = this.#pause(++this.#delays);
    if (error === undefined || this.#delays > 1) return;
    const attempt = this.#failures;
    this.#runtime.log.write({
      event: "reload-failed",
      error,
      attempt,
      nextAttemptMs,
    });
  }

  #pause(failures: number): number {
    const pauseMs = reloadPauseMs(failures, this.#runtime.random());
    this.#next = { fromMs: this.#now(), pauseMs };
    return pauseMs;
  }

  #now(): number {
    return this.#runtime.clock.now().getTime();
  }
}
