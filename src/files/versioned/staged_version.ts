/**
 * A version from its first name to the rename that puts it in force, and the
 * way back to one that was.
 */
import { bestEffort } from "../../base/os_error.ts";
import { discard, diskCall, symlink, syncDirectory } from "../disk/disk.ts";
import {
  type HiddenKind,
  hiddenName,
  randomTag,
} from "../disk/hidden_names.ts";
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
  readonly number: number;
  /** Where its files have to be made. */
  readonly directory: string;
  readonly #versions: string;
  readonly #shownPath: string;
  readonly #link: string;
  #isPut = false;

  /**
   * Makes the next version, empty.
   *
   * @param shownPath the target that messages name
   * @throws {RekeyError} kind `install`; nothing is left then
   */
  static create(versions: string, shownPath: string): StagedVersion {
    const staged = new StagedVersion(versions, shownPath);
    try {
      staged.#make();
    } catch (error) {
      staged[Symbol.dispose]();
      throw error;
    }
    return staged;
  }

  private constructor(versions: string, shownPath: string) {
    const [newest = 0] = diskCall(
      "open the versions of",
      shownPath,
      () => listVersions(versions),
    );
    this.number = Math.max(newest, currentVersion(versions) ?? 0) + 1;
    this.directory = versionPath(versions, this.number);
    this.#versions = versions;
    this.#shownPath = shownPath;
    this.#link = hiddenLink(versions, "new");
  }

  #make(): void {
    const previous = currentVersion(this.#versions);
    // Durable before there is anything that it has to lead to.
    symlink(String(this.number), this.#link, this.#shownPath);
    this.#sync(this.#versions);
    makeDirectory(this.directory, {
      like: this.#versions,
      shownPath: this.#shownPath,
    });
    if (previous === undefined) return;
    symlink(
      String(previous),
      inDirectory(this.directory, PREVIOUS),
      this.#shownPath,
    );
  }

  /**
   * Puts the version in force, in one rename. Its files are durable by then.
   *
   * @throws {RekeyError} kind `install`; the version before is then in force
   */
  put(): void {
    this.#sync(this.directory);
    this.#sync(this.#versions);
    // Whichever of the two the power leaves in force, it is there.
    swap(this.#versions, this.#link, this.#shownPath, () => {
      this.#isPut = true;
    });
  }

  #sync(directory: string): void {
    syncDirectory({ directory, path: this.#shownPath });
  }

  /** Removes the version unless it was put in force. Never throws. */
  [Symbol.dispose](): void {
    if (this.#isPut) return;
    // Where that fails, the next pass finds it by its link.
    const isGone = bestEffort(() => discard(this.directory));
    if (isGone) bestEffort(() => discard(this.#link));
  }
}

/**
 * Puts a version that is there in force again, in one rename.
 *
 * @throws {RekeyError} kind `install`
 */
export function switchTo(
  versions: string,
  number: number,
  shownPath: string,
): void {
  const link = linkBack(versions, number, shownPath);
  try {
    swap(versions, link, shownPath);
  } catch (error) {
    bestEffort(() => discard(link));
    throw error;
  }
}

function linkBack(
  versions: string,
  number: number,
  shownPath: string,
): string {
  const link = hiddenLink(versions, "old");
  symlink(String(number), link, shownPath);
  return link;
}

/**
 * The swap, made durable. Where that fails, the version before is put back, so
 * that an error means what it always means; where even that fails, the swap has
 * happened.
 */
function swap(
  versions: string,
  link: string,
  shownPath: string,
  swapped: () => void = () => {},
): void {
  const current = inDirectory(versions, CURRENT);
  const before = currentVersion(versions);
  diskCall(
    "switch the version of",
    shownPath,
    () => Deno.renameSync(link, current),
  );
  swapped();
  try {
    syncDirectory({ directory: versions, path: shownPath });
  } catch (error) {
    if (
      bestEffort(() => syncDirectory({ directory: versions, path: shownPath }))
    ) return;
    const isBack = before !== undefined && bestEffort(() => {
      Deno.renameSync(linkBack(versions, before, shownPath), current);
    });
    if (!isBack) return;
    bestEffort(() => syncDirectory({ directory: versions, path: shownPath }));
    throw error;
  }
}

/** `new`: leads to a version that is being made; `old`: to one that is there. */
function hiddenLink(
  versions: string,
  kind: Extract<HiddenKind, "new" | "old">,
): string {
  return inDirectory(versions, hiddenName(CURRENT, kind, randomTag()));
}
