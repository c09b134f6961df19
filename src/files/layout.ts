/**
 * From two plain files to versions, and back.
 *
 * At every moment both names lead to the contents that they had: a change of
 * layout that is killed is simply begun again.
 */
import { RekeyError } from "../errors.ts";
import { attempt, osCode } from "../os_error.ts";
import { permissions } from "./attributes.ts";
import {
  diskCall,
  lstatIfExists,
  readIfExists,
  syncDirectories,
} from "./disk.ts";
import { hiddenName, randomTag } from "./hidden_names.ts";
import { copyFile, duplicateFile } from "./kept_file.ts";
import {
  clearLayoutNote,
  findLayoutNote,
  type Layout,
  type LayoutNote,
  noteLayout,
} from "./layout_note.ts";
import type { PairTargets } from "./recovery.ts";
import { examineTargets } from "./replaceable.ts";
import {
  inDirectory,
  resolveTarget,
  type Target,
  VERSION_FILES,
} from "./target.ts";
import { equalBytes } from "../pki/der.ts";
import { currentFile, linkText, partsOf } from "./versioned_install.ts";
import {
  ensureVersions,
  removeTree,
  removeUnfinished,
  StagedVersion,
  symlink,
  syncPath,
  versionsDirectory,
} from "./versions.ts";

export type { Layout } from "./layout_note.ts";

/**
 * How the pair stands on disk; names that are free stand for two plain files.
 * `mixed`: one of the two is a link to a version, or each to another pair's.
 */
