/**
 * The lock of one target: its lock file, the file itself where somebody may know
 * it by another lock, or, where nothing can be made, only what can be read.
 */
import { RekeyError } from "../../base/errors.ts";
import {
  isOsError,
  osCode,
  osReason,
  retryInterrupted,
} from "../../base/os_error.ts";
import { ownUid } from "../disk/attributes.ts";
import { lstatIfExists } from "../disk/disk.ts";
import { unpin } from "../disk/pinned.ts";
import { standIn } from "../disk/stand_in.ts";
import type { Target } from "../disk/target.ts";
import {
  isWriteRefused,
  lockOpened,
  lockPath,
  openLockFile,
} from "./lock_file.ts";

/** Each needs another holder to come and go in the few system calls of a try. */
export const MAX_TRIES = 100;

export interface HeldLocks {
  readonly inPlace: boolean;
  /** Files that are locked themselves: a second handle would meet the first. */
  readonly identities: Set<string>;
  /** Folders of which one stands in for a folder that cannot be written. */
  readonly stateFolders: readonly string[];
}

/** Disposing it releases the lock and removes its file. */
export interface TargetLock extends Disposable {
  /** The target; what is made beside it may have a folder that stands in. */
  readonly target: Target;
  /**
   * Why nothing may be changed: only what is read could be locked, and nobody
   * else who works on the pair need notice.
   */
  readonly refusal: RekeyError | undefined;
}

/**
 * Takes the lock of one target.
 *
 * @throws {RekeyError} kind `busy` when another process holds it, kind `install`
 *   when it cannot be taken
 */
export function lockTarget(target: Target, held: HeldLocks): TargetLock {
  const file = lockPath(target);
  let failure: unknown;
  for (let attempts = 1; attempts <= MAX_TRIES; attempts++) {
    try {
      const lock = tryLock(target, held);
      if (lock === "busy") break;
      if (lock !== "stale") return lock;
    } catch (error) {
      // Once may be chance; and the file that was made has to go again.
      if (failure !== undefined || !isOsError(error)) {
        throw lockFailed(target, file, error);
      }
      failure = error;
    }
  }
  throw busy(target);
}

function tryLock(
  target: Target,
  held: HeldLocks,
): TargetLock | "busy" | "stale" {
  const opened = openLockFile(target);
  if (opened === "stale") return opened;
  if ("refused" in opened) return lockElsewhere(target, held, opened.refused);
  return lockBoth(target, { opened, held });
}

/** The lock file, and the file itself where somebody may know it by another lock. */
function lockBoth(
  target: Target,
  { opened, held }: {
    readonly opened: Deno.FsFile;
    readonly held: HeldLocks;
  },
): TargetLock | "busy" | "stale" {
  const lock = lockOpened(lockPath(target), opened);
  if (lock === "busy" || lock === "stale") return lock;
  using undo = new DisposableStack();
  undo.use(lock);
  const isOverwritten = held.inPlace || target.standsIn !== undefined ||
    mayBeOverwrittenByOthers(target);
  if (isOverwritten) {
    const content = lockReadable(openContent(target), held);
    if (content === "busy") return content;
    undo.use(content);
  }
  return lockOf(target, undo.move());
}

function lockOf(
  target: Target,
  lock: Disposable,
  refusal?: RekeyError,
): TargetLock {
  return {
    target,
    refusal,
    [Symbol.dispose]: () => lock[Symbol.dispose](),
  };
}

/** Somebody who may write the file but not its folder has his lock elsewhere. */
function mayBeOverwrittenByOthers({ file }: Target): boolean {
  if (Deno.build.os === "windows") return false;
  const info = lstatIfExists(file);
  if (info?.isFile !== true) return false;
  return ((info.mode ?? 0) & 0o022) !== 0 ||
    (info.uid !== 0 && info.uid !== ownUid());
}

