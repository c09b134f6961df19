/**
 * The words of each remedy: the one place that knows which flag does what.
 */
import type { Hint, Remedy } from "../base/remedy.ts";

/** What to print behind `hint: `. */
export function hintText(hint: Hint): string {
  return typeof hint === "string" ? hint : remedyText(hint);
}

function remedyText(hint: Remedy): string {
  switch (hint.remedy) {
    case "allow expired":
      return "use --force to go back to it all the same";
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
        hint.allowsInPlace
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
    case "replace files":
      return "leave --in-place out, or use --layout plain as well";
    case "wait for the lock":
      return "wait for it with --lock-timeout, or try again; its lock ends with it, so there is nothing to clean up";
    case "write elsewhere":
      return "hidden files are made beside each file that is written, with --in-place too, so its directory has to be writable and readable; or write elsewhere with --out-cert and --out-key";
  }
}
