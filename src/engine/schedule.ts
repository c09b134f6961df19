/**
 * When a certificate is due: pure arithmetic on its dates, a clock reading and
 * a random number.
 *
 * The rules are the original's (smallstep/cli command/ca/renew.go:354-380,
 * rekey.go:356-362) with these repairs: jitter in every mode, also of zero
 * width; nothing overflows; and no setting, no clock and no CA that shortens
 * lifetimes makes a wait shorter than {@linkcode MIN_WAIT_MS}.
 */
import { formatDurationMs } from "../base/duration.ts";
import { RekeyError, type RetryClass } from "../base/errors.ts";
import type { Schedule } from "../base/options.ts";

export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

export interface Chance {
  readonly now: Date;
  /** In [0, 1). */
  readonly random: number;
}

/** Least wait of the daemon between two tries, in ms. */
export const MIN_WAIT_MS = 1_000;

/** Least time between two rekeys of a long-lived certificate, in ms. */
const LEAST_INTERVAL_MS = 60_000;

/** Time before expiry that is left for the first try, for long lives, in ms. */
const RESERVE_MS = 60_000;

/** Longest pause after a failure, in ms. */
const MAX_BACKOFF_MS = 3_600_000;

/** First pause after a failure, in ms: the original's fixed minute. */
const FIRST_BACKOFF_MS = 60_000;

/** First pause after a refusal, in ms: a person has to change a policy. */
const FIRST_REFUSAL_MS = 300_000;

/** Longest pause that a CA may impose on an expired certificate, in ms: a day. */
const MAX_IMPOSED_MS = 24 * 3_600_000;

/** Share of the remaining life that a CA's `Retry-After` may use up. */
const IMPOSED_SHARE = 3 / 4;

/** Spread of what a CA imposes, as a share of it, so that its clients do not come back all at once. */
const IMPOSED_JITTER = 1 / 10;

/** Milliseconds until the certificate expires; negative when it has. */
export function remainingMs(validity: Validity, now: Date): number {
  return validity.notAfter.getTime() - now.getTime();
}

/** Milliseconds from notBefore to notAfter. */
export function lifetimeMs({ notBefore, notAfter }: Validity): number {
  return notAfter.getTime() - notBefore.getTime();
}

/**
 * Whether a one-shot run with `--expires-in` has to rekey.
 *
 * Due as soon as no more than `expiresInMs` plus a jitter of up to a twentieth
 * of it is left: jitter only makes it earlier.
 */
export function isDue(
  validity: Validity,
  expiresInMs: number,
  chance: Chance,
): boolean {
  const jitterMs = chance.random * (expiresInMs / 20);
  return remainingMs(validity, chance.now) <= expiresInMs + jitterMs;
}

/**
 * A time that is longer than the certificate lives, in the original's words
 * (command/ca/renew.go:276-283).
 */
export function longerThanLife(
  validity: Validity,
  { flag, ms }: { readonly flag: string; readonly ms: number },
): RekeyError {
  return new RekeyError(
    "usage",
    `flag '${flag}' must be within (lower than) the certificate validity ` +
      `period; ${flag.replace(/^-+/, "")}=${formatDurationMs(ms)}, ` +
      `cert-validity-period=${formatDurationMs(lifetimeMs(validity))}`,
  );
}

/** Least time between two rekeys, unless a shorter period is set, in ms. */
export function leastIntervalMs(validity: Validity): number {
  return Math.min(LEAST_INTERVAL_MS, lifetimeMs(validity) / 20);
}

/** The same under a schedule. A period below {@linkcode MIN_WAIT_MS} is a mistake and does not count. */
function leastScheduledMs(validity: Validity, schedule: Schedule): number {
  const intervalMs = leastIntervalMs(validity);
  return schedule.rule === "period" && schedule.periodMs >= MIN_WAIT_MS
    ? Math.min(intervalMs, schedule.periodMs)
    : intervalMs;
}

export interface PlannedWait {
  /** At least {@linkcode MIN_WAIT_MS}. */
  readonly waitMs: number;
  /** The schedule does not fit this certificate: it would be due again too soon. */
  readonly isRaised: boolean;
}

/**
 * How long the daemon waits for the next rekey.
 *
 * @param after `start`: a certificate that is due is rekeyed after the least
 *   wait; `rekey`: after a minute, or a twentieth of a life below twenty
 *   minutes, unless a shorter period is set
 */
