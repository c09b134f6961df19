/**
 * The words of each remedy, and the names of flags that messages of lower
 * layers quote: the one place that knows which flag does what.
 */
import type { SettingNames } from "../base/options.ts";
import type { CaRemedy, FileRemedy, Hint, Remedy } from "../base/remedy.ts";

/** How the settings that lower layers name are spelled. */
export const SETTING_NAMES: SettingNames = {
  exec: "--exec",
  execOnFailure: "--exec-on-failure",
  pid: "--pid",
  pidFile: "--pid-file",
  expiresIn: "--expires-in",
  rekeyPeriod: "--rekey-period",
};

/** What to print behind `hint: `. */
export function hintText(hint: Hint): string {
  return typeof hint === "string" ? hint : remedyText(hint);
}

function remedyText(remedy: Remedy): string {
  switch (remedy.remedy) {
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
    case "choose an owner":
    case "choose no owner":
    case "close the key":
    case "fill the password file":
    case "mount the directory":
    case "name a password file":
    case "name the new key":
    case "name the key of the pair":
    case "overwrite without asking":
    case "put the key back":
    case "replace files":
    case "wait for the lock":
    case "name a state folder":
    case "replace in the folder":
    case "write elsewhere":
      return fileRemedyText(remedy);
    default:
      return caRemedyText(remedy);
  }
}

function fileRemedyText(remedy: FileRemedy): string {
  switch (remedy.remedy) {
    case "choose an owner":
      return "run as that user and group or as root, or say who shall own the new file with --owner and --group";
    case "choose no owner":
      return "run as root, or leave --owner and --group out";
    case "close the key":
      return "to close it: --key-mode 0600";
    case "fill the password file":
      return "write a password into it, or leave --password-file out";
    case "mount the directory":
      return `mount the directory of the file instead of the file${
        remedy.allowsInPlace
          ? ", or overwrite the file where it is, with a weaker promise, by --in-place"
          : ""
      }`;
    case "name a password file":
      return "use --password-file";
    case "name the new key":
      return "name the file for the key with --out-key";
    case "name the key of the pair":
      return "name the file of its key with --out-key";
    case "overwrite without asking":
      return "use --force to overwrite without asking";
    case "put the key back":
      return `to put it back: cp -p ${remedy.from} ${
        remedy.to ?? "<key-file>"
      }; when it is not needed, remove it`;
    case "replace files":
      return "leave --in-place out, or use --layout plain as well";
    case "wait for the lock":
      return "wait for it with --lock-timeout, or try again; its lock ends with it, so there is nothing to clean up";
    case "name a state folder":
      return "run as the owner of the folder or as root, or name a private folder with --state-dir: then the files are overwritten in place";
    case "replace in the folder":
      return "both files or neither, for readers too: run as the owner of the folder or as root";
    case "write elsewhere":
      return "hidden files are made beside each file that is written, so its directory has to be writable and readable; or write elsewhere with --out-cert and --out-key";
  }
}

function caRemedyText(remedy: CaRemedy): string {
  switch (remedy.remedy) {
    case "rekey online":
      return "rekey online, with --ca-url, while step-ca runs";
    case "get a new certificate or rekey offline":
      return 'get a new certificate with "step ca certificate", or use --offline beside the CA';
    case "name ca.json":
      return 'use --ca-config to name the file that "step ca init" made';
    case "name the CA's password":
      return "use --ca-password-file or --password-file";
    case "ignore the database":
      return `${remedy.repair}; --ignore-database rekeys without asking it`;
    case "fetch the root":
      return '--root names the CA\'s root certificate; "step ca root" fetches it';
    case "address the CA itself":
      return "--ca-url has to name the CA itself";
    case "check the CA's address":
      return `${remedy.facts}; is --ca-url the CA's own address?`;
    case "look for a proxy":
      return "nothing was changed; does --ca-url name the CA, without a proxy that answers for it?";
    case "address the CA by a certified name":
      return "use a name in --ca-url that the CA's certificate has (dnsNames in ca.json)";
    case "check the CA's port":
      return "the port in --ca-url does not speak TLS; is it the CA's?";
    case "check the CA and the clocks":
      return "the CA may not have issued the current certificate, or have expired it by its own clock; check --ca-url and the clocks";
  }
}
