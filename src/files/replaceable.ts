/**
 * Can these targets be replaced by rename? Asked before the CA is, and answered
 * by trying as far as that leaves no trace.
 */
import { RekeyError } from "../errors.ts";
import { permissions } from "./atomic_file.ts";
import {
  diskCall,
  isSameFile,
  lstatIfExists,
  readIfExists,
  removeIfExists,
} from "./disk.ts";
import { hiddenName, randomTag } from "./hidden_names.ts";
import type { InstallTargets } from "./install.ts";
import { isLinkRefused } from "./kept_file.ts";
import { attempt, osCode } from "../os_error.ts";
import { inDirectory, resolveTarget, type Target } from "./target.ts";

/** A target that can be replaced. */
export interface ExaminedTarget {
  readonly role: "key" | "certificate";
  readonly target: Target;
  /** The file to be replaced; undefined when there is none yet. */
  readonly info: Deno.FileInfo | undefined;
}

/** Targets in the order of their renames, and what a person should know about them. */
export interface Examination {
  readonly examined: readonly ExaminedTarget[];
  readonly warnings: readonly string[];
}

/**
 * Examines each target, key first.
 *
 * @throws {RekeyError} kind `install`, naming the file and the way out
 */
export function examineTargets(
  targets: InstallTargets,
): Examination {
  const certificate = examine("certificate", targets.certificate);
  const examined = targets.key === undefined
    ? [certificate]
    : [examine("key", targets.key), certificate];
  refuseOneFileForBoth(examined);
  for (const { target, info } of examined) {
    if (info !== undefined) requireReplaceable(target, info);
  }
  return { examined, warnings: examined.flatMap(warningsFor) };
}

function examine(role: ExaminedTarget["role"], path: string): ExaminedTarget {
  const target = resolveTarget(path);
  const info = diskCall("open", path, () => lstatIfExists(target.file));
  if (info?.isDirectory) {
    throw new RekeyError("install", `open ${path} failed: is a directory`);
  }
  if (info !== undefined && !info.isFile) {
    throw new RekeyError("install", `open ${path} failed: not a regular file`);
  }
  return { role, target, info };
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

function requireReplaceable(
  target: Target,
  info: Deno.FileInfo,
): void {
  requireRemovable(target, info);
  probeLink(target, info);
  // Its digest goes into the journal.
  const content = diskCall(
    "open",
    target.path,
    () => readIfExists(target.file),
  );
  if (content === "not a file") {
    throw new RekeyError(
      "install",
      `${target.path} is too large for a certificate or key`,
      { hint: "name another file, or remove this one" },
    );
  }
}

/** In a sticky directory a file goes only with its owner (inode(7), S_ISVTX). */
function requireRemovable(
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
function probeLink(target: Target, info: Deno.FileInfo): void {
  const probe = hiddenFile(target);
  try {
    diskCall("open", target.path, () => Deno.linkSync(target.file, probe));
  } catch (error) {
    const cause = error instanceof RekeyError ? error.cause : error;
    if (osCode(cause) === "EXDEV") throw mountPoint(target, cause);
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
  attempt(() => removeIfExists(probe));
}

/** A file of one's own cannot be refused by protected_hardlinks (proc(5)). */
function isOwn({ uid }: Deno.FileInfo): boolean {
  const own = Deno.uid();
  return own === 0 || own === uid;
}

/** Whether the file system knows hard links at all. */
function hasLinks(target: Target): boolean {
  const file = hiddenFile(target);
  const link = hiddenFile(target);
  Deno.openSync(file, { write: true, createNew: true, mode: 0o600 }).close();
  try {
    Deno.linkSync(file, link);
    return true;
  } catch (error) {
    if (isLinkRefused(error)) return false;
    throw error;
  } finally {
    removeIfExists(file);
    removeIfExists(link);
  }
}

/** A name that recovery removes, should this process be killed. */
function hiddenFile({ directory, name }: Target): string {
  return inDirectory(directory, hiddenName(name, "new", randomTag()));
}

function mountPoint({ path }: Target, cause: unknown): RekeyError {
  return new RekeyError(
    "install",
    `cannot replace ${path}: it is a mount point of its own, such as a single file bind-mounted into a container`,
    {
      hint:
        "mount the directory of the file instead of the file, or write elsewhere with --out-cert and --out-key",
      cause,
    },
  );
}

function immutable({ path }: Target, cause: unknown): RekeyError {
  return new RekeyError(
    "install",
    `cannot replace ${path}: operation not permitted, since the file is immutable or append-only`,
    { hint: `allow it with: chattr -ia ${path}`, cause },
  );
}

function warningsFor({ role, target, info }: ExaminedTarget): string[] {
  if (info === undefined) return [];
  const warnings: string[] = [];
  const mode = permissions(info);
  if (role === "key" && (mode & 0o066) !== 0 && Deno.build.os !== "windows") {
    warnings.push(
      `the private key ${target.path} is open to others (mode ${
        mode.toString(8).padStart(4, "0")
      }), and so will the new one be; to close it: chmod 600 ${target.path}`,
    );
  }
  if (info.nlink !== null && info.nlink > 1) {
    warnings.push(
      `${target.path} has other hard links; they keep the old content`,
    );
  }
  return warnings;
}
