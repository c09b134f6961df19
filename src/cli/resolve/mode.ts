/**
 * When to rekey: --daemon, --expires-in and --rekey-period.
 */
import type { RunMode } from "../../base/options.ts";
import type { RekeyInput } from "./input.ts";

/**
 * Once or for ever, and at what time.
 *
 * Negative durations mean "rekey now" in a single run, as in the original; a
 * daemon would schedule them after the certificate's end, so they are refused.
 *
 * @throws {RekeyError} kind `usage`
 */
export function resolveMode(input: RekeyInput): RunMode {
  const isDaemon = input.flags.daemon === true;
  const expiresInMs = input.durationMs("expires-in") ?? 0;
  const periodMs = input.durationMs("rekey-period") ?? 0;
  if (periodMs < 0) throw input.invalid("rekey-period", "must not be negative");
  if (isDaemon && expiresInMs < 0) {
    throw input.invalid(
      "expires-in",
      "must not be negative with the '--daemon' flag",
    );
  }
  if (expiresInMs > 0 && periodMs > 0) {
    throw input.usage(
      "flag '--expires-in' is incompatible with '--rekey-period'",
      { flags: ["expires-in", "rekey-period"] },
    );
  }
  if (periodMs > 0 && !isDaemon) {
    throw input.usage("flag '--rekey-period' requires the '--daemon' flag", {
      flags: ["rekey-period"],
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
