/**
 * Installs a pair: both files or neither, also across a crash.
 *
 * Two names cannot be changed in one step, so a journal is the commit point:
 *
 * 1. Stage: the new files, complete and durable, under hidden names.
 * 2. Keep: a second, hidden name for each old file.
 * 3. Journal: renamed into force, durable. Until here a crash means the old
 *    pair, from here on the new one.
 * 4. Rename the key, then the certificate, and make both durable.
 * 5. Remove the second names, then the journal.
 *
 * What a crash leaves is finished or undone by `recoverInstall`, and so is
 * every failure of a step: there is one way back. No step relies on a name that
 * is not durable yet: whichever of the names touched last the power takes away,
 * either all new or all old contents are still reachable.
 */
import { RekeyError } from "../base/errors.ts";
import { isOsError } from "../base/os_error.ts";
import { lstatIfExists } from "./disk/disk.ts";
import { journalName, layoutNoteName } from "./disk/hidden_names.ts";
import {
  changeLayout,
  type Layout,
  layoutOf,
  mixedLayouts,
  removeUnfinishedVersions,
  resumeLayout,
} from "./versioned/layout.ts";
import { PreparedInstall, type PrepareOptions } from "./plain/plain_install.ts";
import {
  type PairTargets,
  recoverTargets,
  type Recovery,
} from "./plain/recovery.ts";
import { inDirectory, resolveTarget } from "./disk/target.ts";
import { VersionedInstall } from "./versioned/versioned_install.ts";

export type { Recovery } from "./plain/recovery.ts";

/** The files that a pass writes; `key` is absent when only the certificate is. */
export interface InstallTargets {
  readonly certificate: string;
  readonly key?: string | undefined;
}

/** How the targets are written. */
export interface InstallOptions extends PrepareOptions {
  /** Undefined: as the pair is now. */
  readonly layout?: Layout | undefined;
  /** The file of the key that the new certificate will belong to, unless it is written. */
  readonly givenKey?: string | undefined;
}

/** Text for each target. */
export interface InstallContents {
  readonly certificate: string;
  /** Present exactly when the targets name a key. Encrypted where it has to be. */
  readonly key?: string | undefined;
}

/** A prepared swap. Disposing it without a commit leaves no trace. */
export interface InstallTransaction extends AsyncDisposable {
  /** What a person should know about the targets (a key that others can read). */
  readonly warnings: readonly string[];
  /** The layout that the pair was moved into, when that was asked for. */
  readonly changedLayout?: Layout | undefined;
  /**
   * Writes, journals and renames. Not interruptible.
   *
   * @throws {RekeyError} kind `install`; the old pair is then intact, or, when
   *   the message says that it could not be put back, will be after the next
   *   `recoverInstall`
   */
  commit(contents: InstallContents): Promise<void>;
}

/**
 * Proves, before the CA is asked, that the targets can be replaced: stages
 * files of their size beside them, with the owner that they will have. Call it
 * under the lock.
 *
 * Where another layout is wanted, it is changed here; the contents stay.
 *
 * @throws {RekeyError} kind `install`, naming the file and the way out
 */
export async function prepareInstall(
  targets: InstallTargets,
  options: InstallOptions = {},
): Promise<InstallTransaction> {
  const pair = resolvePair(targets);
  const present = layoutOf(pair);
  const layout = options.layout ?? present;
  if (present === "mixed" || layout === "mixed") throw mixedLayouts(pair);
  if (layout === present || isNew(pair)) {
    return prepareAs(layout, pair, options);
  }
  refuseImpossible(layout, pair, options);
  changeLayout(pair, layout);
  const install = await prepareAs(layout, resolvePair(targets), options);
  return Object.assign(install, { changedLayout: layout });
}

function prepareAs(
  layout: Layout,
  pair: PairTargets,
  options: InstallOptions,
): Promise<InstallTransaction> {
  refuseImpossible(layout, pair, options);
  if (layout === "plain") return PreparedInstall.prepare(pair, options);
  return VersionedInstall.prepare(pair, options);
}

/**
 * Finishes or undoes an interrupted install, and removes what a killed process
 * left beside the targets. Idempotent. Call it under the lock.
 *
 * @throws {RekeyError} kind `install` when the repair itself cannot be written,
 *   or when the journal found is not one that this version may act on
 */
export async function recoverInstall(
  targets: InstallTargets,
): Promise<Recovery> {
  const pair = resolvePair(targets);
  const recovery = await recoverTargets(pair);
  const isResumed = resumeLayout(pair);
  // Looked at again: what was a link may be a file by now.
  removeUnfinishedVersions(isResumed ? resolvePair(targets) : pair);
  return isResumed ? { kind: "layout changed" } : recovery;
}

/**
 * Whether something was begun beside this certificate and not ended. Says no
 * for what cannot be looked at: whoever reads the pair says why.
 */
export function isPending({ certificate }: InstallTargets): boolean {
  if (certificate === STANDARD_INPUT) return false;
  try {
    const { directory, name } = resolveTarget(certificate);
    return [journalName(name), layoutNoteName(name)].some((note) =>
      lstatIfExists(inDirectory(directory, note)) !== undefined
    );
  } catch (error) {
    if (error instanceof RekeyError || isOsError(error)) return false;
    throw error;
  }
}

const STANDARD_INPUT = "-";

/**
 * Changes how a pair that is there stands on disk; its contents stay. Call it
 * under the lock, after `recoverInstall`.
 *
 * @returns whether there was anything to change
 * @throws {RekeyError} kind `install`
 */
export function changePairLayout(
  targets: Required<InstallTargets>,
  layout: Layout,
): boolean {
  const pair = resolvePair(targets);
  if (layoutOf(pair) === layout) return false;
  changeLayout(pair, layout);
  return true;
}

/** The targets, links followed. */
export function resolvePair({ certificate, key }: InstallTargets): PairTargets {
  return {
    certificate: resolveTarget(certificate),
    key: key === undefined ? undefined : resolveTarget(key),
  };
}

function isNew({ certificate, key }: PairTargets): boolean {
  return [certificate, key].every((target) =>
    target === undefined || lstatIfExists(target.file) === undefined
  );
}

/** What no change of the layout makes possible. */
function refuseImpossible(
  layout: Layout,
  { certificate, key }: PairTargets,
  { inPlace, givenKey }: InstallOptions,
): void {
  if (layout === "plain") return;
  const { path, version } = certificate;
  if (inPlace === true) {
    throw new RekeyError(
      "install",
      `cannot overwrite ${path} in place: it is a link to a version`,
      { hint: "leave --in-place out, or use --layout plain as well" },
    );
  }
  if (key !== undefined) return;
  const given = givenKey === undefined
    ? undefined
    : resolveTarget(givenKey).version?.directory;
  if (version !== undefined && given === version.directory) return;
  throw new RekeyError(
    "install",
    `the versioned layout keeps the key beside the certificate ${path}, and the new one would have its key elsewhere`,
    { hint: "name the file for the key with --out-key" },
  );
}
