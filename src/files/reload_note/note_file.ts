/**
 * The file of a note: opened without following a link, locked, read, changed.
 *
 * `path` in all of these is the certificate, for messages.
 */
import { isOsError, retryInterrupted } from "../../base/os_error.ts";
import { diskCall, isSameFile, lstatIfExists, writeAll } from "../disk/disk.ts";
import {
  encodeOwedNote,
  NOTE_BYTES,
  type OwedNote,
  parseOwedNote,
} from "./note.ts";

/**
 * Opens a regular file that the name itself leads to, and undefined for
 * anything else. For reading and writing, since that never waits, should the
 * name become a FIFO in between.
 *
 * @throws the system's error when it may not be opened
 */
export function openNote(path: string): Deno.FsFile | undefined {
  const named = lstatIfExists(path);
  if (named?.isFile !== true) return undefined;
  using undo = new DisposableStack();
  const file = undo.use(
    retryInterrupted(() => Deno.openSync(path, { read: true, write: true })),
  );
  if (!isSameFile(named, file.statSync())) return undefined;
  undo.move();
  return file;
}

/** Locks the note; undefined, and the file closed, while another process has it. */
export function lockNote(file: Deno.FsFile): Deno.FsFile | undefined {
  using undo = new DisposableStack();
  undo.use(file);
  try {
    if (!retryInterrupted(() => file.tryLockSync(true))) return undefined;
  } catch (error) {
    // A file system without locks: told twice is better than not at all.
    if (!isOsError(error)) throw error;
  }
  undo.move();
  return file;
}

/**
 * Undefined for a note that is damaged.
 *
 * @throws {RekeyError} kind `install`
 */
export function readNote(
  file: Deno.FsFile,
  path: string,
): OwedNote | undefined {
  const bytes = new Uint8Array(NOTE_BYTES);
  for (let size = 0; size < bytes.length;) {
    const count = diskCall(
      "read the note of the reload of",
      path,
      () => file.readSync(bytes.subarray(size)),
    );
    if (count === null) return undefined;
    size += count;
  }
  return parseOwedNote(new TextDecoder().decode(bytes));
}

/**
 * Changes a note in place, by one write.
 *
 * @throws {RekeyError} kind `install`
 */
export function rewriteNote(
  file: Deno.FsFile,
  note: OwedNote,
  path: string,
): void {
  const action = "write the note of the reload of";
  diskCall(action, path, () => file.seekSync(0, Deno.SeekMode.Start));
  writeAll(file, encodeOwedNote(note), path);
  diskCall(action, path, () => file.truncateSync(NOTE_BYTES));
  diskCall(action, path, () => file.syncDataSync());
}
