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
import {
  bestEffort,
  isOsError,
  osCode,
  retryInterrupted,
} from "../../base/os_error.ts";
import {
  besideAttributes,
  giveAway,
  ownUid,
  PRIVATE_MODE,
} from "../disk/attributes.ts";
import { isLinkRefused } from "../disk/backup_file.ts";
import { isSameFile, lstatIfExists, removeIfExists } from "../disk/disk.ts";
import { lockName, temporaryPath } from "../disk/hidden_names.ts";
import { unpin } from "../disk/pinned.ts";
import { inDirectory, type Target } from "../disk/target.ts";

export function lockPath({ directory, name }: Target): string {
  return inDirectory(directory, lockName(name));
}

/** A call that a person may not make here, whoever asks again. */
export interface Refused {
  readonly refused: unknown;
}

/** Opens the lock file, or makes it; `stale` when it went away in between. */
export function openLockFile(target: Target): Deno.FsFile | "stale" | Refused {
  const file = lockPath(target);
  try {
    return makeLockFile(target, file);
  } catch (error) {
    if (isWriteRefused(error)) {
      // Refused once may be chance, and to go on without the lock would not be.
      if (canCreateBeside(target)) throw error;
      return { refused: error };
    }
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
  }
  const info = lstatIfExists(file);
  if (info === undefined) return "stale";
  // Opening a FIFO or a device could do anything.
  if (!info.isFile) throw new Error(`${unpin(file)} is not a regular file`);
  try {
    return openToLock(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "stale";
    // Somebody else's lock file keeps us out only where we could do harm.
    if (isWriteRefused(error) && !canCreateBeside(target)) {
      return { refused: error };
    }
    throw error;
  }
}

/**
 * Makes the lock file as whoever rules the folder can open it: if we are killed,
 * he goes on. It has its owner and mode before it has its name.
 *
 * @throws the system's error, `AlreadyExists` when it is there
 */
function makeLockFile(target: Target, file: string): Deno.FsFile {
  const { path, directory } = target;
  const attributes = besideAttributes(directory, 0o060);
  const isOwn = attributes.mode === PRIVATE_MODE &&
    (attributes.uid ?? ownUid()) === ownUid();
  if (isOwn) return create(file);
  const temporary = temporaryPath(target);
  using undo = new DisposableStack();
  const opened = undo.use(create(temporary));
  undo.defer(() => bestEffort(() => removeIfExists(temporary)));
  giveAway({ path: temporary, file: opened, shownPath: path }, attributes);
  try {
    retryInterrupted(() => Deno.linkSync(temporary, file));
  } catch (error) {
    if (!isLinkRefused(error)) throw error;
    // No hard links here.
    const made = create(file);
    giveAway({ path: file, file: made, shownPath: path }, attributes);
    return made;
  }
  removeIfExists(temporary);
  undo.move();
  return opened;
}

function create(file: string): Deno.FsFile {
  return retryInterrupted(() =>
    Deno.openSync(file, { ...READ_WRITE, createNew: true, mode: PRIVATE_MODE })
  );
}

/** A lock needs no right to write, but on NFS. */
function openToLock(file: string): Deno.FsFile {
  try {
    return retryInterrupted(() => Deno.openSync(file, READ_WRITE));
  } catch (error) {
    if (osCode(error) !== "EACCES") throw error;
    return retryInterrupted(() => Deno.openSync(file));
  }
}

const READ_WRITE = { read: true, write: true } as const;

/** Locks an open lock file; `stale` when its name leads elsewhere by now. */
export function lockOpened(
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

/** Whether a lock counts just now. Takes one that is there for a moment, with others, and makes none. */
export function isLocked(target: Target): boolean {
  const file = lockPath(target);
  if (lstatIfExists(file)?.isFile !== true) return false;
  try {
    using opened = retryInterrupted(() => Deno.openSync(file));
    return !retryInterrupted(() => opened.tryLockSync(false)) &&
      leadsTo(file, opened);
  } catch (error) {
    // It went away, or is nothing that we may open: who works on it says so.
    if (isOsError(error)) return false;
    throw error;
  }
}

function leadsTo(file: string, opened: Deno.FsFile): boolean {
  const named = lstatIfExists(file);
  return named !== undefined &&
    isSameFile(named, retryInterrupted(() => opened.statSync()));
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

export function isWriteRefused(error: unknown): boolean {
  return ["EACCES", "EPERM", "EROFS"].includes(osCode(error) ?? "");
}
