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
  | { readonly remedy: "shorter schedule" };

/** One action that the user can take: words, or an act that `cli/` words. */
export type Hint = string | Remedy;
