/**
 * The words of each remedy, and the names of flags that messages of lower
 * layers quote: the one place that knows which flag does what.
 */
import type { SettingNames } from "../base/options.ts";
import type { Hint, Remedy, SimpleRemedy } from "../base/remedy.ts";

/** How the settings that lower layers name are spelled. */
export const SETTING_NAMES: SettingNames = {
  exec: "--exec",
  execOnFailure: "--exec-on-failure",
  pid: "--pid",
  pidFile: "--pid-file",
  expiresIn: "--expires-in",
  period: "--rekey-period",
};

const SIMPLE_REMEDIES: Readonly<Record<SimpleRemedy, string>> = {
  "allow expired": "use --force to go back to it all the same",
  "choose an owner":
    "run as that user and group or as root, or say who shall own the new file with --owner and --group",
  "choose no owner": "run as root, or leave --owner and --group out",
  "close the key": "to close it: --key-mode 0600",
  "fill the password file":
    "write a password into it, or leave --password-file out",
  "keep the key plain": "leave --password-file out to keep it plain",
  "name a password file": "use --password-file",
  "name a state folder":
    "run as the owner of the folder or as root, or name a private folder with --state-dir: then the files are overwritten in place",
  "name the key of the pair": "name the file of its key with --out-key",
  "name the new key": "name the file for the key with --out-key",
  "overwrite without asking": "use --force to overwrite without asking",
  "replace files": "leave --in-place out, or use --layout plain as well",
  "replace in the folder":
    "both files or neither, for readers too: run as the owner of the folder or as root",
  "wait for the lock":
    "wait for it with --lock-timeout, or try again; its lock ends with it, so there is nothing to clean up",
  "write elsewhere":
    "hidden files are made beside each file that is written, so its directory has to be writable and readable; or write elsewhere with --out-cert and --out-key",
  "follow restarts":
    "--pid names no process that runs; after a restart of the service, --pid-file finds it",
  "longer hook limit": "--exec-timeout sets the limit",
  "longer period": "name a --rekey-period of a second or more",
  "shorter schedule":
    "choose an --expires-in or --rekey-period well below that lifetime, or ask the CA for a longer one",
  "start before rekeying":
    "nothing was rekeyed: start the service first, or leave --pid-file out",
  "address the CA by a certified name":
    "use a name in --ca-url that the CA's certificate has (dnsNames in ca.json)",
  "address the CA itself": "--ca-url has to name the CA itself",
  "check the CA and the clocks":
    "the CA may not have issued the current certificate, or have expired it by its own clock; check --ca-url and the clocks",
  "check the CA's port":
    "the port in --ca-url does not speak TLS; is it the CA's?",
  "fetch the root":
    '--root names the CA\'s root certificate; "step-rekey ca root" fetches it',
  "get a new certificate or rekey offline":
    'get a new certificate with "step ca certificate", or use --offline beside the CA',
  "look for a proxy":
    "nothing was changed; does --ca-url name the CA, without a proxy that answers for it?",
  "name ca.json": 'use --ca-config to name the file that "step ca init" made',
  "name the CA's password": "use --ca-password-file or --password-file",
  "rekey online": "rekey online, with --ca-url, while step-ca runs",
};

/** What to print behind `hint: `. */
export function hintText(hint: Hint): string {
  return typeof hint === "string" ? hint : remedyText(hint);
}

function remedyText(remedy: Remedy): string {
  switch (remedy.remedy) {
    case "mount the directory":
      return `mount the directory of the file instead of the file${
        remedy.allowsInPlace
          ? ", or overwrite the file where it is, with a weaker promise, by --in-place"
          : ""
      }`;
    case "put the key back":
      return `to put it back: cp -p ${remedy.from} ${
        remedy.to ?? "<key-file>"
      }; when it is not needed, remove it`;
    case "ignore the database":
      return `${remedy.repair}; --ignore-database rekeys without asking it`;
    case "allow late renewal":
      return `the claim "allowRenewalAfterExpiry" of its provisioner would allow it, which an administrator of the CA sets: step ca provisioner update ${
        shellWord(remedy.provisioner ?? "NAME")
      } --allow-renewal-after-expiry; else get a new certificate with "step ca certificate"`;
    case "reach the CA end to end": {
      const way = remedy.act === "rekey"
        ? "keep the key and renew by token with --renew-fallback"
        : "renew by token with --mtls=false";
      return `${remedy.facts}; a proxy in front of the CA ends TLS, or the certificate is of another CA: the client certificate is a part of TLS, which such a proxy cannot hand on. Let the proxy pass TLS through, or name the CA itself with --ca-url, or ${way}`;
    }
    case "check the CA's address":
      return `${remedy.facts}; is --ca-url the CA's own address?`;
    default:
      return SIMPLE_REMEDIES[remedy.remedy];
  }
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text)
    ? text
    : `'${text.replaceAll("'", "'\\''")}'`;
}
