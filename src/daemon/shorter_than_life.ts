/**
 * The one rule about flags that needs the certificate, so that the command line
 * cannot check it.
 */
import { formatGoDuration } from "../base/duration.ts";
import { RekeyError } from "../base/errors.ts";
import type { Schedule } from "../base/options.ts";
import { lifetimeMs, type Validity } from "../engine/schedule.ts";

/**
 * What is as long as the life of a certificate would be due again at once, for
 * ever. The words are the original's for a period (command/ca/renew.go:318).
 *
 * @throws {RekeyError} kind `usage`
 */
export function requireShorterThanLife(
  certificate: Validity,
  schedule: Schedule,
): void {
  if (schedule.rule === "two-thirds") return;
  const [flag, ms] = schedule.rule === "period"
    ? ["rekey-period", schedule.periodMs] as const
    : ["expires-in", schedule.beforeMs] as const;
  const lifeMs = lifetimeMs(certificate);
  if (ms < lifeMs) return;
  throw new RekeyError(
    "usage",
    `flag '--${flag}' must be within (lower than) the certificate validity ` +
      `period; ${flag}=${goDuration(ms)}, ` +
      `cert-validity-period=${goDuration(lifeMs)}`,
  );
}

function goDuration(ms: number): string {
  return formatGoDuration(BigInt(Math.round(ms * 1_000_000)));
}
