/**
 * What a person can do about a failure, where it takes a flag.
 *
 * Only the command line knows how a flag is spelled, so what is below it names
 * the act, and `cli/remedies.ts` has the words.
 */
export type Remedy =
  /** Go back to a certificate that has expired. */
  { readonly remedy: "allow expired" };

/** One action that the user can take: words, or an act that `cli/` words. */
export type Hint = string | Remedy;
