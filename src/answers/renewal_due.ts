/**
 * Whether a certificate needs to be renewed, as `certificate needs-renewal`
 * decides it (smallstep/cli command/certificate/needsRenewal.go). Without
 * jitter: the same question has the same answer for everybody.
 */
import { lifetimeMs, remainingMs, type Validity } from "../engine/schedule.ts";

/** From when on: a share of the life that is used, or a time before the end. */
export type RenewalWindow =
  | { readonly rule: "used"; readonly percent: number }
  | { readonly rule: "before-expiry"; readonly beforeMs: number };

/** Percent of its life that a certificate has used, in whole ones. */
export function usedPercent(validity: Validity, now: Date): number {
  const lifeMs = lifetimeMs(validity);
  const usedMs = lifeMs - remainingMs(validity, now);
  // Zero has no sign.
  return Math.trunc(100 * usedMs / lifeMs) + 0;
}

export function isRenewalDue(
  validity: Validity,
  window: RenewalWindow,
  now: Date,
): boolean {
  // It never was valid, so that no share of its life is left.
  if (lifetimeMs(validity) <= 0) return true;
  return window.rule === "used"
    ? usedPercent(validity, now) >= window.percent
    : remainingMs(validity, now) <= window.beforeMs;
}
