/**
 * When a certificate is due: pure arithmetic on its dates, a clock reading and
 * a random number in [0, 1).
 *
 * The rules are the original's (smallstep/cli command/ca/renew.go:354-380,
 * rekey.go:356-362) with these repairs: jitter in every mode, also of zero
 * width; nothing overflows; and no setting, no clock and no CA that shortens
 * lifetimes brings a wait below {@linkcode MIN_WAIT_MS}.
 */
import type { RetryClass } from "../base/errors.ts";
import type { Schedule } from "../base/options.ts";

/** The part of a certificate that a schedule looks at. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** The moment and the luck of a decision. */
export interface Chance {
  readonly now: Date;
  /** In [0, 1). */
  readonly random: number;
}

/** Least wait of the daemon between two tries, in ms. */
export const MIN_WAIT_MS = 1_000;

/** Least wait after a rekey that is due again at once, for long lives, in ms. */
const CALM_WAIT_MS = 60_000;

/** Time that the first try has before the end, for long lives, in ms. */
const RESERVE_MS = 60_000;

/** Longest pause after a failure, in ms. */
const MAX_BACKOFF_MS = 3_600_000;

/** First pause after a failure, in ms: the original's fixed minute. */
const FIRST_BACKOFF_MS = 60_000;

/** First pause after a refusal, in ms: people change policies, and not in a minute. */
const FIRST_REFUSAL_MS = 300_000;

/** Longest pause that a CA may impose on an expired certificate, in ms: a day. */
const MAX_IMPOSED_MS = 24 * 3_600_000;

/** Share of the remaining life that a CA's `Retry-After` may use up. */
const IMPOSED_SHARE = 3 / 4;

/** Spread of what a CA imposes, as a share of it: not everybody comes back at once. */
const IMPOSED_JITTER = 1 / 10;

/** Milliseconds until the certificate expires; negative when it has. */
export function remainingMs(validity: Validity, now: Date): number {
  return validity.notAfter.getTime() - now.getTime();
}

/** Milliseconds from begin to end of the validity. */
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

/** Least time between two rekeys that nobody asked for by a time, in ms. */
export function calmMs(validity: Validity): number {
  return Math.min(CALM_WAIT_MS, lifetimeMs(validity) / 20);
}

/**
 * The same under a schedule: a period is a wish, unless it is below
 * {@linkcode MIN_WAIT_MS} and so a mistake.
 */
function leastPeriodMs(validity: Validity, schedule: Schedule): number {
  const calm = calmMs(validity);
  if (schedule.rule !== "period" || schedule.periodMs < MIN_WAIT_MS) {
    return calm;
  }
  return Math.min(calm, schedule.periodMs);
}

/** How long to wait, and whether that is the schedule's own answer. */
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
 *   wait; `rekey`: no less than a minute, or a twentieth of a life below twenty
 *   minutes, unless a shorter period was asked for
 */
export function planWait(
  validity: Validity,
  schedule: Schedule,
  { after, ...chance }: Chance & { readonly after: "start" | "rekey" },
): PlannedWait {
  const leftMs = remainingMs(validity, chance.now);
  const wishMs = Math.min(
    wishedWaitMs(validity, schedule, chance),
    // An --expires-in of a second leaves no time to reach the CA.
    leftMs - Math.min(RESERVE_MS, leftMs / 20),
  );
  const leastMs = after === "start"
    ? 0
    : Math.min(leastPeriodMs(validity, schedule), leftMs / 2);
  const waitMs = Math.max(MIN_WAIT_MS, leastMs, wishMs);
  // Jitter alone may bring a wait of a second below the floor.
  const latestMs = Math.max(
    ...[0, 1].map((random) =>
      wishedWaitMs(validity, schedule, { ...chance, random })
    ),
  );
  return { waitMs, isRaised: after === "rekey" && waitMs > latestMs };
}

/** The rule alone, in ms: zero when it is time. */
function wishedWaitMs(
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
export interface FailedTry {
  /** `later`: it may heal by itself; `slowly`: a person has to change something. */
  readonly retry: Extract<RetryClass, "later" | "slowly">;
  /** Failures in a row: 1, 2, … */
  readonly failures: number;
  readonly validity: Validity;
  /** What the CA asked for (`Retry-After`), in ms. */
  readonly retryAfterMs?: number | undefined;
}

/**
 * How long the daemon waits after a failure, in ms: exponential with full
 * jitter, at most an hour and a quarter of the life that is left, so that the
 * tries come closer as the end comes near; for ever, also after the end.
 *
 * `Retry-After` makes it longer, but leaves a quarter of the remaining life for
 * tries of our own.
 */
export function backoffMs(failed: FailedTry, chance: Chance): number {
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

/** Between what and what chance decides, in ms. */
function backoffBounds(
  { retry, failures, validity }: FailedTry,
  now: Date,
): { readonly least: number; readonly most: number } {
  const lifeMs = lifetimeMs(validity);
  const leftMs = remainingMs(validity, now);
  const [firstMs, leastMs] = retry === "later"
    ? [FIRST_BACKOFF_MS, 0]
    : [FIRST_REFUSAL_MS, Math.min(CALM_WAIT_MS, lifeMs / 20)];
  const growingMs = firstMs * 2 ** Math.min(failures - 1, 10);
  // Whoever lives for minutes cannot be left alone for an hour when the CA
  // is back, be it too late.
  const lifeCapMs = leftMs > 0 ? leftMs / 4 : Math.max(firstMs, lifeMs / 4);
  const least = Math.max(MIN_WAIT_MS, leastMs);
  return {
    least,
    most: Math.max(least, Math.min(growingMs, lifeCapMs, MAX_BACKOFF_MS)),
  };
}
