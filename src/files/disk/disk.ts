/**
 * File operations of the install, one system call each.
 *
 * Synchronous on purpose: they run in the order in which they are written, on
 * one thread, and nothing else of this process runs between them. Only what
 * waits for a disk before anything is decided can be given up on a signal. Each is
 * repeated when a signal interrupts it, and fails with a message that names the
 * target that the user knows rather than the hidden file beside it.
 *
 * What fails here, and in plain/, versioned/ and reload_note/, is a RekeyError
 * of kind `install`; docstrings there name other errors, and what is left then.
 */
import { accessFacts } from "../../base/access_facts.ts";
import { RekeyError } from "../../base/errors.ts";
import { osCode, osReason, retryInterrupted } from "../../base/os_error.ts";
import type { Hint } from "../../base/remedy.ts";
import { stoppable } from "../../base/stoppable.ts";

/** What a file of a pair is. */
export type Role = "key" | "certificate";

/** A directory, and the target in it that messages name. */
export interface ShownDirectory {
  readonly directory: string;
  /** As the user typed it. */
  readonly path: string;
}

/** How the paths of pinned directories begin: see pinned.ts. */
export const PINNED_PREFIX = "/proc/self/fd/";

/** Largest file that is read back, in bytes; more is nobody's certificate or key. */
const MAX_CONTENT_BYTES = 10 * 1024 * 1024;

/**
 * Runs one file operation on behalf of `path`.
 *
 * @throws {RekeyError} kind `install`, `ACTION PATH failed: REASON`
 */
export function diskCall<T>(action: string, path: string, call: () => T): T {
  try {
    return retryInterrupted(call);
  } catch (error) {
    throw diskError(action, path, error);
  }
}

/**
 * Waits for the disk on behalf of `path`, or until `signal` aborts.
 *
 * @throws {RekeyError} kind `install`; the signal's reason
 */
export async function diskWait(
  { action, path, signal }: {
    readonly action: string;
    readonly path: string;
    readonly signal: AbortSignal | undefined;
  },
  call: () => Promise<void>,
): Promise<void> {
  try {
    await (signal === undefined ? call() : stoppable(call(), signal));
  } catch (error) {
    if (signal?.aborted === true) throw error;
    throw diskError(action, path, error);
  }
}

/**
 * An fsync that failed. A second one proves nothing: the kernel has reported
 * the loss, and takes what it could not write as written (fsync(2)).
 */
export class SyncError extends RekeyError {}

const SYNC_DIRECTORY = "sync the directory of";
const SYNC_ACTIONS: readonly string[] = ["sync", SYNC_DIRECTORY];

function diskError(action: string, path: string, error: unknown): RekeyError {
  if (error instanceof RekeyError) return error;
  const Failure = SYNC_ACTIONS.includes(action) ? SyncError : RekeyError;
  const facts = accessFacts(path, error);
  const behind = facts === undefined ? "" : ` (${facts})`;
  return new Failure(
    "install",
    `${action} ${path} failed: ${osReason(error)}${behind}`,
    { hint: hintFor(osCode(error)), cause: error },
  );
}

function hintFor(code: string | undefined): Hint | undefined {
  switch (code) {
    case "EACCES":
    case "EROFS":
      return { remedy: "write elsewhere" };
    case "ENOSPC":
      return "free some space on the file system, then run the command again";
    default:
      return undefined;
  }
}

/** What stands at `file`, without following a link; undefined when nothing does. */
export function lstatIfExists(file: string): Deno.FileInfo | undefined {
  return unlessMissing(() => Deno.lstatSync(file));
}

/** What `file` leads to, links followed; undefined when that is nothing. */
export function statIfExists(file: string): Deno.FileInfo | undefined {
  return unlessMissing(() => Deno.statSync(file));
}

type FileIdentity = Pick<Deno.FileInfo, "dev" | "ino">;

export function isSameFile(left: FileIdentity, right: FileIdentity): boolean {
  return left.dev === right.dev && left.ino === right.ino;
}

/** The content of a regular file; `not a file` for anything else, and for a huge one. */
export function readIfExists(
  file: string,
): Uint8Array<ArrayBuffer> | "not a file" | undefined {
  const info = lstatIfExists(file);
  if (info === undefined) return undefined;
  if (!info.isFile || info.size > MAX_CONTENT_BYTES) return "not a file";
  return unlessMissing(() => Deno.readFileSync(file));
}

