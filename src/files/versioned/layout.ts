/**
 * From two plain files to versions, and back.
 *
 * At every moment both names lead to the contents that they had: a change of
 * layout that is killed is simply begun again.
 */
import { RekeyError } from "../../base/errors.ts";
import { bestEffort, bestEffortOf, osCode } from "../../base/os_error.ts";
import { equalBytes } from "../../base/bytes.ts";
import { copyFile, duplicateFile } from "../disk/backup_file.ts";
import {
  discard,
  diskCall,
  lstatIfExists,
  readBehind,
  symlink,
  syncDirectory,
  SyncError,
} from "../disk/disk.ts";
import { unpin } from "../disk/pinned.ts";
import { temporaryPath } from "../disk/hidden_names.ts";
import {
  inDirectory,
  resolveTarget,
  type Target,
  VERSION_FILES,
} from "../disk/target.ts";
import type { HiddenKeys } from "../pair/hidden_keys.ts";
import {
  type Layout,
  mapPair,
  type Member,
  membersOf,
  type Pair,
  type Warn,
} from "../transaction.ts";
import { requireChangeable } from "./changeable_layout.ts";
import { discardVersions } from "./discard_versions.ts";
import {
  clearLayoutNote,
  findLayoutNote,
  type LayoutNote,
  noteLayout,
} from "./layout_note.ts";
import { StagedVersion, switchTo } from "./staged_version.ts";
import {
  currentFile,
  currentVersion,
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
export async function changeLayout(
  pair: Pair<Target>,
  to: Layout,
  tools: LayoutTools,
): Promise<boolean> {
  const from = layoutOf(pair);
  if (from === to) return false;
  if (from === "mixed") throw mixedLayouts(pair);
  requireChangeable(pair, to);
  const { directory: versions } = versionsOf(pair.certificate);
  const isNew = lstatIfExists(versions) === undefined;
  const note = { layout: to, versions };
  try {
    noteLayout(pair, note);
    await carryOut(pair, note, tools);
  } catch (error) {
    const made = isNew ? versions : undefined;
    if (await isBack(pair, { from, made, hidden: tools.hidden })) {
      // No version is in force, whatever was true when it was thrown.
      const isOver = error instanceof SyncError &&
        error.cause instanceof SyncError;
      throw isOver ? error.cause : error;
    }
    // A name was replaced, so the way is forward. Once may be chance; but what
    // was not synced once is for the next run, which writes it anew.
    const isDone = !(error instanceof SyncError) &&
      await bestEffortOf(() => carryOut(lookAgain(pair), note, tools));
    if (!isDone) throw error;
  }
  return true;
}

/** What a change removes things with, and how it says what a person should know. */
export interface LayoutTools {
  readonly hidden: HiddenKeys;
  readonly warn: Warn;
}

/** Undoes what was begun, unless a name was replaced. */
async function isBack(
  pair: Pair<Target>,
  { from, made, hidden }: {
    readonly from: Layout;
    readonly made: string | undefined;
    readonly hidden: HiddenKeys;
  },
): Promise<boolean> {
  let wasReplaced = true;
  const isUndone = await bestEffortOf(async () => {
    wasReplaced = layoutOf(lookAgain(pair)) !== from;
    if (wasReplaced) return;
    if (made !== undefined) await discardVersions(pair, made, hidden);
    clearLayoutNote(pair.certificate, () => {});
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
 * @throws {RekeyError} kind `install`, also when a name is not there
 */
export async function resumeLayout(
  pair: Pair<Target>,
  tools: LayoutTools,
): Promise<boolean> {
  const note = findLayoutNote(pair);
  if (note === undefined) return false;
  for (const { role, value: { file, path } } of membersOf(pair)) {
    if (lstatIfExists(file) !== undefined) continue;
    throw new RekeyError(
      "install",
      `an interrupted change of the layout of ${pair.certificate.path} has to be finished first, and ${path} is not there: is a file system not mounted?`,
      {
        hint:
          `mount it and run the command again; if it was removed, it can be copied from ${
            unpin(currentFile(note.versions, role))
          }`,
      },
    );
  }
  await carryOut(pair, note, tools);
  return true;
}

/**
 * Refuses a pair of which one name leads to a version, and nothing is under the
 * other one: nothing may be concluded from what is not there.
 *
 * @throws {RekeyError} kind `install`
 */
export function requireMounted({ certificate, key }: Pair<Target>): void {
  if (key === undefined) return;
  for (
    const [one, other] of [[certificate, key], [key, certificate]] as const
  ) {
    if (one.version === undefined) continue;
    if (lstatIfExists(other.file) !== undefined) continue;
    throw new RekeyError(
      "install",
      `${other.path} is not there, and ${one.path} is a link to a version of its pair: is a file system not mounted?`,
      {
        hint:
          `mount it and run the command again; nothing was changed. ${one.path} leads to ${
            Deno.readLinkSync(one.file)
          }`,
      },
    );
  }
}

/**
 * Removes versions that never came into force, and links to them: what a killed
 * process left. They harm nobody, so what cannot be removed stays.
 *
 * @returns whether a link is gone
 */
export async function removeUnfinishedVersions(
  pair: Pair<Target>,
  hidden: HiddenKeys,
): Promise<boolean> {
  const versions = versionsOf(pair.certificate);
  const links = membersOf(pair).map(({ value }) => value)
    .filter(({ version }) => version?.directory === versions.directory);
  const isDone = await bestEffortOf(() =>
    removeUnfinished(versions, { hidden, links })
  );
  // One that a killed root could not give away yet: it is empty.
  if (!isDone) bestEffort(() => Deno.removeSync(versions.directory));
  return links.some(({ file }) => lstatIfExists(file) === undefined);
}

async function carryOut(
  pair: Pair<Target>,
  { layout, versions }: LayoutNote,
  { hidden, warn }: LayoutTools,
): Promise<void> {
  if (layout === "versioned") makeVersioned(pair);
  else await makePlain(pair, versions, hidden);
  clearLayoutNote(pair.certificate, warn);
}

function makeVersioned(pair: Pair<Target>): void {
  const { certificate } = pair;
  if (layoutOf(pair) === "versioned") return;
  ensureVersions(certificate);
  const versions = versionsOf(certificate);
  const current = currentVersion(versions);
  if (
    current !== undefined &&
    membersOf(pair).every((each) => isInForce(each, versions.directory))
  ) {
    // Once more: whoever did it may have been told that it is not on the disk.
    switchTo(versions, current);
  } else {
    using staged = new StagedVersion(versions);
    for (const { role, value: target } of membersOf(pair)) {
      takeContent(target, inDirectory(staged.directory, VERSION_FILES[role]));
    }
    staged.put();
  }
  for (const { role, value: target } of membersOf(pair)) {
    replace(target, (name) => {
      symlink(linkText(role, target, certificate), name, target.path);
    });
  }
}

/** Whether the version in force has the content of a name, as it has half-way. */
function isInForce(
  { role, value: { file, path } }: Member<Target>,
  versions: string,
): boolean {
  const [shown, current] = [file, currentFile(versions, role)].map((name) =>
    diskCall("read", path, () => readBehind(name))
  );
  return shown instanceof Uint8Array && current instanceof Uint8Array &&
    equalBytes(shown, current);
}

async function makePlain(
  pair: Pair<Target>,
  versions: string,
  hidden: HiddenKeys,
): Promise<void> {
  for (const { role, value: target } of membersOf(pair)) {
    const { file, path, version } = target;
    if (version !== undefined) {
      replace(target, (name) => takeContent(target, name));
    } else if (isInForce({ role, value: target }, versions)) {
      // Written anew: it may be a second name of what was not synced.
      replace(target, (name) => {
        if (!copyFile(target, file, name)) throw gone(path);
      });
    }
  }
  await discardVersions(pair, versions, hidden);
}

/** Gives the content behind a target another name, with its owner and mode. */
function takeContent(target: Target, to: string): void {
  const { path } = target;
  const from = diskCall("open", path, () => Deno.realPathSync(target.file));
  if (!duplicateAnywhere(target, from, to)) throw gone(path);
}

function gone(path: string): RekeyError {
  return new RekeyError("install", `open ${path} failed: it is gone`);
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
