/**
 * What a person can do about a failure, where it takes a flag.
 *
 * Only the command line knows how a flag is spelled, so what is below it names
 * the act, and `cli/remedies.ts` has the words.
 */
import type { Act } from "./act.ts";

/** An act that needs no facts. */
export type SimpleRemedy =
  // About the pair and its files.
  | "allow expired"
  | "choose an owner"
  | "choose no owner"
  | "close the key"
  | "fill the password file"
  | "keep the key plain"
  | "name a password file"
  | "name the key of the pair"
  | "name a state folder"
  | "name the new key"
  | "overwrite without asking"
  | "replace files"
  | "replace in the folder"
  | "wait for the lock"
  | "write elsewhere"
  // About the service and the schedule.
  | "follow restarts"
  | "give a token"
  | "longer hook limit"
  | "longer period"
  | "shorter schedule"
  | "start before rekeying"
  // About the CA, or its own files.
  | "address the CA by a certified name"
  | "address the CA itself"
  | "check the CA and the clocks"
  | "check the CA's port"
  | "fetch the root"
  | "get a certificate that names its provisioner"
  | "get a new certificate"
  | "get a new certificate or rekey offline"
  | "look for a proxy"
  | "name ca.json"
  | "name the CA's password"
  | "rekey online";

/** An act, and the facts that its words need. */
export type Remedy =
  | { readonly remedy: SimpleRemedy }
  /** Copy a hidden key to its name; `to` is unknown where no key is written. */
  | {
    readonly remedy: "put the key back";
    readonly from: string;
    readonly to: string | undefined;
  }
  /** Instead of the single file that was mounted. */
  | { readonly remedy: "mount the directory"; readonly allowsInPlace: boolean }
  /** `repair` is the first choice, as a sentence. */
  | { readonly remedy: "ignore the database"; readonly repair: string }
  /** Of an expired certificate, by the CA's administrator; the name, if it is known. */
  | {
    readonly remedy: "allow late renewal";
    readonly provisioner: string | undefined;
  }
  /** `command` is one of the original's, which this program has not. */
  | { readonly remedy: "make the token elsewhere"; readonly command: string }
  /** `facts` are what its answer said. */
  | { readonly remedy: "check the CA's address"; readonly facts: string }
  | {
    readonly remedy: "reach the CA end to end";
    readonly facts: string;
    readonly act: Act;
  };

/** One action that the user can take: words, or an act that `cli/` words. */
export type Hint = string | Remedy;
