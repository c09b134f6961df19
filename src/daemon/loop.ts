/**
 * The same pass, repeated: waits, replaces the pair, tells the service, waits
 * again.
 *
 * Only the number of failures in a row is remembered across passes. Each wait
 * is computed from the certificate that is on disk at that moment
 * (smallstep/cli#1632), and each pass makes a new key (smallstep/cli#1343).
 */
import { RekeyError } from "../base/errors.ts";
import type { Runtime } from "../base/runtime.ts";
import { FailureHook } from "../engine/failure_hook.ts";
import { checkPair, type RekeyJob } from "../engine/open_job.ts";
import { replacePair } from "../engine/rekey.ts";
import { PairChangedError } from "../files/pair/seen_pair.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";
import {
  fingerprint,
  hookLimitMs,
  passLimitMs,
  type Plan,
  Planner,
  statusOf,
} from "./plan.ts";
import { RekeyThrottle } from "./rekey_throttle.ts";
import { ReloadRetries } from "./reload_retries.ts";
import { withPings } from "./service_manager.ts";
import { type DaemonHost, waitForNext, waitForThrottle } from "./wait.ts";

/**
 * Rekeys until it is told to stop.
 *
 * @throws {RekeyError} when another try cannot help (retry class `never`)
 */
export async function runDaemon(
  job: RekeyJob,
  runtime: Runtime,
  host: DaemonHost,
): Promise<void> {
  const { signals: { stop }, service } = host;
  const failureHook = new FailureHook(job.options, runtime, stop);
  stop.addEventListener("abort", () => service.stopping(), { once: true });
  try {
    await new Daemon(job, runtime, { host, failureHook }).runLoop();
  } catch (error) {
    // Whatever a stop interrupts fails, which is no failure of the daemon.
    if (!stop.aborted) throw error;
  } finally {
    await withPings(failureHook[Symbol.asyncDispose](), {
      service,
      limitMs: passLimitMs(job.options),
    });
  }
  runtime.log.write({ event: "stopped" });
}

/** What a start may take besides the wait for a lock, in ms. */
const START_MS = 90_000;

class Daemon {
  readonly #job: RekeyJob;
  readonly #runtime: Runtime;
  readonly #host: DaemonHost;
  readonly #planner: Planner;
  readonly #reloads: ReloadRetries;
  readonly #throttle = new RekeyThrottle();

  constructor(
    job: RekeyJob,
    runtime: Runtime,
    { host, failureHook }: {
      readonly host: DaemonHost;
      readonly failureHook: FailureHook;
    },
  ) {
    const { stop } = host.signals;
    this.#job = job;
    this.#runtime = runtime;
    this.#host = host;
    this.#planner = new Planner(job.options, runtime, { failureHook, stop });
    this.#reloads = new ReloadRetries(job, runtime, failureHook);
  }

  /** @throws the reason of the stop signal, or what ends the daemon */
  async runLoop(): Promise<void> {
    const [host, runtime, reloads] = [this.#host, this.#runtime, this.#reloads];
    const { options } = this.#job;
    const { signals, service } = host;
    let plan = await this.#startUp();
    while (!signals.stop.aborted) {
      service.ready(statusOf(plan, runtime.clock.now()));
      const wait = { options, runtime, host, reloads };
      const wakeUp = await waitForNext(plan, wait);
      switch (wakeUp.reason) {
        case "time is up":
          service.status("rekeying");
          plan = await this.#attempt(plan.due, plan.failures);
          break;
        case "SIGHUP":
          service.reloading("rekeying");
          await waitForThrottle(this.#throttle, { runtime, host });
          plan = await this.#attempt("rekey", plan.failures);
          break;
        case "replaced":
          plan = await this.#lookAgain(wakeUp.plan);
          break;
      }
    }
  }

  /** The first look. When it ends the daemon, a pending reload is delivered all the same. */
  async #startUp(): Promise<Plan> {
    const { stop } = this.#host.signals;
    try {
      return await this.#attempt("look", 0);
    } catch (error) {
      const isFailure = error instanceof RekeyError &&
        error.kind !== "declined" && !stop.aborted;
      if (isFailure) await this.#withPings(this.#reloads.deliver(stop));
      throw error;
    }
  }

  /** Does what is due, and plans what comes after it or after its failure. */
  async #attempt(due: Plan["due"], failures: number): Promise<Plan> {
    try {
      return await this.#withPings(
        due === "look" ? this.#look() : this.#rekey(),
      );
    } catch (error) {
      if (!(error instanceof RekeyError)) throw error;
      this.#host.signals.stop.throwIfAborted();
      if (error instanceof PairChangedError && due === "rekey") {
        // Nothing failed: there is another pair to plan for.
        const { message } = error;
        this.#runtime.log.write({ event: "warning", message });
        return await this.#attempt("look", 0);
      }
      return await this.#planner.afterFailure(error, { due, failures });
    }
  }

  /** Finds out whether a rekey could succeed, before the first wait. */
  async #look(): Promise<Plan> {
    const { signals, service } = this.#host;
    const { lockTimeoutMs } = this.#job.options.write;
    // It may exceed the time that systemd allows for a start.
    if (lockTimeoutMs > 0) service.extend(lockTimeoutMs + START_MS);
    const files = fingerprint(this.#job.options);
    const { stop } = signals;
    const certificate = await checkPair(this.#job, this.#runtime, stop);
    this.#planner.requireShorterThanLife(certificate);
    return this.#plan(certificate, { after: "start", files });
  }

  async #rekey(): Promise<Plan> {
    const { stop } = this.#host.signals;
    const pass = await replacePair(this.#job, this.#runtime, stop);
    const { outcome } = pass;
    using pending = pass.pending;
    const files = fingerprint(this.#job.options);
    const certificate = outcome.kind === "rekeyed"
      ? outcome.certificate
      : await this.#planner.certificateOnDisk();
    this.#throttle.rekeyed(this.#runtime.clock.now(), certificate);
    // Planned and logged before a hook that takes its time.
    const plan = this.#plan(certificate, { after: "rekey", files });
    await this.#reloads.deliverNew(pending, {
      stop,
      hookLimitMs: hookLimitMs(plan.waitMs),
    });
    return plan;
  }

  /** Plans anew when the files hold another certificate; else goes on waiting. */
  async #lookAgain(plan: Plan): Promise<Plan> {
    const files = fingerprint(this.#job.options);
    try {
      const certificate = await this.#withPings(
        this.#planner.certificateOnDisk(),
      );
      if (certificate.serial === plan.serial) {
        return { ...plan, files };
      }
      this.#runtime.log.write({ event: "replaced", certificate });
      return this.#plan(certificate, { after: "start", files });
    } catch (error) {
      if (!(error instanceof RekeyError)) throw error;
      // It may be half written: looked at again after the next slice.
      return plan;
    }
  }

  #plan(
    certificate: Certificate,
    found: Parameters<Planner["afterSuccess"]>[1],
  ): Plan {
    this.#host.started();
    return this.#planner.afterSuccess(certificate, found);
  }

  #withPings<T>(work: Promise<T>): Promise<T> {
    const { service } = this.#host;
    return withPings(work, {
      service,
      limitMs: passLimitMs(this.#job.options),
    });
  }
}
