/**
 * A file that gets its name only when it is complete: staged beside its place,
 * written, made durable, renamed.
 *
 * Its content is never readable by more people than the file that it replaces,
 * and by its owner alone where it replaces none.
 */
import { RekeyError } from "../../base/errors.ts";
import { bestEffort } from "../../base/os_error.ts";
import {
  discard,
  diskCall,
  diskWait,
  isSameFile,
  lstatIfExists,
  writeAll,
} from "./disk.ts";
import {
  besideAttributes,
  type FileAttributes,
  giveAway,
  type OwnFile,
  permissions,
  PRIVATE_MODE,
  setMode,
  setOwner,
} from "./attributes.ts";
import { type HiddenKind, hiddenPath } from "./hidden_names.ts";
import type { Target } from "./target.ts";

export interface StageOptions {
  readonly kind: Extract<HiddenKind, "new" | "journal">;
  /** From `randomTag()`. */
  readonly tag: string;
  /** Bytes of disk space to hold for the content. */
  readonly reserveBytes: number;
  /** Its owner and mode; without them, as who rules the folder can open it. */
  readonly attributes?: FileAttributes | undefined;
  /** Without `attributes`: what a group that may write the folder may do; 0040 unless given. */
  readonly groupBits?: number | undefined;
}

/** A file under a hidden name beside its target. */
export class StagedFile implements Disposable {
  readonly #target: Target;
  readonly #path: string;
  readonly #file: Deno.FsFile;
  readonly #attributes: FileAttributes;
  /** Whether the owner is only a courtesy. */
  readonly #isOurs: boolean;
  #isRenamed = false;

  /**
   * Makes the file, with its owner and with space for its content.
   *
   * @throws {RekeyError} kind `install`; nothing is left then
   */
  constructor(
    target: Target,
    { kind, tag, attributes, groupBits = 0o040, reserveBytes }: StageOptions,
  ) {
    const { path } = target;
    const mode = PRIVATE_MODE;
    this.#target = target;
    this.#path = hiddenPath(target, { kind, tag });
    this.#isOurs = attributes === undefined;
    this.#attributes = attributes ??
      diskCall(
        "stat the directory of",
        path,
        () => besideAttributes(target.directory, groupBits),
      );
    this.#file = diskCall(
      "open",
      path,
      () => Deno.openSync(this.#path, { write: true, createNew: true, mode }),
    );
    using undo = new DisposableStack();
    undo.use(this);
    this.#takeOwner();
    this.#reserve(reserveBytes);
    undo.move();
  }

  /**
   * Waits until the space is really there: some file systems find out only now
   * that there is none.
   *
   * @throws {RekeyError} kind `install`; the signal's reason
   */
  async settle(signal: AbortSignal | undefined): Promise<void> {
    const { path } = this.#target;
    await diskWait(
      { action: "write", path, signal },
      () => this.#file.sync(),
    );
  }

  /** Makes `content` all that the file holds, durably, under its final mode. */
  write(content: Uint8Array): void {
    const { path } = this.#target;
    diskCall("write", path, () => this.#file.seekSync(0, Deno.SeekMode.Start));
    // Over the reserved bytes, not after freeing them.
    writeAll(this.#file, content, path);
    diskCall("write", path, () => this.#file.truncateSync(content.length));
    if (this.#isOurs) giveAway(this.#own, this.#attributes);
    else setMode(this.#own, this.#attributes.mode);
    diskCall("sync", path, () => this.#file.syncSync());
    this.#requireInPlace();
  }

  /** Gives the file its lasting name, in the same directory. */
  renameTo(file: string): void {
    diskCall(
      "rename to",
      this.#target.path,
      () => Deno.renameSync(this.#path, file),
    );
    this.#isRenamed = true;
  }

  /** Lets go of the file, which keeps its hidden name for the next run. */
  leave(): void {
    this.#isRenamed = true;
    this.#file[Symbol.dispose]();
  }

  /** Removes the file unless it was renamed. Never throws. */
  [Symbol.dispose](): void {
    // Closes once: dispose may be called again after a failure.
    this.#file[Symbol.dispose]();
    if (this.#isRenamed) return;
    // Where that fails, the next pass finds it by its name.
    bestEffort(() => discard(this.#path));
  }

  #reserve(bytes: number): void {
    const { path } = this.#target;
    for (let left = bytes; left > 0; left -= MOST_RANDOM_BYTES) {
      // Random, since file systems that compress take no space for zeros.
      const space = new Uint8Array(Math.min(left, MOST_RANDOM_BYTES));
      writeAll(this.#file, crypto.getRandomValues(space), path);
    }
  }

  #takeOwner(): void {
    // Only once it is complete: then it comes into force.
    if (!this.#isOurs) setOwner(this.#own, this.#attributes);
    // The umask may have taken even the owner's rights. A file system without
    // modes fails here, before the CA is asked, unless the old file shows the
    // same mode and so nothing is lost.
    if (permissions(this.#info()) !== this.#attributes.mode) {
      setMode(this.#own, PRIVATE_MODE);
    }
  }

  get #own(): OwnFile {
    return {
      path: this.#path,
      file: this.#file,
      shownPath: this.#target.path,
    };
  }

  /** A cleaner of temporary files, or an attacker, may have been at it. */
  #requireInPlace(): void {
    const { path } = this.#target;
    const found = diskCall("stat", path, () => lstatIfExists(this.#path));
    if (found !== undefined && isSameFile(found, this.#info())) return;
    throw new RekeyError(
      "install",
      `write ${path} failed: the new file beside it was removed or replaced by somebody else`,
    );
  }

  #info(): Deno.FileInfo {
    return diskCall("stat", this.#target.path, () => this.#file.statSync());
  }
}

/** As many as getRandomValues() gives at once. */
const MOST_RANDOM_BYTES = 64 * 1024;
