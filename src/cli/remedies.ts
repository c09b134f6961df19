/**
 * The words of each remedy, and the names of flags that messages of lower
 * layers quote: the one place that knows which flag does what.
 */
import type { SettingNames } from "../base/options.ts";
import type { Hint, Remedy } from "../base/remedy.ts";

/** How the settings that lower layers name are spelled. */
export const SETTING_NAMES: SettingNames = {
  exec: "--exec",
  execOnFailure: "--exec-on-failure",
  pidFile: "--pid-file",
  expiresIn: "--expires-in",
  rekeyPeriod: "--rekey-period",
};

/** What to print behind `hint: `. */
export function hintText(hint: Hint): string {
  return typeof hint === "string" ? hint : remedyText(hint);
}

function remedyText({ remedy }: Remedy): string {
  switch (remedy) {
    case "allow expired":
      return "use --force to go back to it all the same";
    case "keep the key plain":
      return "leave --password-file out to keep it plain";
    case "longer hook limit":
      return "--exec-timeout sets the limit";
    case "follow restarts":
      return "--pid names no process that runs; after a restart of the service, --pid-file finds it";
    case "start before rekeying":
      return "nothing was rekeyed: start the service first, or leave --pid-file out";
    case "longer period":
      return "name a --rekey-period of a second or more";
    case "shorter schedule":
      return "choose an --expires-in or --rekey-period well below that lifetime, or ask the CA for a longer one";
  }
}
