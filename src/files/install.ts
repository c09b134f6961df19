/**
 * Installs a pair: both files or neither, also across a crash.
 */

/** The files that a pass writes; `key` is absent when only the certificate is. */
export interface InstallTargets {
  readonly certificate: string;
  readonly key?: string | undefined;
}

/** Text for each target. */
export interface InstallContents {
  readonly certificate: string;
  /** Present exactly when the targets name a key. Encrypted where it has to be. */
  readonly key?: string | undefined;
}

/** A prepared swap. Disposing it without a commit leaves no trace. */
export interface InstallTransaction extends AsyncDisposable {
  /**
   * Writes, journals and renames. Not interruptible.
   *
   * @throws {RekeyError} kind `install`; the old pair is then intact
   */
  commit(contents: InstallContents): Promise<void>;
}

/**
 * Proves, before the CA is asked, that the targets can be replaced: stages
 * empty files beside them with the owner and mode they will have.
 *
 * @throws {RekeyError} kind `install`, naming the file and the way out
 */
export function prepareInstall(
  _targets: InstallTargets,
): Promise<InstallTransaction> {
  throw new Error("contract only");
}

/** What a repair found. */
export type Recovery =
  /** Nothing was pending. */
  | { readonly kind: "none" }
  /** An interrupted swap was finished (`new`) or undone (`old`). */
  | { readonly kind: "finished" | "undone" }
  /** Somebody else replaced a file since: left alone, journal dropped. */
  | { readonly kind: "foreign"; readonly file: string };

/**
 * Finishes or undoes an interrupted install. Call it under the lock.
 *
 * @throws {RekeyError} kind `install` when the repair itself cannot be written
 */
export function recoverInstall(_targets: InstallTargets): Promise<Recovery> {
  throw new Error("contract only");
}
