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
import { PreparedInstall, type PrepareOptions } from "./prepared_install.ts";
import { type PairTargets, recoverTargets, type Recovery } from "./recovery.ts";
import { resolveTarget } from "./target.ts";

export type { Recovery } from "./recovery.ts";

/** The files that a pass writes; `key` is absent when only the certificate is. */
export interface InstallTargets {
  readonly certificate: string;
  readonly key?: string | undefined;
}

/** How the targets are written. */
export type InstallOptions = PrepareOptions;

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
 * @throws {RekeyError} kind `install`, naming the file and the way out
 */
// deno-lint-ignore require-await -- a failure is a rejection, not an exception
export async function prepareInstall(
  targets: InstallTargets,
  options: InstallOptions = {},
): Promise<InstallTransaction> {
  return PreparedInstall.prepare(resolvePair(targets), options);
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
  return await recoverTargets(resolvePair(targets));
}

function resolvePair({ certificate, key }: InstallTargets): PairTargets {
  return {
    certificate: resolveTarget(certificate),
    key: key === undefined ? undefined : resolveTarget(key),
  };
}
