/**
 * One process per pair, by kernel locks that die with their holder.
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
import { RekeyError } from "../errors.ts";
import {
  attempt,
  isOsError,
  osCode,
  osReason,
  retryInterrupted,
} from "../os_error.ts";
import type { Clock } from "../runtime.ts";
import { isSameFile, lstatIfExists, removeIfExists } from "./disk.ts";
import { hiddenName, lockName, randomTag } from "./hidden_names.ts";
import type { InstallTargets } from "./install.ts";
import { CURRENT, inDirectory, resolveTarget, type Target } from "./target.ts";

/** Each needs another holder to come and go in the few system calls of a try. */
const MAX_TRIES = 100;

/** How long a busy pair is waited for, and on which clock. */
export interface LockWait {
  /** 0: not at all. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * Takes the lock of every target. Disposing releases them and removes their
 * files; so does the end of the process, but for the files.
 *
 * @throws {RekeyError} kind `busy` when another process holds one, at once or
 *   at the end of the wait; kind `install` when a directory is missing;
 *   what `wait.signal` aborts with
 */
export async function lockPair(
  targets: InstallTargets,
  wait?: LockWait,
): Promise<AsyncDisposable> {
  const resolved = lockedTargets(targets);
  const locks = await lockAll(resolved, wait);
  return {
    [Symbol.asyncDispose]() {
      locks.dispose();
      return Promise.resolve();
    },
  };
}

/** In one order for everybody, and each file once. */
function lockedTargets(targets: InstallTargets): readonly Target[] {
  return [targets.certificate, targets.key]
    .filter((path) => path !== undefined)
    .map(resolveTarget)
    .flatMap(withVersions)
    .sort((left, right) => left.file < right.file ? -1 : 1)
    .filter(({ file }, index, all) => file !== all[index - 1]?.file);
}

/** Two names may be links to the versions of one pair. */
function withVersions(target: Target): readonly Target[] {
  const { path, version } = target;
  if (version === undefined) return [target];
  if (lstatIfExists(version.directory) === undefined) return [target];
  const { directory } = version;
  const file = inDirectory(directory, CURRENT);
  return [target, { path, directory, name: CURRENT, file }];
}

/** All of them or none: who waits holds nothing that somebody else waits for. */
async function lockAll(
  targets: readonly Target[],
  wait: LockWait | undefined,
): Promise<DisposableStack> {
  const end = (wait?.clock.now().getTime() ?? 0) + (wait?.timeoutMs ?? 0);
  for (;;) {
    try {
      using undo = new DisposableStack();
      for (const target of targets) undo.use(lockTarget(target));
      return undo.move();
    } catch (error) {
      if (!(error instanceof RekeyError) || error.kind !== "busy") throw error;
      const leftMs = end - (wait?.clock.now().getTime() ?? 0);
      if (wait === undefined || leftMs <= 0) throw error;
      // A kernel lock that is waited for could not be given up on a signal.
      await wait.clock.sleep(Math.min(leftMs, RETRY_MS), wait.signal);
      wait.signal.throwIfAborted();
    }
  }
}

/** Longest time from the release of a lock to the next try for it. */
const RETRY_MS = 100;

function lockTarget(target: Target): Disposable {
  const file = inDirectory(target.directory, lockName(target.name));
  let failure: unknown;
  for (let attempts = 1; attempts <= MAX_TRIES; attempts++) {
    try {
      const lock = tryLock(target, file);
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
  throw new RekeyError("busy", `another process is working on ${target.path}`, {
    hint:
      "wait for it with --lock-timeout, or try again; its lock ends with it, so there is nothing to clean up",
  });
}

function tryLock(
  target: Target,
  file: string,
): Disposable | "busy" | "stale" {
  const opened = openLockFile(target, file);
  if (opened === "stale") return opened;
  return opened === "cannot write"
    ? lockReadOnly(target)
    : lockOpened(file, opened);
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
    return retryInterrupted(() =>
      Deno.openSync(file, { ...READ_WRITE, createNew: true, mode: 0o600 })
    );
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
      attempt(() => {
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
  { file, directory }: Target,
): Disposable | "busy" {
  using undo = new DisposableStack();
  const isThere = lstatIfExists(file)?.isFile === true;
  const opened = undo.adopt(
    (isThere ? openIfReadable(file) : undefined) ?? openIfReadable(directory),
    (handle) => handle?.[Symbol.dispose](),
  );
  if (opened !== undefined && isLockedByOther(opened)) return "busy";
  return undo.move();
}

function isLockedByOther(opened: Deno.FsFile): boolean {
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

function canCreateBeside({ directory, name }: Target): boolean {
  const probe = inDirectory(directory, hiddenName(name, "new", randomTag()));
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
