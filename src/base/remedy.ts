/**
 * What a person can do about a failure, where it takes a flag.
 *
 * Only the command line knows how a flag is spelled, so what is below it names
 * the act, and `cli/remedies.ts` has the words.
 */
export type Remedy =
  /** Go back to a certificate that has expired. */
  | { readonly remedy: "allow expired" }
  /** Do not encrypt the new key. */
  | { readonly remedy: "keep the key plain" }
  /** Give the hook more time. */
  | { readonly remedy: "longer hook limit" }
  /** Find the process of the service anew after each restart. */
  | { readonly remedy: "follow restarts" }
  /** Rekey before there is a process to signal. */
  | { readonly remedy: "start before rekeying" }
  /** A period that no certificate can follow. */
  | { readonly remedy: "longer period" }
  /** A schedule that the CA's lifetimes leave no room for. */
  | { readonly remedy: "shorter schedule" }
  | CaRemedy
  | FileRemedy;

/** What helps when the CA, or its own files, do not sign. */
export type CaRemedy =
  | { readonly remedy: "rekey online" }
  | { readonly remedy: "get a new certificate or rekey offline" }
  | { readonly remedy: "name ca.json" }
  | { readonly remedy: "name the CA's password" }
  /** `repair` is the first choice, as a sentence. */
  | { readonly remedy: "ignore the database"; readonly repair: string }
  | { readonly remedy: "fetch the root" }
  | { readonly remedy: "address the CA itself" }
  /** `facts` are what its answer said. */
  | { readonly remedy: "check the CA's address"; readonly facts: string }
  | { readonly remedy: "look for a proxy" }
  | { readonly remedy: "address the CA by a certified name" }
  | { readonly remedy: "check the CA's port" }
  | { readonly remedy: "check the CA and the clocks" };

/** What helps when files cannot be read or written as they are. */
export type FileRemedy =
  /** Say who shall own a new file, or that nobody was chosen. */
  | { readonly remedy: "choose an owner" | "choose no owner" }
  /** Make a private key readable by its owner only. */
  | { readonly remedy: "close the key" }
  /** Write a password into its file, or name none. */
  | { readonly remedy: "fill the password file" }
  /** Mount a folder, where a single file was mounted. */
  | { readonly remedy: "mount the directory"; readonly allowsInPlace: boolean }
  | { readonly remedy: "name a password file" }
  /** Name the file for the new key, or of the key that there is. */
  | { readonly remedy: "name the new key" | "name the key of the pair" }
  | { readonly remedy: "overwrite without asking" }
  /** Copy a hidden key to its name; `to` is unknown where no key is written. */
  | {
    readonly remedy: "put the key back";
    readonly from: string;
    readonly to: string | undefined;
  }
  /** Replace files instead of overwriting them, or do without versions. */
  | { readonly remedy: "replace files" }
  | { readonly remedy: "wait for the lock" }
  /** Say where safety copies may be, or make the directory writable. */
  | { readonly remedy: "name a state folder" }
  /** Let the files be replaced in their own folder. */
  | { readonly remedy: "replace in the folder" }
  /** Make a directory writable, or name files in another one. */
  | { readonly remedy: "write elsewhere" };

/** One action that the user can take: words, or an act that `cli/` words. */
export type Hint = string | Remedy;
