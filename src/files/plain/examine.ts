/**
 * Can these targets be replaced by rename? Asked before the CA is, and answered
 * by trying as far as that leaves no trace.
 */
import { RekeyError } from "../../base/errors.ts";
import { bestEffort, osCode } from "../../base/os_error.ts";
import {
  type AttributeChoice,
  attributesFor,
  type FileAttributes,
  permissions,
} from "../disk/attributes.ts";
import { isLinkRefused } from "../disk/backup_file.ts";
import {
  discard,
  diskCall,
  isSameFile,
  lstatIfExists,
  readIfExists,
} from "../disk/disk.ts";
import { temporaryPath } from "../disk/hidden_names.ts";
import type { Role, Target } from "../disk/target.ts";
import type { SeenPair } from "../pair/seen_pair.ts";
import { type InstallWarning, membersOf, type Pair } from "../transaction.ts";

export interface ExaminedTarget {
  readonly role: Role;
  readonly target: Target;
  /** The file to be replaced; undefined when there is none yet. */
  readonly info: Deno.FileInfo | undefined;
  /** Whether its content is overwritten, rather than the file replaced. */
  readonly inPlace: boolean;
  readonly attributes: FileAttributes;
  /** Whether it is a certificate in DER, which becomes one in PEM. */
  readonly isDer: boolean;
}

export interface ExamineOptions {
  readonly inPlace?: boolean | undefined;
  readonly attributes?: AttributeChoice | undefined;
  /** What was read of them under the same lock. */
  readonly seen?: SeenPair | undefined;
  /** Whether `inPlace` could be chosen instead, for hints. True by default. */
  readonly allowsInPlace?: boolean | undefined;
}

/**
 * Examines each target.
 *
 * @returns the targets in the order of their renames
 * @throws {RekeyError} kind `install`, naming the file and the way out
 */
export function examineTargets(
  targets: Pair<Target>,
  options: ExamineOptions = {},
): readonly ExaminedTarget[] {
  const examined = membersOf(targets).map(({ role, value }) =>
    examine(role, value, options)
  );
  refuseOneFileForBoth(examined);
  return examined.map((item) => {
    const { role, target, info, inPlace } = item;
    if (info === undefined) return item;
    if (inPlace) requireWritable(target);
    else {
      requireRemovable(target, info);
      probeLink(target, info, options);
    }
    const content = options.seen?.contentOf(target.path) ??
      requireReadable(target);
    return { ...item, isDer: role === "certificate" && isDer(content) };
  });
}

/** A SEQUENCE, where PEM is text. */
export function isDer(content: ReturnType<typeof readIfExists>): boolean {
  return content instanceof Uint8Array && content[0] === 0x30;
}

function examine(
  role: Role,
  target: Target,
  { inPlace = false, attributes = {} }: ExamineOptions,
): ExaminedTarget {
  const { path } = target;
  const info = diskCall("open", path, () => lstatIfExists(target.file));
  if (info?.isDirectory) {
    throw new RekeyError("install", `open ${path} failed: is a directory`);
  }
  if (info !== undefined && !info.isFile) {
    throw new RekeyError("install", `open ${path} failed: not a regular file`);
  }
  return {
    role,
    target,
    info,
    inPlace: (inPlace || target.standsIn !== undefined) && info !== undefined,
    attributes: attributesFor(role, info, attributes),
    isDer: false,
  };
}

function refuseOneFileForBoth(
  [first, second]: readonly ExaminedTarget[],
): void {
  if (first === undefined || second === undefined) return;
  const isOne = first.target.file === second.target.file ||
    (first.info !== undefined && second.info !== undefined &&
      isSameFile(first.info, second.info));
  if (!isOne) return;
  throw new RekeyError(
    "install",
    `${second.target.path} and ${first.target.path} are the same file`,
    { hint: "name two different files for the certificate and the key" },
  );
}

/** Opens it as the overwriting will, and changes nothing. */
function requireWritable({ file, path }: Target): void {
  diskCall("open", path, () => Deno.openSync(file, { write: true })).close();
}

function requireReadable(target: Target): ReturnType<typeof readIfExists> {
  // Its digest goes into the journal.
  const content = diskCall(
    "open",
    target.path,
    () => readIfExists(target.file),
  );
  if (content !== "not a file") return content;
  throw new RekeyError(
    "install",
    `${target.path} is too large for a certificate or key`,
    { hint: "name another file, or remove this one" },
  );
}

/** In a sticky directory a file goes only with its owner (inode(7), S_ISVTX). */
export function requireRemovable(
  { directory, path }: Target,
  info: Deno.FileInfo,
): void {
  if (Deno.build.os === "windows") return;
  const parent = diskCall("open", path, () => Deno.statSync(directory));
  if ((permissions(parent) & 0o1000) === 0) return;
  const uid = diskCall("open", path, () => Deno.uid());
  if (uid === 0 || uid === info.uid || uid === parent.uid) return;
  throw new RekeyError(
    "install",
    `cannot replace ${path}: it belongs to uid ${info.uid}, and its directory is sticky`,
    { hint: "run as the owner of the file or as root" },
  );
}

