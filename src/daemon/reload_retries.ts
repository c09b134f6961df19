/**
 * The daemon's tries to pay a reload that failed: with growing pauses and a
 * limit, and never by a new certificate.
 *
 * The limit is for one certificate in one life of the daemon. The note stays
 * when it is reached, so that a restart tries again, and the next rekey too.
 */
import { RekeyError } from "../base/errors.ts";
import type { FailureHook } from "../engine/failure_hook.ts";
import type { RekeyJob } from "../engine/open_job.ts";
import { deliverPendingReload } from "../engine/pending_reload.ts";
import type { Runtime } from "../base/runtime.ts";

/** Tries for one certificate: `--reload-attempts` when it is not given. About an hour. */
export const DEFAULT_ATTEMPTS = 20;

/** First pause, in ms: a service that restarts just now is back soon. */
const FIRST_PAUSE_MS = 1_000;

/** Longest pause, in ms. */
const MOST_PAUSE_MS = 300_000;

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

/** What one daemon still has to tell its service. */
export class ReloadRetries {
  readonly #job: RekeyJob;
  readonly #runtime: Runtime;
  readonly #failureHook: FailureHook;
  #failures = 0;
  /** Times in a row that a try could not begin, which is no answer of the service. */
  #delays = 0;
  /** Undefined while nothing is to be tried. At the start, what an earlier run owes. */
  #next: { readonly fromMs: number; readonly pauseMs: number } | undefined;

  constructor(job: RekeyJob, runtime: Runtime, failureHook: FailureHook) {
    this.#job = job;
    this.#runtime = runtime;
    this.#failureHook = failureHook;
    this.#next = { fromMs: this.#now(), pauseMs: 0 };
  }

  /** Time until the next try, in ms; infinite when there is none. */
  waitMs(): number {
    if (this.#next === undefined) return Infinity;
    const { fromMs, pauseMs } = this.#next;
    // A clock that was set back makes no pause longer than it was meant.
    const passedMs = Math.max(0, this.#now() - fromMs);
    return Math.max(0, pauseMs - passedMs);
  }

  /** A new certificate was installed and told of. */
  paid(): void {
    this.#failures = 0;
    this.#delays = 0;
    this.#next = undefined;
  }

  /**
   * A pass installed a new certificate, but did not reach the service: the row
   * of failures begins anew.
   */
  async owes(error: RekeyError): Promise<void> {
    this.#failures = 0;
    this.#delays = 0;
    await this.#failed(error);
  }

  /**
   * Pays what is owed for the certificate on the disk; at the start of the
   * daemon, and whenever {@linkcode waitMs} is over. Failures are logged.
   *
   * @param hookLimitMs most time for the hook, in ms
   */
  async pay(stop: AbortSignal, hookLimitMs?: number): Promise<void> {
    try {
      const job = { ...this.#job, hookLimitMs };
      const end = await deliverPendingReload(job, this.#runtime, stop);
      if (end === "elsewhere" || end === "unreadable") {
        this.#delayed();
        return;
      }
      if (end === "delivered") this.#runtime.log.write({ event: "reloaded" });
      this.paid();
    } catch (error) {
      if (!(error instanceof RekeyError)) throw error;
      if (stop.aborted) return;
      if (error.retry === "reload") await this.#failed(error);
      else this.#delayed(error);
    }
  }

  /**
   * Waits, and pays meanwhile whenever it is time.
   *
   * @param wait `sleep` waits for so many ms, or until `awake` aborts; `pay`
   *   calls {@linkcode pay}, and knows how much of the wait is left, in ms
   */
  async during(
    waitMs: number,
    wait: {
      sleep(ms: number): Promise<void>;
      pay(leftMs: number): Promise<void>;
      readonly awake: AbortSignal;
    },
  ): Promise<void> {
    for (let leftMs = waitMs; leftMs > 0 && !wait.awake.aborted;) {
      const beginMs = this.#now();
      const pauseMs = Math.min(leftMs, this.waitMs());
      await wait.sleep(pauseMs);
      if (wait.awake.aborted) return;
      if (this.waitMs() <= 0) {
        await wait.pay(leftMs - Math.max(pauseMs, this.#now() - beginMs));
      }
      // More than the pause after a suspend, or when the service was slow.
      leftMs -= Math.max(pauseMs, this.#now() - beginMs);
    }
  }

  async #failed(error: RekeyError): Promise<void> {
    const { log, random } = this.#runtime;
    const { attempts = DEFAULT_ATTEMPTS } = this.#job.options.reload;
    const attempt = ++this.#failures;
    this.#delays = 0;
    const isLast = attempts > 0 && attempt >= attempts;
    const nextAttemptMs = isLast ? undefined : reloadPauseMs(attempt, random());
    this.#next = nextAttemptMs === undefined
      ? undefined
      : { fromMs: this.#now(), pauseMs: nextAttemptMs };
    log.write({ event: "reload-failed", error, attempt, nextAttemptMs });
    if (!isLast) return;
    await this.#failureHook.tell({ error, attempt, next: "last" });
  }

  /**
   * Whether something is owed could not be found out, or another run has it,
   * which may yet fail: looked at again, with growing pauses and without limit.
   * The reason is logged once.
   */
  #delayed(error?: RekeyError): void {
    const { log, random } = this.#runtime;
    const pauseMs = reloadPauseMs(++this.#delays, random());
    this.#next = { fromMs: this.#now(), pauseMs };
    if (error === undefined || this.#delays > 1) return;
    const attempt = this.#failures;
    log.write({
      event: "reload-failed",
      error,
      attempt,
      nextAttemptMs: pauseMs,
    });
  }

  #now(): number {
    return this.#runtime.clock.now().getTime();
  }
}
