/**
 * Overwrites a file where it is, for the sake of names that cannot be replaced:
 * a single file that is mounted into a container.
 *
 * The weaker way, and only taken when it was asked for: a reader may see a part
 * of each content meanwhile. An interrupted copy is recognised by its bytes and
 * finished or undone like an interrupted rename.
 */
import { RekeyError } from "../../base/errors.ts";
import {
  type FileAttributes,
  permissions,
  setMode,
  setOwner,
} from "../disk/attributes.ts";
import { diskCall, readIfExists, writeAll } from "../disk/disk.ts";
import { unpin } from "../disk/pinned.ts";
import type { Target } from "../disk/target.ts";

/**
 * Makes `content` all that the target holds, durably.
 *
 * Nobody gets to read the new content by rights that the target is about to
 * lose, and it stays writable for us until all of it is there, so that an
 * interrupted copy can be begun again.
 *
 * @param attributes those that the target shall have; undefined: as they are
 * @throws {RekeyError} kind `install`; the content is then anything between
 *   the old and the new one
 */
export function overwriteFile(
  { file, path }: Target,
  content: Uint8Array,
  attributes: FileAttributes | undefined,
): void {
  using opened = diskCall(
    "open",
    path,
    () => Deno.openSync(file, { write: true, create: true, mode: 0o600 }),
  );
  const before = permissions(diskCall("stat", path, () => opened.statSync()));
  const own = { path: file, file: opened, shownPath: path };
  const mode = attributes?.mode ?? before;
  if (attributes !== undefined) {
    setMode(own, before & mode | 0o600);
    setOwner(own, attributes);
  }
  writeAll(opened, content, path);
  // Last: until then the old file's space is ours to put the old content back.
  diskCall("write", path, () => opened.truncateSync(content.length));
  setMode(own, mode);
  diskCall("sync", path, () => opened.syncSync());
}

/**
 * Overwrites the target with what the file `from` holds.
 *
 * @throws {RekeyError} kind `install`, also when `from` is gone
 */
export function overwriteFrom(
  target: Target,
  from: string,
  attributes: FileAttributes | undefined,
): void {
  const content = diskCall("read", target.path, () => readIfExists(from));
  if (content instanceof Uint8Array) {
    return overwriteFile(target, content, attributes);
  }
  throw new RekeyError(
    "install",
    `overwrite ${target.path} failed: its copy ${unpin(from)} is gone`,
  );
}

/**
 * Whether `content` can be what an interrupted overwriting of `old` with `fresh`
 * left: at each place a byte of one of them, or a zero where the power took it.
 */
export function isInterruptedCopy(
  content: Uint8Array,
  { old, fresh }: { readonly old: Uint8Array; readonly fresh: Uint8Array },
): boolean {
  return content.length <= Math.max(old.length, fresh.length) &&
    content.every((byte, index) =>
      byte === 0 || byte === old[index] || byte === fresh[index]
    );
}
