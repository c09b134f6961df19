/**
 * The lock of one target.
 *
 * Each target has a lock file beside it, locked by flock(2). The holder removes
 * the file while it still holds the lock, so that nothing stays behind. That is
 * free of races by one rule: a lock counts only if, after it was taken, the
 * name still leads to the locked file. Only somebody whose lock counts removes
 * the name. So while a lock counts, the name cannot change, everybody else opens
 * that same file, and finds it locked. Whoever had opened a file before it was
 * removed gets its lock, sees that the name leads elsewhere or nowhere, and
 * begins again.
 */
import { RekeyError } from "../../base/errors.ts";
import {
  bestEffort,
  isOsError,
  osCode,
  osReason,
  retryInterrupted,
} from "../../base/os_error.ts";
import { setOwner } from "../disk/attributes.ts";
import { isSameFile, lstatIfExists, removeIfExists } from "../disk/disk.ts";
import { lockName, temporaryPath } from "../disk/hidden_names.ts";
import { inDirectory, type Target } from "../disk/target.ts";

/** Each needs another holder to come and go in the few system calls of a try. */
export const MAX_TRIES = 100;

export interface HeldLocks {
  readonly inPlace: boolean;
  /** Files that are locked themselves: a second handle would meet the first. */
  readonly identities: Set<string>;
}

/**
 * Takes the lock of one target. Disposing it releases it and removes its file.
 *
 * @throws {RekeyError} kind `busy` when another process holds it, kind `install`
 *   when it cannot be taken
 */
export function lockTarget(target: Target, held: HeldLocks): Disposable {
  const file = inDirectory(target.directory, lockName(target.name));
  let failure: unknown;
  for (let attempts = 1; attempts <= MAX_TRIES; attempts++) {
    try {
      const lock = tryLock(target, file, held);
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
  file: string,
  held: HeldLocks,
): Disposable | "busy" | "stale" {
  const opened = openLockFile(target, file);
  if (opened === "stale") return opened;
  if (opened === "cannot write") return lockReadOnly(target, held);
  const lock = lockOpened(file, opened);
  if (!held.inPlace || lock === "busy" || lock === "stale") return lock;
  using undo = new DisposableStack();
  undo.use(lock);
  const content = lockReadable(openContent(target), held);
  if (content === "busy") return content;
  undo.use(content);
  return undo.move();
}

function lockFailed(
  { path }: Target,
  file: string,
  cause: unknown,
): RekeyError {
  return new RekeyError("install", `lock ${path} failed: ${osReason(cause)}`, {
    hint:
      `the lock is the file ${file}; when no step-rekey is running, it may be removed`,
    cause,
  });
}

/** Opens the lock file, or makes it; `stale` when it went away in between. */
function openLockFile(
  target: Target,
  file: string,
): Deno.FsFile | "stale" | "cannot write" {
  try {
    const opened = retryInterrupted(() =>
      Deno.openSync(file, { ...READ_WRITE, createNew: true, mode: 0o600 })
    );
    giveToFolder(target, { file, opened });
    return opened;
  } catch (error) {
    if (isWriteRefused(error)) return "cannot write";
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const info = lstatIfExists(file);
  if (info === undefined) return "stale";
  // Opening a FIFO or a device could do anything.
  if (!info.isFile) throw new Error(`${file} is not a regular file`);
  try {
    return retryInterrupted(() => Deno.openSync(file, READ_WRITE));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "stale";
    // Somebody else's lock file keeps us out only where we could do harm.
    if (isWriteRefused(error) && !canCreateBeside(target)) {
      return "cannot write";
    }
    throw error;
  }
}

/**
 * To whom the folder belongs: if we are root and killed, the pair's own user
 * has to be able to open what we leave.
 */
function giveToFolder(
  { path, directory }: Target,
  { file, opened }: { readonly file: string; readonly opened: Deno.FsFile },
): void {
  if (Deno.build.os === "windows") return;
  const { uid, gid } = Deno.statSync(directory);
  if (uid === null || uid === 0 || gid === null) return;
  const own = { path: file, file: opened, shownPath: path };
  bestEffort(() => setOwner(own, { mode: 0o600, uid, gid }));
}

const READ_WRITE = { read: true, write: true } as const;

function lockOpened(
  file: string,
  opened: Deno.FsFile,
): Disposable | "busy" | "stale" {
  using undo = new DisposableStack();
  undo.use(opened);
  const isLocked = retryInterrupted(() => opened.tryLockSync(true));
  if (!leadsTo(file, opened)) return "stale";
  if (!isLocked) return "busy";
  undo.move();
  return {
    [Symbol.dispose]() {
      using _locked = opened;
      // Unless a person removed it meanwhile: then it is somebody else's. One
      // that stays behind is unlocked, and so in nobody's way.
      bestEffort(() => {
        if (leadsTo(file, opened)) removeIfExists(file);
      });
    },
  };
}

function leadsTo(file: string, opened: Deno.FsFile): boolean {
  const named = lstatIfExists(file);
  return named !== undefined &&
    isSameFile(named, retryInterrupted(() => opened.statSync()));
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

function canCreateBeside(target: Target): boolean {
  const probe = temporaryPath(target);
  try {
    Deno.openSync(probe, { write: true, createNew: true, mode: 0o600 }).close();
  } catch (error) {
    if (isWriteRefused(error)) return false;
    throw error;
  }
  removeIfExists(probe);
  return true;
}

function isWriteRefused(error: unknown): boolean {
  return ["EACCES", "EPERM", "EROFS"].includes(osCode(error) ?? "");
}

/** Another process holds the lock of this target. */
export function busy({ path }: Pick<Target, "path">): RekeyError {
  return new RekeyError(
    "busy",
    `another process is working on ${path}`,
    { hint: { remedy: "wait for the lock" } },
  );
}
