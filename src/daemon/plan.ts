/** What the daemon does next, and when. */
import { type Act, ACT_WORDS, actOf } from "../base/act.ts";
import { formatInstant, formatRoundedDuration } from "../base/duration.ts";
import { RekeyError } from "../base/errors.ts";
import type { RekeyOptions, Schedule, SettingNames } from "../base/options.ts";
import { bestEffort } from "../base/os_error.ts";
import type { Runtime } from "../base/runtime.ts";
import { stoppable } from "../base/stoppable.ts";
import type { FailureHook } from "../engine/failure_hook.ts";
import {
  backoffMs,
  leastIntervalMs,
  lifetimeMs,
  longerThanLife,
  MIN_WAIT_MS,
  planWait,
  remainingMs,
  type Validity,
} from "../engine/schedule.ts";
import { currentCertificate } from "../files/pair/current_pair.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";
import { DEFAULT_TIMEOUT_MS } from "../reload/exec.ts";

export interface Plan {
  /** From `fromMs` on the clock. */
  readonly waitMs: number;
  readonly fromMs: number;
  /** What is due then. `look`: the first look at the pair has not succeeded yet. */
  readonly due: "look" | "rekey";
  /** Failures in a row so far. */
  readonly failures: number;
  /** The certificate that it was made for. */
  readonly serial: string;
  /** The {@linkcode fingerprint} of its files before it was read. */
  readonly files: string;
}

/** What is left of the wait, in ms. A clock that is set back makes no wait longer than planned. */
export function leftMs({ waitMs, fromMs }: Plan, now: Date): number {
  return Math.min(waitMs, Math.max(0, fromMs + waitMs - now.getTime()));
}

/** The line that a service manager shows. */
export function statusOf(plan: Plan, now: Date, act: Act): string {
  const { failures } = plan;
  const at = formatInstant(new Date(now.getTime() + leftMs(plan, now)));
  if (failures === 0) return `next ${ACT_WORDS[act].noun} at ${at}`;
  const times = failures === 1 ? "once" : `${failures} times in a row`;
  return `failed ${times}, next attempt at ${at}`;
}

/**
 * What the certificate's files look like from outside: another text after one
 * of them was replaced or written. Reads no content, so it is cheap enough for
 * each slice of a wait.
 */
export function fingerprint(
  { input, output }: Pick<RekeyOptions, "input" | "output">,
): string {
  return [input.certificate, output.certificate].map((file) => {
    let text = "none";
    bestEffort(() => {
      const { dev, ino, size, mtime } = Deno.statSync(file);
      text = [dev, ino, size, mtime?.getTime()].join(":");
    });
    return text;
  }).join(" ");
}

/** Time for the generation of the largest key on a slow disk, in ms. */
const LONGEST_WORK_MS = 1_800_000;

/** Least time for a hook, in ms, also when the next rekey is due at once. */
const LEAST_HOOK_MS = 10_000;

/** How long a pass may take before it counts as stuck, in ms; may be infinite. */
export function passLimitMs(
  { authority, reload, write }: Pick<
    RekeyOptions,
    "authority" | "reload" | "write"
  >,
): number {
  const { execTimeoutMs = DEFAULT_TIMEOUT_MS } = reload;
  return LONGEST_WORK_MS + write.lockTimeoutMs +
    (execTimeoutMs === 0 ? Infinity : execTimeoutMs) +
    // An expired certificate is renewed before it is rekeyed: two requests.
    (authority.mode === "online" ? 2 * authority.timeoutMs : 0);
}

/** Most time for a hook while `left` ms are left until the next rekey, in ms. */
export function hookLimitMs(left: number): number {
  return Math.max(left, LEAST_HOOK_MS);
}

/**
 * The rule about the schedule that needs the certificate, so that the command
 * line cannot check it: a time as long as the life of a certificate would be
 * over at once, again and again.
 *
 * @throws {RekeyError} kind `usage`
 */
export function requireShorterThanLife(
  certificate: Validity,
  schedule: Schedule,
  { period, expiresIn }: SettingNames,
): void {
  if (schedule.rule === "two-thirds") return;
  const [flag, ms] = schedule.rule === "period"
    ? [period, schedule.periodMs]
    : [expiresIn, schedule.beforeMs];
  if (ms < lifetimeMs(certificate)) return;
  throw longerThanLife(certificate, { flag, ms });
}

/** Makes the plans of one daemon, and logs them. */
export class Planner {
  readonly #options: RekeyOptions;
  readonly #schedule: Schedule;
  readonly #runtime: Runtime;
  readonly #failureHook: FailureHook;
  readonly #stop: AbortSignal;
  readonly #endsBy: "failures" | "stop";

