/**
 * The versions of a pair: numbered directories, one of them in force.
 *
 *     .site.crt.versions/
 *       current -> 3            changed by one rename: that is the swap
 *       2/  certificate.pem  key.pem  previous -> 1
 *       3/  certificate.pem  key.pem  previous -> 2
 *
 * While a version is made, a hidden link names it, which the swap renames to
 * `current`. So what a killed process left behind is told from what was in
 * force once: its link is still there.
 */
import { RekeyError } from "../errors.ts";
import { attempt } from "../os_error.ts";
import { permissions, setMode, setOwner } from "./attributes.ts";
import {
  diskCall,
  lstatIfExists,
  removeIfExists,
  syncDirectories,
} from "./disk.ts";
import {
  type HiddenKind,
  hiddenName,
  isHiddenName,
  randomTag,
  versionsName,
} from "./hidden_names.ts";
import { CURRENT, inDirectory, type Target, VERSION_FILES } from "./target.ts";

/** Versions that are kept, the one in force included. */
export const KEPT_VERSIONS = 5;

/** The link of a version to the one that was in force before it. */
const PREVIOUS = "previous";

/** The directory of versions that belongs to a certificate, there or not. */
export function versionsDirectory(
  { directory, name, version }: Target,
): string {
  return version?.directory ?? inDirectory(directory, versionsName(name));
}

/** The path of one version. */
export function versionPath(versions: string, number: number): string {
  return inDirectory(versions, String(number));
}

/** The version in force; undefined when there is none. */
export function currentVersion(versions: string): number | undefined {
  return linkedVersion(inDirectory(versions, CURRENT));
}

/** The version that was in force before `number`, if it is still there. */
export function previousVersion(
  versions: string,
  number: number,
): number | undefined {
  const previous = linkedVersion(
    inDirectory(versionPath(versions, number), PREVIOUS),
  );
  if (previous === undefined) return undefined;
  const info = lstatIfExists(versionPath(versions, previous));
  return info?.isDirectory === true ? previous : undefined;
}

function linkedVersion(link: string): number | undefined {
  if (lstatIfExists(link)?.isSymlink !== true) return undefined;
  return versionNumber(Deno.readLinkSync(link));
}

function versionNumber(text: string): number | undefined {
  return /^[1-9]\d{0,14}$/.test(text) ? Number(text) : undefined;
}

/** All versions that are there, the newest first. */
function listVersions(versions: string): readonly number[] {
  return [...Deno.readDirSync(versions)]
    .map(({ name }) => versionNumber(name))
    .filter((number) => number !== undefined)
    .sort((one, other) => other - one);
}

/**
 * Makes the directory of versions where there is none, as open as the directory
 * that it stands in, but never writable by everybody.
 *
 * @returns whether it was made
 * @throws {RekeyError} kind `install`
 */
export function ensureVersions(certificate: Target): boolean {
  const { path, directory } = certificate;
  const versions = versionsDirectory(certificate);
  const info = diskCall("open", path, () => lstatIfExists(versions));
  if (info?.isDirectory === true) return false;
  if (info !== undefined) {
    throw new RekeyError(
      "install",
      `open the versions of ${path} failed: ${versions} is not a directory`,
      { hint: "move that file away" },
    );
  }
  makeDirectory(versions, { like: directory, shownPath: path });
  return true;
}

function makeDirectory(
  path: string,
  { like, shownPath }: { readonly like: string; readonly shownPath: string },
): void {
  diskCall(
    "make the versions of",
    shownPath,
    () => Deno.mkdirSync(path, { mode: 0o700 }),
  );
  diskCall("open", shownPath, () => openToOwner(path));
  using file = diskCall("open", shownPath, () => Deno.openSync(path));
  const model = diskCall("stat", shownPath, () => Deno.statSync(like));
  const own = { path, file, shownPath };
  const mode = permissions(model) & 0o2775 | 0o700;
  const [uid, gid] = [model.uid ?? undefined, model.gid ?? undefined];
  // Only root can give it to another user; a group of one's own anybody can.
  const isGiven = attempt(() => setOwner(own, { mode, uid, gid })) ||
    attempt(() => setOwner(own, { mode, gid }));
  // The rights of a group are not those of another one.
  setMode(own, isGiven ? mode : mode & ~0o2070);
}

