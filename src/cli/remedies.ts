/**
 * The words of each remedy, and the names of flags that messages of lower
 * layers quote: the one place that knows which flag does what.
 *
 * A hint names this program as it was called, and only flags that the command
 * has. Commands that only the original has are those of Smallstep's step.
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

/** Who gives a hint. */
export interface Speaker {
  /** The name that the program was called by. */
  readonly name: string;
  /** Of the command, with each spelling where there are others. */
  readonly flags: Readonly<
    Record<
      string,
      { readonly kind: string; readonly names?: readonly string[] }
    >
  >;
}

/**
 * Several ways, of which those are told whose flags the command has; or what to
 * say with a flag, and what without it.
 */
type Words =
  | string
  | readonly string[]
  | { readonly byFlag: string; readonly otherwise: string };

const SIMPLE_REMEDIES: Readonly<Record<SimpleRemedy, Words>> = {
  "allow expired": {
    byFlag: "use --force to go back to it all the same",
    otherwise: "go back to another one",
  },
  "choose an owner": [
    "run as that user and group or as root",
    "say who shall own the new file with --owner and --group",
  ],
  "choose no owner": ["run as root", "leave --owner and --group out"],
  "close the key": {
    byFlag: "to close it: --key-mode 0600",
    otherwise: "to close it: chmod 600",
  },
  "fill the password file": [
    "write a password into it",
    "leave --password-file out",
  ],
  "keep the key plain": {
    byFlag: "leave --password-file out to keep it plain",
    otherwise: "without a password it stays plain",
  },
  "name a password file": {
    byFlag: "use --password-file",
    otherwise: "run it at a terminal",
  },
  "name a state folder": [
    "run as the owner of the folder or as root",
    "name a private folder with --state-dir: then the files are overwritten in place",
  ],
  "name the key of the pair": {
    byFlag: "name the file of its key with --out-key",
    otherwise: "name the key of the pair",
  },
  "name the new key": {
    byFlag: "name the file for the key with --out-key",
    otherwise: "name another file for the key",
  },
  "overwrite without asking": {
    byFlag: "use --force to overwrite without asking",
    otherwise: "run it at a terminal",
  },
  "replace files": [
    "use the layout plain",
    "leave --in-place out",
  ],
  "replace in the folder":
    "both files or neither, for readers too: run as the owner of the folder or as root",
  "wait for the lock": [
    "wait for it with --lock-timeout",
    "try again; its lock ends with it, so there is nothing to clean up",
  ],
  "write elsewhere": [
    "hidden files are made beside each file that is written, so its directory has to be writable and readable",
    "write elsewhere with --out-cert and --out-key",
    "write elsewhere with --out",
  ],
  "follow restarts": {
    byFlag:
      "--pid names no process that runs; after a restart of the service, --pid-file finds it",
    otherwise: "name a process that runs",
  },
  "longer hook limit": {
    byFlag: "--exec-timeout sets the limit",
    otherwise: "let it end sooner",
  },
  "longer period": {
    byFlag: "name a --rekey-period of a second or more",
    otherwise: "name a period of a second or more",
  },
  "shorter schedule": [
    "choose an --expires-in or --rekey-period well below that lifetime",
    "choose an --expires-in or --renew-period well below that lifetime",
    "ask the CA for a longer one",
  ],
  "start before rekeying": [
    "nothing was changed: start the service first",
    "leave --pid-file out",
  ],
  "address the CA by a certified name": {
    byFlag:
      "use a name in --ca-url that the CA's certificate has (dnsNames in ca.json)",
    otherwise: "use a name that the certificate has",
  },
  "address the CA itself": {
    byFlag: "--ca-url has to name the CA itself",
    otherwise: "the address has to be the CA's own",
  },
  "check the CA and the clocks": {
    byFlag:
      "the CA may not have issued the current certificate, or have expired it by its own clock; check --ca-url and the clocks",
    otherwise: "check the address and the clocks",
  },
  "check the CA's port": {
    byFlag: "the port in --ca-url does not speak TLS; is it the CA's?",
    otherwise: "the port does not speak TLS; is it the right one?",
  },
  "fetch the root": {
    byFlag:
      '--root names the CA\'s root certificate; "step-rekey ca root" fetches it',
    otherwise: '"step-rekey ca root" fetches the root certificate of a CA',
  },
  "get a certificate that names its provisioner":
    'the certificate does not name its provisioner, which a renewal needs; get a new one with "step-rekey ca certificate"',
  "get a new certificate":
    'get a new certificate with "step-rekey ca certificate"',
  "get a new certificate or rekey offline": [
    'get a new certificate with "step-rekey ca certificate"',
    "use --offline beside the CA",
  ],
  "look for a proxy": {
    byFlag:
      "nothing was changed; does --ca-url name the CA, without a proxy that answers for it?",
    otherwise: "nothing was changed; does a proxy answer for the CA?",
  },
  "name ca.json": {
    byFlag: "use --ca-config to name the ca.json of the CA",
    otherwise: "name the ca.json of the CA",
  },
  "name the CA's password": {
    byFlag: "use --ca-password-file or --password-file",
    otherwise: "run it at a terminal",
  },
  "rekey online": {
    byFlag: "leave --offline out and use --ca-url, while step-ca runs",
    otherwise: "ask the CA itself, while step-ca runs",
  },
};

