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
import { RekeyError } from "../../base/errors.ts";
import { bestEffort, bestEffortOf } from "../../base/os_error.ts";
import { ownUid, permissions, setMode, setOwner } from "../disk/attributes.ts";
import type { Format } from "../disk/format.ts";
import {
  discard,
  diskCall,
  entriesOf,
  lstatIfExists,
  type ShownDirectory,
  sortedNames,
  statIfExists,
  syncDirectories,
  syncDirectory,
} from "../disk/disk.ts";
import { unpin } from "../disk/pinned.ts";
import { isHiddenName, versionsName } from "../disk/hidden_names.ts";
import type { HiddenKeys } from "../pair/hidden_keys.ts";
import {
  CURRENT,
  inDirectory,
  type Role,
  type Target,
  VERSION_FILES,
} from "../disk/target.ts";

/** Versions that are kept, the one in force included. */
const KEPT_VERSIONS = 5;

/** What a file `format` in a directory of versions says; there is none in version 1. */
export const VERSIONS_FORMAT: Format = {
  name: "step-rekey versions",
  version: 1,
};

/** The link of a version to the one that was in force before it. */
export const PREVIOUS = "previous";

/** The directory of versions that belongs to a certificate, there or not. */
export function versionsOf(
  { directory, name, path, version }: Target,
): ShownDirectory {
  const beside = inDirectory(directory, versionsName(name));
  return { directory: version?.directory ?? beside, path };
}

/** The path of a file of the version in force. */
export function currentFile(versions: string, role: Role): string {
  return inDirectory(versions, `${CURRENT}/${VERSION_FILES[role]}`);
}

/**
 * What the link of a target says: relative beside the versions, so that the
 * directory can be moved; absolute from anywhere else.
 */
export function linkText(
  role: Role,
  { directory }: Target,
  certificate: Target,
): string {
  return directory === certificate.directory
    ? currentFile(versionsName(certificate.name), role)
    : currentFile(unpin(versionsOf(certificate).directory), role);
}

export function versionPath(
  { directory }: ShownDirectory,
  number: number,
): string {
  return inDirectory(directory, String(number));
}

/** The version in force; undefined when there is none. */
export function currentVersion(
  { directory }: ShownDirectory,
): number | undefined {
  return linkedVersion(inDirectory(directory, CURRENT));
}