/** The umask may have taken even that. */
function openToOwner(path: string): void {
  if (Deno.build.os === "windows") return;
  if ((permissions(Deno.lstatSync(path)) & 0o700) === 0o700) return;
  Deno.chmodSync(path, 0o700);
}

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
    syncPath(this.#versions, this.#shownPath);
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
    syncPath(this.directory, this.#shownPath);
    syncPath(this.#versions, this.#shownPath);
    // Whichever of the two the power leaves in force, it is there.
    swap(this.#versions, this.#link, this.#shownPath, () => {
      this.#isPut = true;
    });
  }

  /** Removes the version unless it was put in force. Never throws. */
  [Symbol.dispose](): void {
    if (this.#isPut) return;
    // Where that fails, the next pass finds it by its link.
    const isGone = attempt(() => removeTree(this.directory));
    if (isGone) attempt(() => removeTree(this.#link));
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
    attempt(() => removeTree(link));
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
    syncPath(versions, shownPath);
  } catch (error) {
    if (attempt(() => syncPath(versions, shownPath))) return;
    const isBack = before !== undefined && attempt(() => {
      Deno.renameSync(linkBack(versions, before, shownPath), current);
    });
    if (!isBack) return;
    attempt(() => syncPath(versions, shownPath));
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

/**
 * Makes a symbolic link.
 *
 * @throws {RekeyError} kind `install`
 */
export function symlink(to: string, at: string, shownPath: string): void {
  diskCall("link", shownPath, () => Deno.symlinkSync(to, at));
}

/**
 * Makes the names in a directory durable.
 *
 * @throws {RekeyError} kind `install`
 */
export function syncPath(directory: string, shownPath: string): void {
  syncDirectories([{ directory, path: shownPath, name: "", file: directory }]);
}

/** Removes all versions but the newest, the one in force and the one before it. */
export function pruneVersions(versions: string): void {
  const current = currentVersion(versions);
  if (current === undefined) return;
  const spared = [current, previousVersion(versions, current)];
  for (const number of listVersions(versions).slice(KEPT_VERSIONS)) {
    if (spared.includes(number)) continue;
    attempt(() => removeTree(versionPath(versions, number)));
  }
}

/**
 * Removes what a killed process left: versions that never came into force, and
 * a directory in which none ever did. The lock proves that it is gone.
 */
export function removeUnfinished(versions: string): void {
  if (lstatIfExists(versions)?.isDirectory !== true) return;
  const current = currentVersion(versions);
  for (const name of sortedNames(versions)) {
    const { isSymlink, isDirectory } = Deno.lstatSync(
      inDirectory(versions, name),
    );
    if (isDirectory && versionNumber(name) !== undefined) {
      removeHidden(inDirectory(versions, name));
    }
    if (!isSymlink || !isHiddenName(name, CURRENT)) continue;
    const link = inDirectory(versions, name);
    const number = linkedVersion(link);
    const isUnfinished = isHiddenName(name, CURRENT, ["new"]) &&
      number !== undefined && number !== current;
    if (isUnfinished) removeTree(versionPath(versions, number));
    removeTree(link);
  }
  if (current !== undefined) return;
  // Only when it is empty: what we do not know stays.
  attempt(() => Deno.removeSync(versions));
}

/** What somebody made beside the files of a version, and could not remove. */
function removeHidden(directory: string): void {
  for (const name of sortedNames(directory)) {
    const isLeftover = Object.values(VERSION_FILES)
      .some((file) => isHiddenName(name, file));
    if (isLeftover) attempt(() => removeTree(inDirectory(directory, name)));
  }
}

/**
 * Removes a file, a link or a directory with all that is in it, if it is there.
 * In the order of the names, so that each run of a test does the same.
 */
export function removeTree(path: string): void {
  if (lstatIfExists(path)?.isDirectory === true) {
    for (const name of sortedNames(path)) removeTree(inDirectory(path, name));
  }
  removeIfExists(path);
}

/** The names in a directory, in one order on every file system. */
export function sortedNames(directory: string): readonly string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
}
