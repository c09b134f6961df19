/**
 * What a person can do about a failure, where it takes a flag.
 *
 * Only the command line knows how a flag is spelled, so what is below it names
 * the act, and `cli/remedies.ts` has the words.
 */
export type Remedy =
  /** Go back to a certificate that has expired. */
  | { readonly remedy: "allow expired" }
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
  /** Replace files instead of overwriting them, or do without versions. */
  | { readonly remedy: "replace files" }
  | { readonly remedy: "wait for the lock" }
  /** Make a directory writable, or name files in another one. */
  | { readonly remedy: "write elsewhere" };

/** One action that the user can take: words, or an act that `cli/` words. */
export type Hint = string | Remedy;
