/**
 * The file of a note: opened without following a link, locked, read, added to.
 */
import { isOsError, retryInterrupted } from "../../base/os_error.ts";
import { diskCall, isSameFile, lstatIfExists, writeAll } from "../disk/disk.ts";

/** Bytes that are read of a note, and beyond which no try is added: thousands of tries. */
export const MOST_NOTE_BYTES: number = 64 * 1024;

/**
 * Opens a regular file that the name itself leads to and no other name does,
 * and undefined for anything else: what is added must not end up in somebody's
 * file. For reading and writing, since that never waits, should the
 * name become a FIFO in between.
 *
 * @throws the system's error when it may not be opened
 */
export function openNote(path: string): Deno.FsFile | undefined {
  const named = lstatIfExists(path);
  if (named?.isFile !== true) return undefined;
  using undo = new DisposableStack();
  const file = undo.use(
    retryInterrupted(() => Deno.openSync(path, { read: true, append: true })),
  );
  const opened = file.statSync();
  if (!isSameFile(named, opened) || (opened.nlink ?? 1) > 1) return undefined;
  undo.move();
  return file;
}

/** The same, locked, too; undefined also where the system refuses. */
export function openIfPossible(path: string): Deno.FsFile | undefined {
  using undo = new DisposableStack();
  try {
    const file = undo.use(openNote(path));
    if (file === undefined || !lockNote(file)) return undefined;
    undo.move();
    return file;
  } catch (error) {
    if (isOsError(error)) return undefined;
    throw error;
  }
}

/** Locks the note until it is closed; false while another process has it. */
export function lockNote(file: Deno.FsFile): boolean {
  try {
    return retryInterrupted(() => file.tryLockSync(true));
  } catch (error) {
    // A file system without locks: told twice is better than not at all.
    if (isOsError(error)) return true;
    throw error;
  }
}

/** As much of the note as counts. */
export function readText(file: Deno.FsFile, shownPath: string): string {
  const bytes = new Uint8Array(MOST_NOTE_BYTES);
  let size = 0;
  while (size < bytes.length) {
    const count = diskCall(
      "read the note of the reload of",
      shownPath,
      () => file.readSync(bytes.subarray(size)),
    );
    if (count === null) break;
    size += count;
  }
  return new TextDecoder().decode(bytes.subarray(0, size));
}

export function append(
  file: Deno.FsFile,
  text: string,
  shownPath: string,
): void {
  writeAll(file, new TextEncoder().encode(text), shownPath);
  diskCall(
    "write the note of the reload of",
    shownPath,
    () => file.syncDataSync(),
  );
}
