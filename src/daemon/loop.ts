/**
 * The same pass, repeated: waits, replaces the pair, delivers the reload, waits
 * again.
 *
 * Only the number of failures in a row is remembered across passes. Each wait
 * is computed from the certificate that is on disk at that moment
 * (smallstep/cli#1632), and each pass makes a new key (smallstep/cli#1343).
 */
import { ACT_WORDS, actOf } from "../base/act.ts";
import { RekeyError } from "../base/errors.ts";
import type { Runtime, Terminal } from "../base/runtime.ts";
import { FailureHook } from "../engine/failure_hook.ts";
import { checkPair } from "../engine/check_pair.ts";
import type { RekeyJob } from "../engine/open_job.ts";
import { replacePair } from "../engine/rekey.ts";
import { PairChangedError } from "../files/pair/seen_pair.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";
import {
  fingerprint,
  hookLimitMs,
  passLimitMs,
  type Plan,
  Planner,
  requireShorterThanLife,
  statusOf,
} from "./plan.ts";
import { RekeyThrottle } from "./rekey_throttle.ts";
import { ReloadRetries } from "./reload_retries.ts";
import { type PingOptions, withPings } from "./service_manager.ts";
import { type DaemonHost, waitForNext, waitForThrottle } from "./wait.ts";

/**
 * `terminal`, which asks for each password once in the life of a daemon: nobody
 * sits there when the next rekey is due. As the original, it keeps the answers
 * in memory only. A failed question is asked again.
 */
export function rememberPasswords(terminal: Terminal): Terminal {
  const answers = new Map<string, string>();
  return {
    confirm: (question, signal) => terminal.confirm(question, signal),
    busy: (what) => terminal.busy(what),
    async readPassword(label, signal) {
      const known = answers.get(label);
      if (known !== undefined) return known;
      const answer = await terminal.readPassword(label, signal);
      answers.set(label, answer);
      return answer;
    },
  };
}

/**
 * Rekeys until `host.signals.stop` aborts.
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
  const pings = { service, limitMs: passLimitMs(job.options) };
  stop.addEventListener("abort", () => service.stopping(), { once: true });
  try {
    await new Daemon(job, runtime, { host, failureHook, pings }).runLoop();
  } catch (error) {
    // What a stop interrupts fails, and the daemon has not failed.
    if (!stop.aborted) throw error;
  } finally {
    await withPings(failureHook[Symbol.asyncDispose](), pings);
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
  readonly #pings: PingOptions;

  constructor(
    job: RekeyJob,
    runtime: Runtime,
    { host, failureHook, pings }: {
      readonly host: DaemonHost;
      readonly failureHook: FailureHook;
      readonly pings: PingOptions;
    },
  ) {
    const { signals: { stop }, endsBy } = host;
    this.#job = job;
    this.#runtime = runtime;
    this.#host = host;
    this.#pings = pings;
    this.#planner = new Planner(job.options, runtime, {
      failureHook,
      stop,
      endsBy,
    });
    this.#reloads = new ReloadRetries(job, runtime, failureHook);
  }

  /** @throws the reason of the stop signal, or what ends the daemon */
  async runLoop(): Promise<void> {
    const { options } = this.#job;
    const host = this.#host;
    const runtime = this.#runtime;
    const { signals, service } = host;
    const reloads = this.#reloads;
    const wait = { options, runtime, host, reloads, pings: this.#pings };
    const act = actOf(options);
    const { doing } = ACT_WORDS[act];
    let plan = await this.#startUp();
    while (!signals.stop.aborted) {
      service.ready(statusOf(plan, runtime.clock.now(), act));
      const wakeUp = await waitForNext(plan, wait);
      switch (wakeUp.reason) {
        case "time is up":
          service.status(doing);
          plan = await this.#attempt(plan.due, plan.failures);
          break;
        case "SIGHUP":
          service.reloading(doing);
          await waitForThrottle(this.#throttle, { act, runtime, host });
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
      if (isFailure) await withPings(this.#reloads.deliver(stop), this.#pings);
      throw error;
    }
  }

  /** Does what is due, and plans what comes after it or after its failure. */
  async #attempt(due: Plan["due"], failures: number): Promise<Plan> {
    try {
      const work = due === "look" ? this.#look() : this.#rekey();
      return await withPings(work, this.#pings);
    } catch (reason) {
      const error = this.#asFailure(reason);
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

  /** @throws `reason`, where it is a bug that may end the daemon */
  #asFailure(reason: unknown): RekeyError {
    if (reason instanceof RekeyError) return reason;
    if (this.#host.endsBy === "failures") throw reason;
    return new RekeyError("bug", `unexpected error: ${reason}`, {
      cause: reason,
    });
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
    const { mode, names } = this.#job.options;
    if (mode.run === "daemon") {
      requireShorterThanLife(certificate, mode.schedule, names);
    }
    return this.#plan(certificate, { after: "start", files });
  }

  async #rekey(): Promise<Plan> {
    const { stop } = this.#host.signals;
    const pass = await replacePair(this.#job, this.#runtime, stop);
    const { outcome } = pass;
    using pending = pass.pending;
    const files = fingerprint(this.#job.options);
    const certificate = outcome.kind === "not-due"
      ? await this.#planner.certificateOnDisk()
      : outcome.certificate;
    const act = outcome.kind === "renewed" ? "renew" : "rekey";
    this.#throttle.rekeyed(this.#runtime.clock.now(), certificate);
    // Planned and logged before a hook that takes its time.
    const plan = this.#plan(certificate, { after: "rekey", files, act });
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
      const reading = this.#planner.certificateOnDisk();
      const certificate = await withPings(reading, this.#pings);
      if (certificate.serial === plan.serial) return { ...plan, files };
      this.#runtime.log.write({ event: "replaced", certificate });
      this.#reloads.lookAgain();
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
}
