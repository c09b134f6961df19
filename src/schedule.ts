/**
 * When a certificate is due: pure arithmetic on its dates, a clock reading and
 * a random number in [0, 1).
 *
 * The rules are the original's (smallstep/cli command/ca/renew.go:354-380,
 * rekey.go:356-362) with three repairs: jitter of zero width is legal, nothing
 * overflows, and no result is below {@linkcode MIN_WAIT_MS}.
 */
import type { Schedule } from "./options.ts";

/** The part of a certificate that a schedule looks at. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Least wait of the daemon between two tries, in ms. */
export const MIN_WAIT_MS = 1_000;

/** Least wait after a success, in ms, for certificates that live long enough. */
const CALM_WAIT_MS = 60_000;

/** Longest pause after a failure, in ms. */
const MAX_BACKOFF_MS = 3_600_000;

/** First pause after a failure, in ms: the original's fixed minute. */
const FIRST_BACKOFF_MS = 60_000;

/** Milliseconds until the certificate expires; negative when it has. */
export function remainingMs(validity: Validity, now: Date): number {
  return validity.notAfter.getTime() - now.getTime();
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
  chance: { readonly now: Date; readonly random: number },
): boolean {
  const jitterMs = chance.random * (expiresInMs / 20);
  return remainingMs(validity, chance.now) <= expiresInMs + jitterMs;
}

/** How long the daemon waits for the next rekey, in ms; at least {@linkcode MIN_WAIT_MS}. */
export function nextWaitMs(
  validity: Validity,
  schedule: Schedule,
  chance: { readonly now: Date; readonly random: number },
): number {
  const leftMs = remainingMs(validity, chance.now);
  const lifetimeMs = validity.notAfter.getTime() - validity.notBefore.getTime();
  // No hot loop, whatever the settings, also when the CA shortens lifetimes.
  const calmMs = Math.min(CALM_WAIT_MS, lifetimeMs / 20, leftMs / 2);
  return Math.max(MIN_WAIT_MS, calmMs, waitMs());

  function waitMs(): number {
    if (schedule.rule === "period") {
      return leftMs <= schedule.periodMs ? 0 : schedule.periodMs;
    }
    const beforeMs = schedule.rule === "before-expiry"
      ? schedule.beforeMs
      : lifetimeMs / 3;
    const delayMs = leftMs - beforeMs;
    if (delayMs <= 0) return 0;
    const jitterWidthMs = lifetimeMs / 20;
    if (delayMs < jitterWidthMs) return delayMs * chance.random;
    return delayMs - jitterWidthMs * chance.random;
  }
}

/**
 * How long the daemon waits after the `failures`-th failure in a row (1, 2, …):
 * exponential with full jitter, at most a quarter of the life that is left and
 * an hour, at least {@linkcode MIN_WAIT_MS}.
 */
export function backoffMs(
  failures: number,
  leftMs: number,
  random: number,
): number {
  const growingMs = FIRST_BACKOFF_MS * 2 ** Math.min(failures - 1, 10);
  const ceilingMs = leftMs > 0
    ? Math.min(growingMs, leftMs / 4, MAX_BACKOFF_MS)
    : Math.min(growingMs, MAX_BACKOFF_MS);
  return Math.max(MIN_WAIT_MS, ceilingMs * (0.5 + random / 2));
}
