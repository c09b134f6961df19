/**
 * Overwrites a file where it is, for the sake of names that cannot be replaced:
 * a single file that is mounted into a container.
 *
 * The weaker way, and only taken when it was asked for: a reader may see a part
 * of each content meanwhile. An interrupted copy is recognised by its bytes and
 * finished or undone like an interrupted rename.
 */
import { RekeyError } from "../errors.ts";
import {
  type AttributeChoice,
  attributesFor,
  setMode,
  setOwner,
} from "./attributes.ts";
import { diskCall, readIfExists, writeAll } from "./disk.ts";
import type { Target } from "./target.ts";

/** Which file, and what it gets besides its content. */
export interface OverwriteOptions {
  readonly role: "key" | "certificate";
  /** What the user asked for; everything else stays as it is. */
  readonly choice?: AttributeChoice | undefined;
}

/**
 * Makes `content` all that the target holds, durably. Owner and mode come
 * first, so that nobody reads the new content by the old rights.
 *
 * @throws {RekeyError} kind `install`; the content is then anything between
 *   the old and the new one
 */
export function overwriteFile(
  { file, path }: Target,
  content: Uint8Array,
  { role, choice = {} }: OverwriteOptions,
): void {
  using opened = diskCall(
    "open",
    path,
    () => Deno.openSync(file, { write: true, create: true, mode: 0o600 }),
  );
  const info = diskCall("stat", path, () => opened.statSync());
  const own = { path: file, file: opened, shownPath: path };
  const attributes = attributesFor(role, info, choice);
  setOwner(own, attributes);
  setMode(own, attributes.mode);
  writeAll(opened, content, path);
  // Last: until then the old file's space is ours to put the old content back.
  diskCall("write", path, () => opened.truncateSync(content.length));
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
  options: OverwriteOptions,
): void {
  const content = diskCall("read", target.path, () => readIfExists(from));
  if (content instanceof Uint8Array) {
    return overwriteFile(target, content, options);
  }
  throw new RekeyError(
    "install",
    `overwrite ${target.path} failed: its copy ${from} is gone`,
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
