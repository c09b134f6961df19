/**
 * What a person can do about a failure, where it takes a flag.
 *
 * Only the command line knows how a flag is spelled, so what is below it names
 * the act, and `cli/remedies.ts` has the words.
 */
export type Remedy =
  /** Go back to a certificate that has expired. */
  | { readonly remedy: "allow expired" }
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
  | CaRemedy;

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

/** One action that the user can take: words, or an act that `cli/` words. */
export type Hint = string | Remedy;
