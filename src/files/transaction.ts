/**
 * What an install is, whichever way the files are replaced.
 *
 * A pair of anything (paths, targets, contents) has one type and one way to
 * visit its members: key first, since nobody looks for a key before there is a
 * certificate. The certificate always comes last, because it stands for the
 * install: the journal and the versions carry its name.
 */
import type { WriteOptions } from "../base/options.ts";
import type { Hint } from "../base/remedy.ts";
import {
  eachDirectory,
  type ShownDirectory,
  syncDirectory,
  SyncError,
} from "./disk/disk.ts";
import { requireOwnName } from "./disk/hidden_names.ts";
import { unpin } from "./disk/pinned.ts";
import { resolveTarget, type Role, type Target } from "./disk/target.ts";

export type { Role };

/** One value for each file; `key` is absent where only a certificate is written. */
export interface Pair<T> {
  readonly certificate: T;
  readonly key?: T | undefined;
}

export interface Member<T> {
  readonly role: Role;
  readonly value: T;
}

/** The values of a pair in the order in which its files are replaced. */
export function membersOf<T>({ key, certificate }: Pair<T>): Member<T>[] {
  const last: Member<T> = { role: "certificate", value: certificate };
  return key === undefined ? [last] : [{ role: "key", value: key }, last];
}

/** The pair of what `change` makes of each value. */
export function mapPair<T, U>(
  { certificate, key }: Pair<T>,
  change: (value: T, role: Role) => U,
): Pair<U> {
  return {
    certificate: change(certificate, "certificate"),
    key: key === undefined ? undefined : change(key, "key"),
  };
}

/**
 * The files that the names lead to, links followed.
 *
 * @throws {RekeyError} kind `install`; kind `usage` for a name of ours
 */
export function resolvePair(files: Pair<string>): Pair<Target> {
  return mapPair(files, (path) => {
    requireOwnName(path);
    const target = resolveTarget(path);
    requireOwnName(target.file);
    return target;
  });
}

/** How a pair stands on disk: two files, or links to numbered versions. */
export type Layout = "plain" | "versioned";

export interface InstallOptions extends Partial<WriteOptions> {
  /** The file of the key that the new certificate will belong to, unless it is written. */
  readonly givenKeyFile?: string | undefined;
  /** Gives up waiting for the disk, as long as nothing is decided. */
  readonly signal?: AbortSignal | undefined;
}

/** What each file will hold. Of every file that was prepared, and no other. */
export type InstallContents = Readonly<
  Partial<Record<Role, Uint8Array<ArrayBuffer> | undefined>>
>;

/** What a person should know about a target. */
export interface InstallWarning {
  readonly message: string;
  /** What to do, behind the message on its line. */
  readonly advice?: Hint | undefined;
  /** The same, on a line of its own. */
  readonly hint?: Hint | undefined;
}

export type Warn = (warning: InstallWarning) => void;

/**
 * Makes the last changes of names durable, after all that matters is: where
 * that fails, a power cut may bring back a hidden file, for the next run to
 * remove.
 */
export function syncTidied(
  places: readonly ShownDirectory[],
  warn: Warn,
): void {
  for (const place of eachDirectory(places)) {
    try {
      syncDirectory(place);
    } catch (error) {
      if (!(error instanceof SyncError)) throw error;
      warn({
        message:
          `${error.message}; all is done, but after a power cut hidden files may be in ${
            unpin(place.directory)
          } again`,
      });
    }
  }
}

/** A prepared swap. Disposing it without a commit leaves no trace. */
export interface InstallTransaction extends Disposable {
  readonly warnings: readonly InstallWarning[];
  /**
   * Waits until the disk has what was prepared, for some file systems find out
   * only then that there is no space. Other work may go on meanwhile; the CA is
   * asked afterwards.
   *
   * @throws {RekeyError} kind `install`; the reason of the signal
   */
  settle(): Promise<void>;
  /**
   * Writes and swaps. Not interruptible. Refuses when somebody else has changed
   * a file since the pair was opened.
   *
   * @param serial of the new certificate, for what is said when it is dropped
   * @returns what a person should know about the install
   * @throws {RekeyError} kind `install`; the old pair is then intact, or, when
   *   the message says that it could not be put back, will be after the next
   *   repair
   */
  commit(
    contents: InstallContents,
    serial?: string,
  ): Promise<readonly InstallWarning[]>;
}

export type Recovery =
  | { readonly kind: "none" }
  /** An interrupted swap was finished (`new`) or undone (`old`). */
  | { readonly kind: "finished" | "undone" }
  /** An interrupted change of the layout was finished. */
  | { readonly kind: "layout changed" }
  /** Somebody else replaced a file since: left alone, journal dropped. */
  | {
    readonly kind: "foreign";
    readonly file: string;
    /** Where the old private key was kept, when it is nowhere else. */
    readonly savedKey?: string | undefined;
  };
