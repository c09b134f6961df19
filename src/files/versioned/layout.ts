/**
 * From two plain files to versions, and back.
 *
 * At every moment both names lead to the contents that they had: a change of
 * layout that is killed is simply begun again.
 */
import { RekeyError } from "../../base/errors.ts";
import { bestEffort, osCode, osReason } from "../../base/os_error.ts";
import { equalBytes } from "../../pki/asn1/der.ts";
import { copyFile, duplicateFile } from "../disk/backup_file.ts";
import {
  discard,
  diskCall,
  lstatIfExists,
  readIfExists,
  sortedNames,
  statIfExists,
  symlink,
  syncDirectory,
} from "../disk/disk.ts";
import { unpin } from "../disk/pinned.ts";
import { isHiddenName, temporaryPath } from "../disk/hidden_names.ts";
import {
  inDirectory,
  resolveTarget,
  type Target,
  VERSION_FILES,
} from "../disk/target.ts";
import { type Layout, mapPair, membersOf, type Pair } from "../transaction.ts";
import { requireChangeable } from "./changeable_layout.ts";
import {
  clearLayoutNote,
  findLayoutNote,
  type LayoutNote,
  noteLayout,
} from "./layout_note.ts";
import { StagedVersion } from "./staged_version.ts";
import {
  currentFile,
  ensureVersions,
  linkText,
  removeUnfinished,
  versionsOf,
} from "./versions.ts";

/**
 * How the pair stands on disk; names that are free stand for two plain files.
 * `mixed`: one of the two is a link to a version, or each to another pair's.
 */
export function layoutOf({ certificate, key }: Pair<Target>): Layout | "mixed" {
  if (certificate.version === undefined) {
    return key?.version === undefined ? "plain" : "mixed";
  }
  if (certificate.version.role !== "certificate") return "mixed";
  if (key === undefined) return "versioned";
  return key.version?.directory === certificate.version.directory &&
      key.version.role === "key"
    ? "versioned"
    : "mixed";
}

/**
 * Changes the layout of a pair that is there. The contents stay.
 *
 * @returns whether there was anything to change
 * @throws {RekeyError} kind `install`; the layout is then the one before, or,
 *   once a name was replaced, `resumeLayout` finishes the change
 */
export function changeLayout(pair: Pair<Target>, to: Layout): boolean {
  const from = layoutOf(pair);
  if (from === to) return false;
  if (from === "mixed") throw mixedLayouts(pair);
  requireChangeable(pair, to);
  const { directory: versions } = versionsOf(pair.certificate);
  const isNew = lstatIfExists(versions) === undefined;
  const note = { layout: to, versions };
  try {
    noteLayout(pair, note);
    carryOut(pair, note);
  } catch (error) {
    if (isBack(pair, { from, made: isNew ? versions : undefined })) throw error;
    // A name was replaced, so the way is forward. Once may be chance.
    const isDone = bestEffort(() => carryOut(lookAgain(pair), note));
    if (!isDone) throw error;
  }
  return true;
}

/** Undoes what was begun, unless a name was replaced. */
function isBack(
  pair: Pair<Target>,
  { from, made }: { readonly from: Layout; readonly made: string | undefined },
): boolean {
  let wasReplaced = true;
  const isUndone = bestEffort(() => {
    wasReplaced = layoutOf(lookAgain(pair)) !== from;
    if (wasReplaced) return;
    if (made !== undefined) discardVersions(pair, made);
    clearLayoutNote(pair.certificate);
  });
  return isUndone && !wasReplaced;
}

/** Where the names lead by now. */
function lookAgain(pair: Pair<Target>): Pair<Target> {
  return mapPair(pair, ({ path }) => resolveTarget(path));
}

/** Two names that do not belong to one pair, or do so in two ways. */
export function mixedLayouts({ certificate, key }: Pair<Target>): RekeyError {
  const name = (target: Target | undefined) => target?.path ?? "its key";
  return new RekeyError(
    "install",
    `${certificate.path} and ${name(key)} do not stand in the same layout: ` +
      "one is a link to a version of a pair that the other is no part of",
    {
      hint:
        "name the certificate and the key that belong together; ls -l shows where the links lead",
    },
  );
}

/**
 * Finishes a change of layout that was interrupted.
 *
 * @returns whether there was one
 * @throws {RekeyError} kind `install`
 */
export function resumeLayout(pair: Pair<Target>): boolean {
  const note = findLayoutNote(pair);
  if (note === undefined) return false;
  carryOut(pair, note);
  return true;
}

/**
 * Removes versions that never came into force, and links to none: what a killed
 * process left. They harm nobody, so what cannot be removed stays.
 */