/**
 * Gives the file a second name for a moment: that tells where rename(2) would
 * fail, though nothing is renamed.
 */
function probeLink(
  target: Target,
  info: Deno.FileInfo,
  { allowsInPlace = true }: ExamineOptions,
): void {
  const probe = temporaryPath(target);
  try {
    diskCall("open", target.path, () => Deno.linkSync(target.file, probe));
  } catch (error) {
    const cause = error instanceof RekeyError ? error.cause : error;
    if (osCode(cause) === "EXDEV") {
      throw mountPoint(target, { cause, allowsInPlace });
    }
    if (!isLinkRefused(cause)) throw error;
    const isImmutable = diskCall(
      "open",
      target.path,
      () => osCode(cause) === "EPERM" && isOwn(info) && hasLinks(target),
    );
    if (isImmutable) throw immutable(target, cause);
    // No hard links here: the old file is copied instead.
    return;
  }
  // A leftover would be found and removed like any other.
  bestEffort(() => discard(probe));
}

/** A file of one's own cannot be refused by protected_hardlinks (proc(5)). */
function isOwn({ uid }: Deno.FileInfo): boolean {
  const own = Deno.uid();
  return own === 0 || own === uid;
}

/** Whether the file system knows hard links at all. */
function hasLinks(target: Target): boolean {
  const file = temporaryPath(target);
  const link = temporaryPath(target);
  Deno.openSync(file, { write: true, createNew: true, mode: 0o600 }).close();
  try {
    Deno.linkSync(file, link);
    return true;
  } catch (error) {
    if (isLinkRefused(error)) return false;
    throw error;
  } finally {
    discard(file);
    discard(link);
  }
}

export function mountPoint(
  { path }: Target,
  { cause, allowsInPlace }: {
    readonly cause: unknown;
    readonly allowsInPlace: boolean;
  },
): RekeyError {
  return new RekeyError(
    "install",
    `cannot replace ${path}: it is a mount point of its own, such as a single file bind-mounted into a container`,
    { hint: { remedy: "mount the directory", allowsInPlace }, cause },
  );
}

function immutable({ path }: Target, cause: unknown): RekeyError {
  return new RekeyError(
    "install",
    `cannot replace ${path}: operation not permitted, since the file is immutable or append-only`,
    { hint: `allow it with: chattr -ia ${path}`, cause },
  );
}

/** What a person should know about a target that will be written. */
export function warningsFor(
  { role, target, info, attributes, inPlace, isDer }: ExaminedTarget,
): readonly InstallWarning[] {
  const open = role === "key"
    ? openKeyWarnings(target, { before: info, mode: attributes.mode })
    : isDer
    ? [becomesPem(target)]
    : [];
  if (target.standsIn !== undefined) return [...open, overwritten(target)];
  if (inPlace || info === undefined || (info.nlink ?? 1) <= 1) return open;
  const message =
    `${target.path} has other hard links; they keep the old content`;
  return [...open, { message }];
}

function overwritten({ path, directory, standsIn }: Target): InstallWarning {
  return {
    message:
      `the folder ${standsIn} cannot be written, so ${path} is overwritten where it is: a reader can see a part of each content meanwhile, and only a run that finds the safety copies in ${directory} repairs what is interrupted`,
    advice: { remedy: "replace in the folder" },
  };
}

/** Who reads the file as DER cannot read what replaces it. */
export function becomesPem({ path }: Pick<Target, "path">): InstallWarning {
  return {
    message: `the certificate ${path} is DER, and the new one will be PEM`,
  };
}

/** What to say about a key that is, or will be, open to others. */
export function openKeyWarnings(
  { path }: Target,
  { before, mode }: {
    readonly before: Deno.FileInfo | undefined;
    readonly mode: number;
  },
): readonly InstallWarning[] {
  if (Deno.build.os === "windows" || (mode & 0o066) === 0) return [];
  const shown = mode.toString(8).padStart(4, "0");
  if (before === undefined || permissions(before) !== mode) {
    const message =
      `the new private key ${path} will be open to others (mode ${shown})`;
    return [{ message }];
  }
  return [{
    message:
      `the private key ${path} is open to others (mode ${shown}), and so will the new one be`,
    advice: { remedy: "close the key" },
  }];
}

/** Bytes of a chain of about ten certificates, and of an encrypted RSA-8192 key. */
const USUAL_BYTES = { certificate: 16 * 1024, key: 8 * 1024 } as const;

/**
 * Bytes to hold for new content: twice the old size, for a longer chain, a
 * larger key, or a password's frame.
 */
export function reserveFor(
  role: Role,
  before: Deno.FileInfo | undefined,
): number {
  return Math.max(USUAL_BYTES[role], 2 * (before?.size ?? 0));
}
