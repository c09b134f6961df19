/**
 * Backups of files that are about to be replaced, so that they can be brought
 * back.
 */
import { RekeyError } from "../../base/errors.ts";
import { osCode, osReason } from "../../base/os_error.ts";
import {
  copiedAttributes,
  giveAway,
  privateTo,
  setMode,
  setOwner,
} from "./attributes.ts";
import { discard, diskCall, readIfExists, writeAll } from "./disk.ts";
import { hiddenPath } from "./hidden_names.ts";
import type { Target } from "./target.ts";

/**
 * Makes a backup under a hidden name.
 *
 * @param isOverwritten whether the file itself will be: then a second name of
 *   it would be no backup, and its content is copied
 * @returns its content; undefined when there is no such file
 * @throws {RekeyError} kind `install`
 */
export function backUp(
  target: Target,
  { tag, isOverwritten }: {
    readonly tag: string;
    readonly isOverwritten: boolean;
  },
): Uint8Array<ArrayBuffer> | undefined {
  const { file, path } = target;
  const backup = hiddenPath(target, { kind: "old", tag });
  const isMade = isOverwritten
    ? copy(target, { from: file, to: backup, takeAttributes: false })
    : duplicateFile(target, file, backup);
  if (!isMade) return undefined;
  const content = diskCall("read", path, () => readIfExists(backup));
  if (content instanceof Uint8Array) return content;
  throw new RekeyError(
    "install",
    `read ${path} failed: it was replaced by something else meanwhile`,
  );
}

/**
 * Makes `to` a second name of the file `from`: a hard link, or a copy with the
 * same owner and mode where the file system has no hard links or the kernel
 * allows none (protected_hardlinks, proc(5)).
 *
 * @returns false when there is no file `from`
 * @throws {RekeyError} kind `install`
 */
export function duplicateFile(
  target: Target,
  from: string,
  to: string,
): boolean {
  try {
    diskCall("link", target.path, () => Deno.linkSync(from, to));
    return true;
  } catch (error) {
    const cause = error instanceof RekeyError ? error.cause : error;
    if (cause instanceof Deno.errors.NotFound) return false;
    if (!isLinkRefused(cause)) throw error;
  }
  return copyFile(target, from, to);
}

/**
 * Copies the file `from` to the new name `to`, durably, with its owner and mode.
 *
 * @returns false when there is no file `from`
 * @throws {RekeyError} kind `install`; no copy is left then
 */
export function copyFile(target: Target, from: string, to: string): boolean {
  return copy(target, { from, to, takeAttributes: true });
}

/**
 * Without `takeAttributes`, for the owner's eyes only: mode 0600. Somebody who
 * may write a file need not be able to give another one its owner.
 */
function copy(
  target: Target,
  { from, to, takeAttributes }: {
    readonly from: string;
    readonly to: string;
    readonly takeAttributes: boolean;
  },
): boolean {
  const { path } = target;
  const content = diskCall("read", path, () => readIfExists(from));
  if (content === undefined) return false;
  if (content === "not a file") {
    throw new RekeyError("install", `${path} is not a regular file`);
  }
  try {
    using file = diskCall(
      "open",
      path,
      () => Deno.openSync(to, { write: true, createNew: true, mode: 0o600 }),
    );
    const original = diskCall("stat", path, () => Deno.statSync(from));
    const own = { path: to, file, shownPath: path };
    const attributes = copiedAttributes(original);
    // Before there is anything in it: should root be killed, the owner can look
    // at what he finds.
    if (takeAttributes) setOwner(own, attributes);
    else giveAway(own, privateTo(original));
    writeAll(file, content, path);
    if (takeAttributes) setMode(own, attributes.mode);
    diskCall("sync", path, () => file.syncSync());
    return true;
  } catch (error) {
    diskCall("remove a copy of", path, () => discard(to));
    throw error;
  }
}

/** Whether link(2) failed in a way in which rename(2) need not fail. */
export function isLinkRefused(error: unknown): boolean {
  const code = osCode(error);
  return code === "EPERM" || code === "ENOTSUP" ||
    // Not among the codes that the runtime knows: EMLINK and ENOSYS.
    osReason(error) === "too many links" ||
    osReason(error) === "function not implemented";
}
