/**
 * How long work may take: before it counts as stuck, and before it keeps the
 * next rekey waiting.
 */
import type { RekeyOptions } from "../base/options.ts";
import { DEFAULT_TIMEOUT_MS } from "../reload/exec.ts";

/** Key generation of the largest size, and disks that are slow, in ms. */
const LONGEST_WORK_MS = 1_800_000;

/** A hook may have so much time whenever the next rekey is due, in ms. */
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

/** Most time for a hook in a wait of which so much is left, in ms. */
export function hookLimitMs(leftMs: number): number {
  return Math.max(leftMs, LEAST_HOOK_MS);
}
