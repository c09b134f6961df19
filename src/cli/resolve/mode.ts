/** When: once or for ever. Errors are of kind `usage`. */
import type { RunMode } from "../../base/options.ts";
import type { FlagReader } from "./flag_reader.ts";

/**
 * Once or for ever, and at what time.
 *
 * Negative durations mean "now" in a single run, as in the original; a
 * daemon would schedule them after the certificate's end, so they are refused.
 */
export function resolveMode(flags: FlagReader): RunMode {
  const isDaemon = flags.values.daemon === true;
  const expiresInMs = flags.durationMs("expires-in") ?? 0;
  const period = flags.knows("rekey-period") ? "rekey-period" : "renew-period";
  const periodMs = flags.durationMs(period) ?? 0;
  if (periodMs < 0) throw flags.invalid(period, "must not be negative");
  if (isDaemon && expiresInMs < 0) {
    throw flags.invalid(
      "expires-in",
      "must not be negative with the '--daemon' flag",
    );
  }
  if (expiresInMs > 0 && periodMs > 0) {
    throw flags.usage(
      `flag '--expires-in' is incompatible with '--${period}'`,
      { flags: ["expires-in", period] },
    );
  }
  if (periodMs > 0 && !isDaemon) {
    throw flags.usage(`flag '--${period}' requires the '--daemon' flag`, {
      flags: [period],
    });
  }
  if (!isDaemon) {
    // Zero or less means "rekey now", as it does in the original.
    return expiresInMs > 0
      ? { run: "once", onlyIfExpiresInMs: expiresInMs }
      : { run: "once" };
  }
  if (periodMs > 0) {
    return { run: "daemon", schedule: { rule: "period", periodMs } };
  }
  if (expiresInMs > 0) {
    return {
      run: "daemon",
      schedule: { rule: "before-expiry", beforeMs: expiresInMs },
    };
  }
  return { run: "daemon", schedule: { rule: "two-thirds" } };
}