export function planWait(
  validity: Validity,
  schedule: Schedule,
  { after, ...chance }: Chance & { readonly after: "start" | "rekey" },
): PlannedWait {
  const leftMs = remainingMs(validity, chance.now);
  const scheduledMs = Math.min(
    scheduledWaitMs(validity, schedule, chance),
    // A schedule that ends a second before expiry leaves no time to reach the CA.
    leftMs - Math.min(RESERVE_MS, leftMs / 20),
  );
  const leastMs = after === "start"
    ? 0
    : Math.min(leastScheduledMs(validity, schedule), leftMs / 2);
  const waitMs = Math.max(MIN_WAIT_MS, leastMs, scheduledMs);
  // Jitter alone may make a wait of a second shorter than the least one.
  const latestMs = Math.max(
    ...[0, 1].map((random) =>
      scheduledWaitMs(validity, schedule, { ...chance, random })
    ),
  );
  return { waitMs, isRaised: after === "rekey" && waitMs > latestMs };
}

/** Whether a daemon that starts at `now` would rekey at once, whatever chance says. */
export function isDueAtStart(
  validity: Validity,
  schedule: Schedule,
  now: Date,
): boolean {
  return [0, 1].every((random) => {
    const chance = { now, random, after: "start" } as const;
    return planWait(validity, schedule, chance).waitMs <= MIN_WAIT_MS;
  });
}

/** When a certificate is due, by a schedule with jitter. */
export interface DueTimes {
  /** The earliest that jitter makes it. */
  readonly from: Date;
  /** From then on it is due. */
  readonly to: Date;
}

/** The same for a daemon that starts at `now`. */
export function dueTimes(
  validity: Validity,
  schedule: Schedule,
  now: Date,
): DueTimes {
  const at = (random: number) => {
    const chance = { now, random, after: "start" } as const;
    const { waitMs } = planWait(validity, schedule, chance);
    return new Date(now.getTime() + waitMs);
  };
  // Within a twentieth of a life before it is due, chance makes it later.
  const [from, to] = [at(0), at(1)];
  return from <= to ? { from, to } : { from: to, to: from };
}

/** The rule alone, in ms: zero when it is time. */
function scheduledWaitMs(
  validity: Validity,
  schedule: Schedule,
  { now, random }: Chance,
): number {
  const leftMs = remainingMs(validity, now);
  if (schedule.rule === "period") {
    const { periodMs } = schedule;
    return leftMs <= periodMs ? 0 : periodMs - random * (periodMs / 20);
  }
  const lifeMs = lifetimeMs(validity);
  const delayMs = leftMs -
    (schedule.rule === "before-expiry" ? schedule.beforeMs : lifeMs / 3);
  if (delayMs <= 0) return 0;
  const jitterMs = lifeMs / 20;
  return delayMs < jitterMs ? delayMs * random : delayMs - jitterMs * random;
}

/** A pass that failed, and the certificate that it should have replaced. */
export interface FailedPass {
  /** `later`: it may succeed without a change; `slowly`: a person has to change something. */
  readonly retry: Extract<RetryClass, "later" | "slowly">;
  /** Failures in a row: 1, 2, … */
  readonly failures: number;
  readonly validity: Validity;
  /** What the CA asked for (`Retry-After`), in ms. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * How long the daemon waits after a failure, in ms: exponential with full
 * jitter, at most an hour and at most a quarter of the life that is left, so
 * that tries come closer together towards expiry. They go on after it.
 *
 * `Retry-After` makes it longer, but no longer than three quarters of the
 * remaining life.
 */
export function backoffMs(failed: FailedPass, chance: Chance): number {
  const { least, most } = backoffBounds(failed, chance.now);
  const ownMs = least + (most - least) * chance.random;
  const { retryAfterMs = 0, validity } = failed;
  const leftMs = remainingMs(validity, chance.now);
  const imposedMs = Math.min(
    retryAfterMs * (1 + IMPOSED_JITTER * chance.random),
    leftMs > 0 ? leftMs * IMPOSED_SHARE : MAX_IMPOSED_MS,
  );
  return Math.max(ownMs, imposedMs);
}

/** The least and the most that chance decides between, in ms. */
function backoffBounds(
  { retry, failures, validity }: FailedPass,
  now: Date,
): { readonly least: number; readonly most: number } {
  const lifeMs = lifetimeMs(validity);
  const leftMs = remainingMs(validity, now);
  const [firstMs, leastMs] = retry === "later"
    ? [FIRST_BACKOFF_MS, 0]
    : [FIRST_REFUSAL_MS, Math.min(LEAST_INTERVAL_MS, lifeMs / 20)];
  const growingMs = firstMs * 2 ** Math.min(failures - 1, 10);
  // A certificate that lives for minutes must not wait for an hour when the CA
  // is back, even after it has expired.
  const lifeCapMs = leftMs > 0 ? leftMs / 4 : Math.max(firstMs, lifeMs / 4);
  const least = Math.max(MIN_WAIT_MS, leastMs);
  return {
    least,
    most: Math.max(least, Math.min(growingMs, lifeCapMs, MAX_BACKOFF_MS)),
  };
}