  constructor(
    options: RekeyOptions,
    runtime: Runtime,
    { failureHook, stop, endsBy }: {
      readonly failureHook: FailureHook;
      readonly stop: AbortSignal;
      readonly endsBy: "failures" | "stop";
    },
  ) {
    if (options.mode.run !== "daemon") {
      throw new TypeError("these are not the options of a daemon");
    }
    this.#options = options;
    this.#schedule = options.mode.schedule;
    this.#runtime = runtime;
    this.#failureHook = failureHook;
    this.#stop = stop;
    this.#endsBy = endsBy;
  }

  get #act(): Act {
    return actOf(this.#options);
  }

  /** The certificate whose dates count now, read from the disk. */
  async certificateOnDisk(): Promise<Certificate> {
    const now = this.#runtime.clock.now();
    return await stoppable(currentCertificate(this.#options, now), this.#stop);
  }

  /** When to rekey a certificate that was found or installed. */
  afterSuccess(
    certificate: Certificate,
    { after, files, act = this.#act }: Pick<Plan, "files"> & {
      readonly after: "start" | "rekey";
      /** What was done, where it is not what was wanted. */
      readonly act?: Act;
    },
  ): Plan {
    if (after === "rekey") this.#failureHook.succeeded();
    const { clock, random, log } = this.#runtime;
    const now = clock.now();
    const { waitMs, isRaised } = planWait(certificate, this.#schedule, {
      now,
      random: random(),
      after,
    });
    this.#warnOfSchedule(certificate, isRaised);
    const first = after === "start";
    log.write({ event: "scheduled", act, certificate, waitMs, first });
    return {
      waitMs,
      fromMs: now.getTime(),
      due: "rekey",
      failures: 0,
      serial: certificate.serial,
      files,
    };
  }

  /**
   * When to try again after a failure, which is reported.
   *
   * @throws {RekeyError} when another try cannot help
   */
  async afterFailure(
    error: RekeyError,
    { due, failures }: Pick<Plan, "due" | "failures">,
  ): Promise<Plan> {
    const { clock, random, log } = this.#runtime;
    const { retry, retryAfterMs } = error;
    const attempt = failures + 1;
    const isFinal = retry === "never" || retry === "reload";
    if (isFinal && this.#endsBy === "failures") {
      await this.#failureHook.report({ error, attempt, next: "last" });
      throw error;
    }
    const files = fingerprint(this.#options);
    const certificate = await this.#certificateAfter(error, attempt);
    const now = clock.now();
    const waitMs = backoffMs({
      retry: isFinal ? "slowly" : retry,
      failures: attempt,
      validity: certificate ?? { notBefore: now, notAfter: now },
      retryAfterMs,
    }, { now, random: random() });
    log.write({
      event: "failed",
      error,
      attempt,
      certificate,
      nextAttemptMs: waitMs,
      leftMs: certificate && remainingMs(certificate, now),
    });
    await this.#failureHook.report({ error, attempt, next: "again" });
    return {
      waitMs,
      fromMs: now.getTime(),
      due,
      failures: attempt,
      // None is that of any certificate that comes.
      serial: certificate?.serial ?? "",
      files,
    };
  }

  /** The certificate in force. Without one, a failure that may end the daemon does, and both errors are reported. */
  async #certificateAfter(
    error: RekeyError,
    attempt: number,
  ): Promise<Certificate | undefined> {
    try {
      return await this.certificateOnDisk();
    } catch (worse) {
      if (!(worse instanceof RekeyError) || this.#stop.aborted) throw worse;
      if (this.#endsBy === "stop") return undefined;
      const { message, hint } = error;
      this.#runtime.log.write({ event: "warning", message, hint });
      await this.#failureHook.report({ error: worse, attempt, next: "last" });
      throw worse;
    }
  }

  /** @param isRaised the schedule asked for a shorter wait than is allowed */
  #warnOfSchedule(certificate: Validity, isRaised: boolean): void {
    const { log } = this.#runtime;
    const schedule = this.#schedule;
    const life = formatRoundedDuration(lifetimeMs(certificate));
    if (schedule.rule === "period" && schedule.periodMs < MIN_WAIT_MS) {
      const least = formatRoundedDuration(leastIntervalMs(certificate));
      log.write({
        event: "warning",
        message:
          `${this.#options.names.period} is too short: a certificate that lives for ${life} is ${
            ACT_WORDS[this.#act].done
          } once in ${least} at the most`,
        hint: { remedy: "longer period" },
        once: true,
      });
    } else if (isRaised) {
      log.write({
        event: "warning",
        message:
          `the schedule does not fit the new certificate, which lives for ${life}: it would be due again too soon`,
        hint: { remedy: "shorter schedule" },
      });
    }
  }
}
