/**
 * Names of the files that an install keeps beside its targets for a moment.
 *
 * All of them are hidden and carry the target's name; the short-lived ones also
 * carry a random tag, so that leftovers of a killed process are told from
 * anything that somebody else calls similar.
 */

/**
 * `new`: staged content; `old`: second name of the replaced file; `journal`: a
 * journal that is not yet in force.
 */
export type HiddenKind = "new" | "old" | "journal";

/** 16 random hexadecimal digits: one tag for all files of one install. */
export function randomTag(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(TAG_DIGITS / 2));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0"))
    .join("");
}

/** The name of a short-lived file beside the target called `name`. */
export function hiddenName(
  name: string,
  kind: HiddenKind,
  tag: string,
): string {
  return `.${name}.${tag}.${kind}`;
}

/** Whether `candidate` is a {@linkcode hiddenName} of the target called `name`. */
export function isHiddenName(
  candidate: string,
  name: string,
  kinds: readonly HiddenKind[] = ["new", "old", "journal"],
): boolean {
  const prefix = `.${name}.`;
  if (!candidate.startsWith(prefix)) return false;
  const rest = candidate.slice(prefix.length);
  const tag = rest.slice(0, TAG_DIGITS);
  return /^[0-9a-f]{16}$/.test(tag) &&
    kinds.some((kind) => rest.slice(TAG_DIGITS) === `.${kind}`);
}

/**
 * The name of the journal in force. It stands beside the certificate, since
 * every install has one, with or without a key.
 */
export function journalName(certificateName: string): string {
  return `.${certificateName}.rekey`;
}

/** The name of a target's lock file. */
export function lockName(name: string): string {
  return `.${name}.rekey-lock`;
}

const TAG_DIGITS = 16;
