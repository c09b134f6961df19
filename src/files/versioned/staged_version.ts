/**
 * A version from its first name to the rename that puts it in force, and the
 * way back to one that was.
 */
import { bestEffort } from "../../base/os_error.ts";
import {
  discard,
  diskCall,
  type ShownDirectory,
  symlink,
  syncDirectory,
  SyncError,
} from "../disk/disk.ts";
import { temporaryPath } from "../disk/hidden_names.ts";
import { unpin } from "../disk/pinned.ts";
import { CURRENT, inDirectory } from "../disk/target.ts";
import {
  currentVersion,
  listVersions,
  makeDirectory,
  PREVIOUS,
  versionPath,
} from "./versions.ts";

/** A version that is being made. Disposing it before `put()` leaves no trace. */
export class StagedVersion implements Disposable {
  readonly directory: string;
  readonly #versions: ShownDirectory;
  readonly #link: string;
  #isPut = false;

  /**
   * Makes the next version, empty.
   *
   * @throws {RekeyError} kind `install`; nothing is left then
   */
  constructor(versions: ShownDirectory) {
    const { path } = versions;
    const current = currentVersion(versions);
    const [newest = 0] = diskCall(
      "open the versions of",
      path,
      () => listVersions(versions),
    );
    const number = Math.max(newest, current ?? 0) + 1;
    this.directory = versionPath(versions, number);
    this.#versions = versions;
    // Durable before there is anything that it has to lead to.
    this.#link = hiddenLink(versions, { kind: "new", number });
    using undo = new DisposableStack();
    undo.use(this);
    syncDirectory(versions);
    makeDirectory(this.directory, { like: versions.directory, path });
    if (current !== undefined) {
      symlink(String(current), inDirectory(this.directory, PREVIOUS), path);
    }
    undo.move();
  }

  /**
   * Puts the version in force, in one rename. Its files are durable by then.
   *
   * @param check asked right before it
   * @throws {RekeyError} kind `install`; the version before is then in force
   */
  put(check: () => void = () => {}): void {
    syncDirectory({ ...this.#versions, directory: this.directory });
    syncDirectory(this.#versions);
    check();
    // Whichever of the two the power leaves in force, it is there.
    swap(this.#versions, this.#link, () => this.#isPut = true);
  }

  /** Removes the version unless it was put in force. Never throws. */
  [Symbol.dispose](): void {
    if (this.#isPut) return;
    // Where that fails, the next pass finds it by its link.
    const isGone = bestEffort(() => discard(this.directory));
    if (isGone) bestEffort(() => discard(this.#link));
  }
}

/** Puts a version that is there in force again, in one rename. */
export function switchTo(versions: ShownDirectory, number: number): void {
  const link = hiddenLink(versions, { kind: "old", number });
  try {
    swap(versions, link);
  } catch (error) {
    bestEffort(() => discard(link));
    throw error;
  }
}

/**
 * The swap, made durable. Where that fails, the version before is put back, so
 * that an error means what it always means. Whichever of the two the disk has:
 * both stay, and each is whole.
 */
function swap(
  versions: ShownDirectory,
  link: string,
  swapped: () => void = () => {},
): void {
  const current = inDirectory(versions.directory, CURRENT);
  const number = currentVersion(versions);
  diskCall(
    "switch the version of",
    versions.path,
    () => Deno.renameSync(link, current),
  );
  swapped();
  try {
    syncDirectory(versions);
  } catch (error) {
    const isBack = number !== undefined && bestEffort(() => {
      const back = hiddenLink(versions, { kind: "old", number });
      Deno.renameSync(back, current);
    });
    if (isBack) bestEffort(() => syncDirectory(versions));
    throw inDoubt(error, { versions, isBack });
  }
}

function inDoubt(
  error: unknown,
  { versions, isBack }: {
    readonly versions: ShownDirectory;
    readonly isBack: boolean;
  },
): unknown {
  if (!(error instanceof SyncError)) return error;
  const { directory } = versions;
  const inForce = isBack ? "the version before" : "the new version";
  return new SyncError(
    "install",
    `${error.message}; ${inForce} is in force, and all versions are kept in ${
      unpin(directory)
    }`,
    { hint: "mend the disk and run the command again", cause: error },
  );
}

/** Makes a link: `new` to a version that is being made, `old` to one that is there. */
function hiddenLink(
  { directory, path }: ShownDirectory,
  { kind, number }: { readonly kind: "new" | "old"; readonly number: number },
): string {
  const link = temporaryPath({ directory, name: CURRENT }, kind);
  symlink(String(number), link, path);
  return link;
}