function unlessMissing<T>(call: () => T): T | undefined {
  try {
    return retryInterrupted(call);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Removes `file`, which holds no secret; one that is gone already is as good. */
export function removeIfExists(file: string): void {
  unlessMissing(() => Deno.removeSync(file));
}

/**
 * Removes a file, a link, or a directory of versions or of one version, if it is
 * there. Only for what this process has just made under a name of its own;
 * anything else that may hold a private key is removed by pair/hidden_keys.ts.
 *
 * In the order of the names, so that each run of a test does the same.
 *
 * @throws the system's error; of a directory with something in it that is not
 *   ours, `directory not empty`
 */
export function discard(path: string): void {
  const info = lstatIfExists(path);
  if (info?.isDirectory !== true) return removeIfExists(path);
  const failures: unknown[] = [];
  for (const name of entriesOf(path)) {
    // Looked at anew each time: a link that was put there leads to files that
    // are not ours, and only its name may go.
    const found = lstatIfExists(path);
    if (found === undefined || !isSameFile(found, info)) break;
    try {
      discard(`${path}/${name}`);
    } catch (error) {
      // One key that stays is no reason to leave the others.
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  removeIfExists(path);
}

/**
 * What we make in a directory of versions, or in a version. One that somebody
 * else made a moment before he was killed is empty.
 */
export function entriesOf(directory: string): readonly string[] {
  try {
    return sortedNames(directory).filter((name) => ENTRY.test(name));
  } catch (error) {
    if (osCode(error) === "EACCES") return [];
    throw error;
  }
}

/** What a directory of versions, and a version, hold. */
const ENTRY =
  /^(?:[1-9]\d{0,14}|current|previous|certificate\.pem|key\.pem|\.current\.rekey-lock|\.(?:current|certificate\.pem|key\.pem)\.[0-9a-f]{16}\.(?:new|old|journal))$/;

/** What the name leads to in the end, links followed; undefined when that is nothing. */
export function readBehind(file: string): ReturnType<typeof readIfExists> {
  if (statIfExists(file) === undefined) return undefined;
  return readIfExists(Deno.realPathSync(file));
}

/** The names in a directory, in one order on every file system. */
export function sortedNames(directory: string): readonly string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}

/** Writes all of `bytes` at the current position. */
export function writeAll(
  file: Deno.FsFile,
  bytes: Uint8Array,
  path: string,
): void {
  // write(2) may take less than it is given, and says so only by its result.
  for (let done = 0; done < bytes.length;) {
    const count = diskCall(
      "write",
      path,
      () => file.writeSync(bytes.subarray(done)),
    );
    if (count === 0) {
      throw new RekeyError(
        "install",
        `write ${path} failed: the file system takes no more bytes`,
      );
    }
    done += count;
  }
}

export function symlink(to: string, at: string, shownPath: string): void {
  diskCall("link", shownPath, () => Deno.symlinkSync(to, at));
}

/**
 * Makes the names in a directory durable: without it a rename may be lost with
 * the power, though the files themselves are safe.
 */
export function syncDirectory({ directory, path }: ShownDirectory): void {
  // Windows cannot open a directory for this; NTFS journals its names itself.
  if (Deno.build.os === "windows") return;
  using opened = openDirectory({ directory, path });
  diskCall(SYNC_DIRECTORY, path, () => {
    try {
      opened.syncSync();
    } catch (error) {
      ignoreUnsupported(error);
    }
  });
}

/** The same for several, each once. */
export function syncDirectories(places: readonly ShownDirectory[]): void {
  for (const place of eachDirectory(places)) syncDirectory(place);
}

/**
 * The same, given up when `signal` aborts: for names on which nothing depends
 * yet.
 *
 * @throws {RekeyError} kind `install`; the signal's reason
 */
export async function awaitDirectories(
  places: readonly ShownDirectory[],
  signal: AbortSignal | undefined,
): Promise<void> {
  if (Deno.build.os === "windows") return;
  for (const place of eachDirectory(places)) {
    const opened = openDirectory(place);
    try {
      const { path } = place;
      await diskWait({ action: SYNC_DIRECTORY, path, signal }, async () => {
        await opened.sync().catch(ignoreUnsupported);
      });
    } finally {
      opened.close();
    }
  }
}

/** Each directory once. */
export function eachDirectory(
  places: readonly ShownDirectory[],
): readonly ShownDirectory[] {
  const paths = new Map(places.map(({ directory, path }) => [directory, path]));
  return [...paths].map(([directory, path]) => ({ directory, path }));
}

function openDirectory({ directory, path }: ShownDirectory): Deno.FsFile {
  return diskCall(
    "open the directory of",
    path,
    () => Deno.openSync(directory),
  );
}

/**
 * Some network file systems have no fsync for directories: EINVAL then means
 * that there is nothing to be had, not that something failed.
 */
function ignoreUnsupported(error: unknown): void {
  const code = osCode(error);
  if (code !== "EINVAL" && code !== "ENOTSUP") throw error;
}