export function removeUnfinishedVersions(pair: Pair<Target>): void {
  const versions = versionsOf(pair.certificate);
  const isDone = bestEffort(() => removeUnfinished(versions));
  // One that a killed root could not give away yet: it is empty.
  if (!isDone) bestEffort(() => Deno.removeSync(versions.directory));
  if (lstatIfExists(versions.directory) !== undefined) return;
  for (const { value: { version, file } } of membersOf(pair)) {
    if (version?.directory !== versions.directory) continue;
    bestEffort(() => {
      if (lstatIfExists(file)?.isSymlink === true) Deno.removeSync(file);
    });
  }
}

function carryOut(pair: Pair<Target>, { layout, versions }: LayoutNote): void {
  if (layout === "versioned") makeVersioned(pair);
  else makePlain(pair, versions);
  clearLayoutNote(pair.certificate);
}

function makeVersioned(pair: Pair<Target>): void {
  const { certificate } = pair;
  if (layoutOf(pair) === "versioned") return;
  ensureVersions(certificate);
  const versions = versionsOf(certificate);
  if (!isInForce(pair, versions.directory)) {
    using staged = new StagedVersion(versions);
    for (const { role, value: target } of membersOf(pair)) {
      takeContent(target, inDirectory(staged.directory, VERSION_FILES[role]));
    }
    staged.put();
  }
  for (const { role, value: target } of membersOf(pair)) {
    const { version } = target;
    const isLink = version?.directory === versions.directory &&
      version?.role === role;
    if (isLink) continue;
    replace(target, (name) => {
      symlink(linkText(role, target, certificate), name, target.path);
    });
  }
}

/** Whether the version in force has the contents of the pair, as it has half-way. */
function isInForce(pair: Pair<Target>, versions: string): boolean {
  return membersOf(pair).every(({ role, value: { file, path } }) => {
    const [shown, current] = [file, currentFile(versions, role)].map((name) =>
      diskCall("read", path, () => readBehind(name))
    );
    return shown instanceof Uint8Array && current instanceof Uint8Array &&
      equalBytes(shown, current);
  });
}

/** Through links, unlike what is read to be replaced. */
function readBehind(file: string): ReturnType<typeof readIfExists> {
  if (statIfExists(file) === undefined) return undefined;
  return readIfExists(Deno.realPathSync(file));
}

function makePlain(pair: Pair<Target>, versions: string): void {
  for (const { value: target } of membersOf(pair)) {
    if (target.version === undefined) continue;
    replace(target, (name) => takeContent(target, name));
  }
  discardVersions(pair, versions);
}

/** Removes the versions, to which no name leads any more. */
function discardVersions(
  { certificate }: Pair<Target>,
  versions: string,
): void {
  if (lstatIfExists(versions) === undefined) return;
  // Not half of it, should somebody look.
  const discarded = temporaryPath(certificate, "old");
  diskCall(
    "remove the versions of",
    certificate.path,
    () => Deno.renameSync(versions, discarded),
  );
  // What stays is found by its name.
  bestEffort(() => discard(discarded));
  syncDirectory(certificate);
}

/**
 * Proves that the keys of earlier versions went with the versions. Asked last:
 * the two names are plain files by then, whatever the answer.
 *
 * @throws {RekeyError} kind `install`, naming where they still are
 */
export function requireVersionsGone(
  { directory, name, path }: Pick<Target, "directory" | "name" | "path">,
): void {
  const names = diskCall("open", path, () => sortedNames(directory));
  for (const candidate of names) {
    if (!isHiddenName(candidate, name, ["old"])) continue;
    const discarded = inDirectory(directory, candidate);
    try {
      discard(discarded);
    } catch (error) {
      throw new RekeyError(
        "install",
        `${path} is a plain file now, but what stood with earlier versions is still in ${
          unpin(discarded)
        }: remove failed: ${osReason(error)}`,
        {
          hint: `mend the cause, then remove ${unpin(discarded)}`,
          cause: error,
        },
      );
    }
  }
}

/** Gives the content behind a target another name, with its owner and mode. */
function takeContent(target: Target, to: string): void {
  const { path } = target;
  const from = diskCall("open", path, () => Deno.realPathSync(target.file));
  if (!duplicateAnywhere(target, from, to)) {
    throw new RekeyError("install", `open ${path} failed: it is gone`);
  }
}

function duplicateAnywhere(target: Target, from: string, to: string): boolean {
  try {
    return duplicateFile(target, from, to);
  } catch (error) {
    const cause = error instanceof RekeyError ? error.cause : error;
    if (osCode(cause) !== "EXDEV") throw error;
    return copyFile(target, from, to);
  }
}

/** Puts something else under a target's name, in one rename. */
function replace(target: Target, make: (name: string) => void): void {
  const staged = temporaryPath(target);
  try {
    make(staged);
    syncDirectory(target);
    diskCall(
      "rename to",
      target.path,
      () => Deno.renameSync(staged, target.file),
    );
  } finally {
    // Also where it was renamed: of two names of one file, rename(2) leaves
    // both, and says that it did its work.
    bestEffort(() => discard(staged));
  }
  syncDirectory(target);
}