/** For a folder that cannot be written. */
function lockElsewhere(
  target: Target,
  held: HeldLocks,
  cause: unknown,
): TargetLock | "busy" | "stale" {
  const stand = standIn(target, held.stateFolders);
  if (stand.target === undefined) {
    const lock = lockReadOnly(target, held);
    if (lock === "busy") return lock;
    return lockOf(target, lock, notWritable(target, { cause, ...stand }));
  }
  const opened = openLockFile(stand.target);
  if (opened === "stale") return opened;
  if ("refused" in opened) throw opened.refused;
  return lockBoth(stand.target, { opened, held });
}

/** Nothing can be changed here: whose folder it is, who runs, and the ways out. */
function notWritable(
  { path, directory }: Target,
  { cause, failures = [] }: {
    readonly cause: unknown;
    readonly failures?: readonly string[] | undefined;
  },
): RekeyError {
  const { uid, mode } = Deno.statSync(directory);
  const why = osCode(cause) === "EROFS"
    ? "is on a read-only file system"
    : `belongs to uid ${uid} with mode ${
      permissionText(mode)
    } and cannot be written by uid ${ownUid()}`;
  const tried = failures.length === 0
    ? ""
    : `; and no folder for safety copies can be had: ${failures.join("; ")}`;
  return new RekeyError(
    "install",
    `cannot replace ${path}: its folder ${unpin(directory)} ${why}${tried}`,
    {
      hint: {
        remedy: failures.length === 0
          ? "write elsewhere"
          : "name a state folder",
      },
      cause,
    },
  );
}

function permissionText(mode: number | null): string {
  return ((mode ?? 0) & 0o7777).toString(8).padStart(4, "0");
}

function lockFailed(
  { path }: Target,
  file: string,
  cause: unknown,
): RekeyError {
  // Of these the lock is only the first victim.
  const isOutOfFiles = ["EMFILE", "ENFILE"].includes(osCode(cause) ?? "");
  return new RekeyError("install", `lock ${path} failed: ${osReason(cause)}`, {
    hint: isOutOfFiles
      ? "raise the limit of open files: ulimit -n, or LimitNOFILE= of the unit"
      : `the lock is the file ${
        unpin(file)
      }; when no step-rekey is running, it may be removed`,
    cause,
  });
}

/**
 * For a directory that this process cannot write, where it can replace nothing
 * either, and a pass that finds nothing due must still work: locks the target
 * itself, or its directory, as far as it may read one of them.
 */
function lockReadOnly(
  target: Target,
  held: HeldLocks,
): Disposable | "busy" {
  return lockReadable(
    openContent(target) ?? openIfReadable(target.directory),
    held,
  );
}

function lockReadable(
  opened: Deno.FsFile | undefined,
  held: HeldLocks,
): Disposable | "busy" {
  using undo = new DisposableStack();
  undo.use(opened);
  if (opened !== undefined && isLockedByOther(opened, held)) return "busy";
  return undo.move();
}

/** The file itself, where it is one. */
function openContent({ file }: Target): Deno.FsFile | undefined {
  const isFile = lstatIfExists(file)?.isFile === true;
  return isFile ? openIfReadable(file) : undefined;
}

function isLockedByOther(
  opened: Deno.FsFile,
  { identities }: HeldLocks,
): boolean {
  const { dev, ino } = retryInterrupted(() => opened.statSync());
  if (identities.has(`${dev}:${ino}`)) return false;
  identities.add(`${dev}:${ino}`);
  try {
    return !retryInterrupted(() => opened.tryLockSync(true));
  } catch (error) {
    // NFS locks only what is open for writing. Nothing will be written.
    if (isOsError(error)) return false;
    throw error;
  }
}

function openIfReadable(path: string): Deno.FsFile | undefined {
  try {
    return retryInterrupted(() => Deno.openSync(path));
  } catch (error) {
    if (
      isWriteRefused(error) || error instanceof Deno.errors.NotFound
    ) return undefined;
    throw error;
  }
}

/** Another process holds the lock of this target. */
export function busy({ path }: Pick<Target, "path">): RekeyError {
  return new RekeyError(
    "busy",
    `another process is working on ${path}`,
    { hint: { remedy: "wait for the lock" } },
  );
}
