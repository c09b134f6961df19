/**
 * The words about a schedule that does not fit the certificate.
 */
import { formatRoundedDuration } from "../base/duration.ts";
import type { Schedule } from "../base/options.ts";
import type { LogEvent } from "../base/runtime.ts";
import {
  calmMs,
  lifetimeMs,
  MIN_WAIT_MS,
  type Validity,
} from "../engine/schedule.ts";

/**
 * The warning, if there has to be one.
 *
 * @param isRaised the schedule asked for a shorter wait than is allowed
 */
export function scheduleWarning(
  schedule: Schedule,
  certificate: Validity,
  isRaised: boolean,
): Extract<LogEvent, { event: "warning" }> | undefined {
  const life = formatRoundedDuration(lifetimeMs(certificate));
  if (schedule.rule === "period" && schedule.periodMs < MIN_WAIT_MS) {
    return {
      event: "warning",
      message:
        `--rekey-period is too short: a certificate that lives for ${life} is rekeyed once in ${
          formatRoundedDuration(calmMs(certificate))
        } at the most`,
      hint: "name a --rekey-period of a second or more",
      once: true,
    };
  }
  if (!isRaised) return undefined;
  return {
    event: "warning",
    message:
      `the schedule does not fit the new certificate, which lives for ${life}: it would be due again too soon`,
    hint:
      "choose an --expires-in or --rekey-period well below that lifetime, or ask the CA for a longer one",
  };
}