/** What to print behind `hint: `. */
export function hintText(hint: Hint, speaker: Speaker): string {
  const text = typeof hint === "string" ? hint : remedyText(hint, speaker);
  return text.replaceAll(OWN_COMMAND, speaker.name);
}

/** The program's name, where a command of it follows. */
const OWN_COMMAND = /\bstep-rekey(?= (?:ca|certificate|run|status|systemd) )/g;

/** Flags of other commands: those of the original, and of a line to type. */
const OF_OTHERS = /Smallstep's step[^,;]*|"step-rekey [^"]*"/g;

function remedyText(remedy: Remedy, speaker: Speaker): string {
  switch (remedy.remedy) {
    case "mount the directory":
      return chosen([
        "mount the directory of the file instead of the file",
        ...remedy.allowsInPlace
          ? [
            "overwrite the file where it is, with a weaker promise, by --in-place",
          ]
          : [],
      ], speaker);
    case "put the key back":
      return `to put it back: cp -p ${remedy.from} ${
        remedy.to ?? "<key-file>"
      }; when it is not needed, remove it`;
    case "ignore the database":
      return chosen({
        byFlag: `${remedy.repair}; --ignore-database rekeys without asking it`,
        otherwise: remedy.repair,
      }, speaker);
    case "allow late renewal":
      return `the claim "allowRenewalAfterExpiry" of its provisioner would allow it, which an administrator of the CA sets with Smallstep's step: step ca provisioner update ${
        shellWord(remedy.provisioner ?? "NAME")
      } --allow-renewal-after-expiry; else get a new certificate with "step-rekey ca certificate"`;
    case "reach the CA end to end": {
      const way = remedy.act === "rekey"
        ? "keep the key and renew by token with --renew-fallback"
        : "renew by token with --mtls=false";
      return `${remedy.facts}; a proxy in front of the CA ends TLS, or the certificate is of another CA: the client certificate is a part of TLS, which such a proxy cannot hand on. ${
        chosen([
          "Let the proxy pass TLS through",
          "name the CA itself with --ca-url",
          way,
        ], speaker)
      }`;
    }
    case "check the CA's address":
      return `${remedy.facts}; ${
        chosen({
          byFlag: "is --ca-url the CA's own address?",
          otherwise: "is it the CA's own address?",
        }, speaker)
      }`;
    case "make the token elsewhere": {
      const { command } = remedy;
      return chosen({
        byFlag:
          `make the token with Smallstep's ${command}, and give it with --token`,
        otherwise: `Smallstep's ${command} makes such a token`,
      }, speaker);
    }
    default:
      return chosen(SIMPLE_REMEDIES[remedy.remedy], speaker);
  }
}

function chosen(words: Words, speaker: Speaker): string {
  if (typeof words === "string") return words;
  if ("byFlag" in words) {
    return isFor(words.byFlag, speaker) ? words.byFlag : words.otherwise;
  }
  return words.filter((way) => isFor(way, speaker)).join(", or ");
}

/** Whether the command has every flag that words name, but for those of another program. */
function isFor(words: string, speaker: Speaker): boolean {
  const known = Object.entries(speaker.flags)
    .flatMap(([name, { names = [name] }]) => names);
  const own = words.replaceAll(OF_OTHERS, "");
  return [...own.matchAll(/--([a-z][a-z-]*)/g)]
    .every(([, flag = ""]) => known.includes(flag));
}

function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text)
    ? text
    : `'${text.replaceAll("'", "'\\''")}'`;
}
