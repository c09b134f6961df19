/**
 * Names of the files that stand beside the targets for a while.
 *
 * All but the saved key are hidden, and carry the target's name; many also
 * carry a tag of 16 hexadecimal digits, so that leftovers of a killed process
 * are told from anything that somebody else calls similar.
 */
import { RekeyError } from "../../base/errors.ts";
import { inDirectory, type Target } from "./target.ts";

/**
 * `new`: staged content; `old`: backup of the replaced file; `journal`: a
 * journal or note that is not yet in force; `reload`: that a reload is pending,
 * with the digest of its certificate as tag.
 */
export type HiddenKind = "new" | "old" | "journal" | "reload";

/** What nobody needs once the process that made it is gone. */
const LEFTOVER_KINDS: readonly HiddenKind[] = ["new", "old", "journal"];

const TAG_DIGITS = 16;

/** First digit of tags that belong to no journal. */
const NO_JOURNAL = "0";

/** A tag for a file that nobody needs who finds it. */
export function randomTag(): string {
  return `${NO_JOURNAL}${randomDigits(TAG_DIGITS - NO_JOURNAL.length)}`;
}

/**
 * The tag of all files of one install. It tells the certificate, so that a
 * key's hidden files are left alone by whoever names it beside another one: a
 * journal may need them that only the certificate leads to.
 */
export function installTag(certificateName: string): string {
  const owner = ownerDigits(certificateName);
  return `${owner}${randomDigits(TAG_DIGITS - owner.length)}`;
}

/** The tag of what concerns one certificate, by its digest in hexadecimal. */
export function digestTag(digest: string): string {
  return digest.slice(0, TAG_DIGITS);
}

/** Whether a hidden file beside a key may be removed by an install of this certificate. */
export function isLeftoverOf(
  certificateName: string,
  candidate: string,
  name: string,
): boolean {
  if (!isHiddenName(candidate, name)) return false;
  const tag = candidate.slice(`.${fittingName(name)}.`.length);
  return tag.startsWith(NO_JOURNAL) ||
    tag.startsWith(ownerDigits(certificateName));
}

/**
 * The staged file of the same install beside another target; undefined for what
 * is no staged file.
 */
export function stagedBeside(
  file: string,
  { from, to }: { readonly from: Place; readonly to: Place },
): string | undefined {
  const kind = "new";
  const prefix = inDirectory(from.directory, `.${fittingName(from.name)}.`);
  const tag = file.slice(prefix.length, -`.${kind}`.length);
  return file === hiddenPath(from, { kind, tag })
    ? hiddenPath(to, { kind, tag })
    : undefined;
}

function ownerDigits(certificateName: string): string {
  return `1${checksum(new TextEncoder().encode(certificateName)).slice(0, 7)}`;
}

function randomDigits(count: number): string {
  const bytes = crypto.getRandomValues(new Uint8Array(TAG_DIGITS / 2));
  return bytes.toHex().slice(0, count);
}

/** The name of a file of one kind beside the target called `name`. */
export function hiddenName(
  name: string,
  kind: HiddenKind,
  tag: string,
): string {
  return `.${fittingName(name)}.${tag}.${kind}`;
}

/** Whether `candidate` is a {@linkcode hiddenName} of the target called `name`. */
export function isHiddenName(
  candidate: string,
  name: string,
  kinds: readonly HiddenKind[] = LEFTOVER_KINDS,
): boolean {
  const prefix = `.${fittingName(name)}.`;
  if (!candidate.startsWith(prefix)) return false;
  const rest = candidate.slice(prefix.length);
  return /^[0-9a-f]{16}$/.test(rest.slice(0, TAG_DIGITS)) &&
    kinds.some((kind) => rest.slice(TAG_DIGITS) === `.${kind}`);
}

/** Whether it is a journal or note that is not in force: no key is in there. */
export function isStagedNote(path: string): boolean {
  return /\/\.[^/]+\.[0-9a-f]{16}\.journal$/.test(path);
}

/**
 * Refuses a file of the user's that has a name of the form of those in this
 * file: it would be taken for a leftover, and removed.
 *
 * @throws {RekeyError} kind `usage`
 */
export function requireOwnName(path: string): void {
  const name = path.slice(path.lastIndexOf("/") + 1);
  if (!RESERVED.test(name)) return;
  throw new RekeyError(
    "usage",
    `cannot use ${path}: names such as ${name} are for the hidden files of step-rekey, which it removes`,
    { hint: "give the file another name" },
  );
}

const RESERVED =
  /^\..+\.(?:[0-9a-f]{16}\.(?:new|old|journal|reload)|rekey|rekey-lock|rekey-layout|versions)$/s;

/**
 * The name of the journal in force. It stands beside the certificate, since
 * every install has one, with or without a key.
 */
export function journalName(certificateName: string): string {
  return `.${fittingName(certificateName)}.rekey`;
}

/** The name of the directory that holds the versions of a pair, beside the certificate. */
export function versionsName(certificateName: string): string {
  return `.${fittingName(certificateName)}.versions`;
}

/** The name of the note that a change of layout has begun, beside the certificate. */
function layoutNoteName(certificateName: string): string {
  return `.${fittingName(certificateName)}.rekey-layout`;
}

export function lockName(name: string): string {
  return `.${fittingName(name)}.rekey-lock`;
}

/** The name of a key that is saved for a person to look at. Not hidden. */
export function savedName(name: string): string {
  return `${fittingName(name)}.${randomDigits(TAG_DIGITS)}.saved`;
}

/** Where a name is: a target, or what stands like one. */
type Place = Pick<Target, "directory" | "name">;

export function hiddenPath(
  { directory, name }: Place,
  { kind, tag }: { readonly kind: HiddenKind; readonly tag: string },
): string {
  return inDirectory(directory, hiddenName(name, kind, tag));
}

/** A path beside a target that a repair removes, should this process be killed. */
export function temporaryPath(place: Place, kind: HiddenKind = "new"): string {
  return hiddenPath(place, { kind, tag: randomTag() });
}

export function journalPath({ directory, name }: Place): string {
  return inDirectory(directory, journalName(name));
}

export function layoutNotePath({ directory, name }: Place): string {
  return inDirectory(directory, layoutNoteName(name));
}

/** What file systems allow for one name (NAME_MAX), in bytes. */
const MOST_NAME_BYTES = 255;

/** The longest of the names above has this much more than its stem, in bytes. */
const MOST_ADDED_BYTES = "..".length + TAG_DIGITS + ".journal".length;

/** The name itself; of one that has no room for more, its beginning and a checksum. */
export function fittingName(name: string): string {
  const most = MOST_NAME_BYTES - MOST_ADDED_BYTES;
  const encoder = new TextEncoder();
  if (encoder.encode(name).length <= most) return name;
  const end = `~${checksum(encoder.encode(name))}`;
  const bytes = new Uint8Array(most - end.length);
  // Whole characters only.
  const { read } = encoder.encodeInto(name, bytes);
  return name.slice(0, read) + end;
}

/** FNV-1a, 64 bits: only to tell long names apart. */
function checksum(bytes: Uint8Array): string {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash.toString(16).padStart(16, "0");
}