export function layoutOf({ certificate, key }: PairTargets): Layout | "mixed" {
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
 * @throws {RekeyError} kind `install`; the layout is then the one before, or,
 *   once a name was replaced, `resumeLayout` finishes the change
 */
export function changeLayout(pair: PairTargets, to: Layout): void {
  const from = layoutOf(pair);
  if (from === to) return;
  if (from === "mixed") throw mixedLayouts(pair);
  requireChangeable(pair, to);
  const versions = versionsDirectory(pair.certificate);
  const isNew = lstatIfExists(versions) === undefined;
  noteLayout(pair, to);
  const note = { layout: to, versions };
  try {
    carryOut(pair, note);
  } catch (error) {
    if (isBack(pair, { from, made: isNew ? versions : undefined })) throw error;
    // A name was replaced, so the way is forward. Once may be chance.
    const isDone = attempt(() => carryOut(lookAgain(pair), note));
    if (!isDone) throw error;
  }
}

/** Undoes what was begun, unless a name was replaced. */
function isBack(
  pair: PairTargets,
  { from, made }: { readonly from: Layout; readonly made: string | undefined },
): boolean {
  let wasReplaced = true;
  const isUndone = attempt(() => {
    wasReplaced = layoutOf(lookAgain(pair)) !== from;
    if (wasReplaced) return;
    if (made !== undefined) discardVersions(pair, made);
    clearLayoutNote(pair.certificate);
  });
  return isUndone && !wasReplaced;
}

function lookAgain({ certificate, key }: PairTargets): PairTargets {
  return {
    certificate: resolveTarget(certificate.path),
    key: key === undefined ? undefined : resolveTarget(key.path),
  };
}

/** Two names that do not belong to one pair, or do so in two ways. */
export function mixedLayouts({ certificate, key }: PairTargets): RekeyError {
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
 * Finishes a change of layout that was interrupted. Call it under the lock.
 *
 * @returns whether there was one
 * @throws {RekeyError} kind `install`
 */
export function resumeLayout(pair: PairTargets): boolean {
  const note = findLayoutNote(pair);
  if (note === undefined) return false;
  carryOut(pair, note);
  return true;
}

/**
 * Removes versions that never came into force, and links to none: what a killed
 * process left. They harm nobody, so what cannot be removed stays.
 */
export function removeUnfinishedVersions(pair: PairTargets): void {
  const versions = versionsDirectory(pair.certificate);
  attempt(() => removeUnfinished(versions));
  if (lstatIfExists(versions) !== undefined) return;
  for (const { target: { version, file } } of partsOf(pair)) {
    if (version?.directory !== versions) continue;
    attempt(() => {
      if (lstatIfExists(file)?.isSymlink === true) Deno.removeSync(file);
    });
  }
}

function carryOut(pair: PairTargets, { layout, versions }: LayoutNote): void {
  if (layout === "versioned") makeVersioned(pair);
  else makePlain(pair, versions);
  clearLayoutNote(pair.certificate);
}

function makeVersioned(pair: PairTargets): void {
  const { certificate } = pair;
  if (layoutOf(pair) === "versioned") return;
  if (ensureVersions(certificate)) {
    syncPath(certificate.directory, certificate.path);
  }
  const versions = versionsDirectory(certificate);
  if (!isInForce(pair, versions)) {
    using staged = StagedVersion.create(versions, certificate.path);
    for (const { role, target } of partsOf(pair)) {
      takeContent(target, inDirectory(staged.directory, VERSION_FILES[role]));
    }
    staged.put();
  }
  for (const { role, target } of partsOf(pair)) {
    const { version } = target;
    if (version?.directory === versions && version.role === role) continue;
    replace(target, (name) => {
      symlink(linkText(role, target, certificate), name, target.path);
    });
  }
}

/** Whether the version in force has the contents of the pair, as it has half-way. */
function isInForce(pair: PairTargets, versions: string): boolean {
  return partsOf(pair).every(({ role, target: { file, path } }) => {
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

function makePlain(pair: PairTargets, versions: string): void {
  for (const { target } of partsOf(pair)) {
    if (target.version === undefined) continue;
    replace(target, (name) => takeContent(target, name));
  }
  discardVersions(pair, versions);
}

/** Removes the versions, to which no name leads any more. */
function discardVersions(
  { certificate }: PairTargets,
  versions: string,
): void {
  if (lstatIfExists(versions) === undefined) return;
  // Not half of it, should somebody look.
  const discarded = inDirectory(
    certificate.directory,
    hiddenName(certificate.name, "old", randomTag()),
  );
  diskCall(
    "remove the versions of",
    certificate.path,
    () => Deno.renameSync(versions, discarded),
  );
  // What stays is found by its name.
  attempt(() => removeTree(discarded));
  syncDirectories([certificate]);
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
  const staged = inDirectory(
    target.directory,
    hiddenName(target.name, "new", randomTag()),
  );
  try {
    make(staged);
    syncDirectories([target]);
    diskCall(
      "rename to",
      target.path,
      () => Deno.renameSync(staged, target.file),
    );
  } finally {
    // Also where it was renamed: of two names of one file, rename(2) leaves
    // both, and says that it did its work.
    attempt(() => removeTree(staged));
  }
  syncDirectories([target]);
}

function requireChangeable(pair: PairTargets, to: Layout): void {
  const { certificate, key } = pair;
  if (key === undefined) {
    throw new RekeyError(
      "install",
      `the layout of ${certificate.path} changes only together with its key, and no key is written`,
      { hint: "name the file of its key with --out-key" },
    );
  }
  for (const { path, file } of [certificate, key]) {
    if (diskCall("open", path, () => statIfExists(file)) !== undefined) {
      continue;
    }
    throw new RekeyError(
      "install",
      `cannot change the layout: ${path} does not exist`,
      { hint: "name two files that are there, or two new ones" },
    );
  }
  if (to === "plain") return;
  examineTargets({ certificate, key }, { allowsInPlace: false });
  requireGuarded(key, certificate);
  requireOwnFolder(certificate);
}

function statIfExists(file: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(file);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** In a sticky directory, what we make could not be replaced by the pair's owner. */
function requireOwnFolder({ path, directory, file }: Target): void {
  if (Deno.build.os === "windows") return;
  const folder = diskCall("open", path, () => Deno.statSync(directory));
  if ((permissions(folder) & 0o1000) === 0) return;
  const { uid } = diskCall("open", path, () => Deno.statSync(file));
  if (uid === diskCall("open", path, () => Deno.uid())) return;
  throw new RekeyError(
    "install",
    `cannot change the layout of ${path}: it belongs to uid ${uid}, who could not replace what we make in this sticky directory`,
    { hint: "run as the owner of the file" },
  );
}

/** A key that only its directory hides must not move to one that is open. */
function requireGuarded(key: Target, certificate: Target): void {
  if (key.directory === certificate.directory) return;
  const { path } = key;
  const mode = permissions(diskCall("open", path, () => Deno.statSync(path)));
  const [around, beside] = [key, certificate].map(({ directory }) =>
    permissions(diskCall("open", path, () => Deno.statSync(directory)))
  );
  const exposed = [0o070, 0o007].some((others) =>
    (mode & others & 0o044) !== 0 && ((around ?? 0) & others & 0o011) === 0 &&
    ((beside ?? 0) & others & 0o011) !== 0
  );
  if (!exposed) return;
  throw new RekeyError(
    "install",
    `cannot move ${path} beside the certificate: its mode is ${
      mode.toString(8).padStart(4, "0")
    }, and only its directory keeps others away`,
    { hint: `close it first: chmod 600 ${path}` },
  );
}
