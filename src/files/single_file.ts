/**
 * Writes one file that belongs to no pair: a root certificate, DER, PKCS#12, a
 * public key.
 *
 * Whoever reads it sees the old content or the new one, and never a part of
 * one, also when this process is killed or the power goes.
 */
import { RekeyError } from "../base/errors.ts";
import type { Runtime } from "../base/runtime.ts";
import { attributesFor } from "./disk/attributes.ts";
import {
  discard,
  diskCall,
  lstatIfExists,
  sortedNames,
  statIfExists,
  syncDirectory,
} from "./disk/disk.ts";
import {
  isLeftoverOf,
  randomTag,
  requireOwnName,
} from "./disk/hidden_names.ts";
import { StagedFile } from "./disk/staged_file.ts";
import { inDirectory, resolveTarget, type Target } from "./disk/target.ts";
import { lockPair } from "./lock/pair_lock.ts";
import { confirmOverwrite } from "./pair/confirm_overwrite.ts";
import { mapPair, resolvePair } from "./transaction.ts";

/** How long to wait for another process that writes the same file, in ms. */
const LOCK_TIMEOUT_MS = 5_000;

export interface SingleFileOptions {
  /**
   * Of a file that is new, by default for its owner alone, as the original's;
   * one that is replaced hands on its mode and owner.
   */
  readonly mode?: number | undefined;
  /** `ask` asks on the terminal before a file is replaced. */
  readonly overwrite: "ask" | "without asking";
  /** Whether a folder that is missing is made, for its owner alone. */
  readonly makesFolder?: boolean | undefined;
  readonly runtime: Pick<Runtime, "clock" | "terminal">;
  readonly signal: AbortSignal;
}

/**
 * A file that may be written: its name is one that we may write to, and nobody
 * minds that what stands there goes. Nothing is changed yet.
 */
export interface SingleFile {
  /**
   * Puts `content` in the place of what is there, durably.
   *
   * @throws {RekeyError} kind `install`, or `busy` when another process writes
   *   the same file; what stood there is then as it was
   */
  write(content: Uint8Array): Promise<void>;
}

/**
 * Decides whether a file may be written, before what it shall hold is made.
 *
 * @param path as the user named it; a link is followed
 * @throws {RekeyError} kind `declined` or `usage`, as `confirmOverwrite`; kind
 *   `install` for what cannot be replaced by a file
 */
export async function openSingleFile(
  path: string,
  options: SingleFileOptions,
): Promise<SingleFile> {
  requireOwnName(path);
  const { overwrite, runtime, signal } = options;
  if (diskCall("open", path, () => statIfExists(path)) !== undefined) {
    requireReplaceable(resolveTarget(path));
    if (overwrite === "ask") {
      await confirmOverwrite({ certificate: path }, runtime.terminal, signal);
    }
  }
  return { write: (content) => write(path, content, options) };
}

/** Not a link to a version: that would part a certificate from its key. */
function requireReplaceable({ path, file, version }: Target): void {
  requireOwnName(file);
  if (version !== undefined) {
    throw new RekeyError(
      "install",
      `cannot replace ${path}: it belongs to a pair in the versioned layout`,
      { hint: "name another file" },
    );
  }
  const info = diskCall("open", path, () => lstatIfExists(file));
  if (info === undefined || info.isFile) return;
  const what = info.isDirectory ? "is a directory" : "not a regular file";
  throw new RekeyError("install", `open ${path} failed: ${what}`);
}

async function write(
  path: string,
  content: Uint8Array,
  { mode = 0o600, makesFolder, runtime: { clock }, signal }: SingleFileOptions,
): Promise<void> {
  try {
    if (makesFolder === true) makeFolderOf(path);
    using lock = await lockPair({ certificate: path }, {
      timeoutMs: LOCK_TIMEOUT_MS,
      clock,
      signal,
    });
    const pair = mapPair(resolvePair({ certificate: path }), lock.at);
    const refusal = lock.refusal(pair);
    if (refusal !== undefined) throw refusal;
    replace(pair.certificate, content, mode);
  } catch (error) {
    throw withOwnHint(error);
  }
}

/** From here on nothing waits, so that no signal comes between. */
function replace(target: Target, content: Uint8Array, mode: number): void {
  requireReplaceable(target);
  const { directory, name, path, file } = target;
  for (const entry of diskCall("open", path, () => sortedNames(directory))) {
    // What a killed process left: of no pair, since no certificate is called "".
    if (!isLeftoverOf("", entry, name)) continue;
    diskCall("open", path, () => discard(inDirectory(directory, entry)));
  }
  const info = diskCall("open", path, () => lstatIfExists(file));
  using staged = new StagedFile(target, {
    kind: "new",
    tag: randomTag(),
    reserveBytes: content.length,
    attributes: info === undefined
      ? { mode }
      : attributesFor("certificate", info, {}),
  });
  staged.write(content);
  staged.renameTo(file);
  syncDirectory(target);
}

/** As the original makes those of its root certificate: for the owner alone. */
function makeFolderOf(path: string): void {
  const end = path.lastIndexOf("/");
  if (end <= 0) return;
  diskCall(
    "make the directory of",
    path,
    () => Deno.mkdirSync(path.slice(0, end), { recursive: true, mode: 0o700 }),
  );
}

/** The remedies of a pair name what only a pair has. */
function withOwnHint(error: unknown): unknown {
  if (!(error instanceof RekeyError) || typeof error.hint !== "object") {
    return error;
  }
  const { kind, message, cause } = error;
  return new RekeyError(kind, message, {
    hint: kind === "busy"
      ? "try again when it is done"
      : "the new file is made beside the old one: run as who may write the folder, or write elsewhere",
    cause,
  });
}