/** The version that was in force before `number`, if it is still there. */
export function previousVersion(
  versions: ShownDirectory,
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
export function listVersions(
  { directory }: ShownDirectory,
): readonly number[] {
  return [...Deno.readDirSync(directory)]
    .map(({ name }) => versionNumber(name))
    .filter((number) => number !== undefined)
    .sort((one, other) => other - one);
}

/**
 * Makes the directory of versions where there is none, durably, as open as the
 * directory that it stands in, but never writable by everybody.
 *
 * @returns whether it was made
 * @throws {RekeyError} kind `install`; nothing is left then
 */
export function ensureVersions(certificate: Target): boolean {
  const { directory: versions, path } = versionsOf(certificate);
  const info = diskCall("open", path, () => lstatIfExists(versions));
  if (info?.isDirectory === true && !isClosed(info)) return false;
  if (info?.isDirectory === true) {
    diskCall("remove the versions of", path, () => Deno.removeSync(versions));
  } else if (info !== undefined) {
    throw new RekeyError(
      "install",
      `open the versions of ${path} failed: ${
        unpin(versions)
      } is not a directory`,
      { hint: "move that file away" },
    );
  }
  try {
    makeDirectory(versions, { like: certificate.directory, path });
    syncDirectory(certificate);
    return true;
  } catch (error) {
    bestEffort(() => Deno.removeSync(versions));
    throw error;
  }
}

/** Whether somebody else made it a moment before he was killed: it is empty then. */
function isClosed(info: Deno.FileInfo): boolean {
  const own = ownUid();
  return own !== 0 && info.uid !== own && (permissions(info) & 0o077) === 0;
}

/**
 * Makes a directory that is as open as `like`, and belongs to whom that does.
 */
export function makeDirectory(
  directory: string,
  { like, path }: { readonly like: string; readonly path: string },
): void {
  diskCall(
    "make the versions of",
    path,
    () => Deno.mkdirSync(directory, { mode: 0o700 }),
  );
  diskCall("open", path, () => openToOwner(directory));
  using file = diskCall("open", path, () => Deno.openSync(directory));
  const model = diskCall("stat", path, () => Deno.statSync(like));
  const own = { path: directory, file, shownPath: path };
  const mode = permissions(model) & 0o2775 | 0o700;
  const [uid, gid] = [model.uid ?? undefined, model.gid ?? undefined];
  // Only root can give it to another user; a group of one's own anybody can.
  const isGiven = bestEffort(() => setOwner(own, { mode, uid, gid })) ||
    bestEffort(() => setOwner(own, { mode, gid }));
  // The rights of a group are not those of another one.
  setMode(own, isGiven ? mode : mode & ~0o2070);
}

/** The umask may have taken away even the rights of the owner. */
function openToOwner(path: string): void {
  if (Deno.build.os === "windows") return;
  if ((permissions(Deno.lstatSync(path)) & 0o700) === 0o700) return;
  Deno.chmodSync(path, 0o700);
}

/** Removes all versions but the newest, the one in force and the one before it. */
export async function pruneVersions(
  versions: ShownDirectory,
  hidden: HiddenKeys,
): Promise<void> {
  const current = currentVersion(versions);
  if (current === undefined) return;
  const spared = [current, previousVersion(versions, current)];
  for (const number of listVersions(versions).slice(KEPT_VERSIONS)) {
    if (spared.includes(number)) continue;
    await bestEffortOf(() => hidden.discard(versionPath(versions, number)));
  }
}

/**
 * Removes what a killed process left: versions that never came into force, and
 * a directory in which none ever did, with the links to it. The lock proves that
 * it is gone.
 *
 * @param links of the pair; they lead nowhere until a version is in force
 */
export async function removeUnfinished(
  versions: ShownDirectory,
  { hidden, links }: {
    readonly hidden: HiddenKeys;
    readonly links: readonly Target[];
  },
): Promise<void> {
  const { directory } = versions;
  if (lstatIfExists(directory)?.isDirectory !== true) return;
  const current = currentVersion(versions);
  for (const name of sortedNames(directory)) {
    const link = inDirectory(directory, name);
    const info = lstatIfExists(link);
    if (info?.isDirectory === true && versionNumber(name) !== undefined) {
      await removeHidden(link, hidden);
    }
    if (info?.isSymlink !== true || !isHiddenName(name, CURRENT)) continue;
    const number = linkedVersion(link);
    const isUnfinished = isHiddenName(name, CURRENT, ["new"]) &&
      number !== undefined && number !== current;
    if (isUnfinished) {
      const version = versionPath(versions, number);
      const isGone = await hidden.discard(version, { isNeverInForce: true });
      if (!isGone) continue;
    }
    // This link proves that they were made for a version that never came, not
    // that one is on a file system that is away.
    if (isUnfinished && current === undefined) removeLinks(links);
    discard(link);
  }
  if (current !== undefined) return;
  // Only when it is empty: what we do not know stays.
  bestEffort(() => Deno.removeSync(directory));
}

function removeLinks(links: readonly Target[]): void {
  for (const { file } of links) {
    const leadsNowhere = lstatIfExists(file)?.isSymlink === true &&
      statIfExists(file) === undefined;
    if (leadsNowhere) discard(file);
  }
  syncDirectories(links);
}

/** What somebody made beside the files of a version, and could not remove. */
async function removeHidden(
  directory: string,
  hidden: HiddenKeys,
): Promise<void> {
  for (const name of entriesOf(directory)) {
    const isLeftover = Object.values(VERSION_FILES)
      .some((file) => isHiddenName(name, file));
    if (!isLeftover) continue;
    const file = inDirectory(directory, name);
    await bestEffortOf(() => hidden.discard(file));
  }
}
