/**
 * One process per pair, by kernel locks that die with their holder: all locks of
 * a pair or none, at once or after a wait. target_lock.ts has one lock.
 */
import { RekeyError } from "../../base/errors.ts";
import type { Clock } from "../../base/runtime.ts";
import { lstatIfExists } from "../disk/disk.ts";
import { holdPins } from "../disk/pinned.ts";
import { findStandIn } from "../disk/stand_in.ts";
import { CURRENT, inDirectory, type Target } from "../disk/target.ts";
import { mapPair, membersOf, type Pair, resolvePair } from "../transaction.ts";
import { isLocked } from "./lock_file.ts";
import { busy, lockTarget, MAX_TRIES, type TargetLock } from "./target_lock.ts";

export interface LockOptions {
  /** Longest wait for a busy pair; 0: none. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /**
   * Whether files may be overwritten in place. Then they are locked themselves
   * as well: one file may be mounted under several names, each with a lock file
   * of its own.
   */
  readonly inPlace?: boolean | undefined;
  /** Folders of which one stands in for a folder that cannot be written. */
  readonly stateFolders?: readonly string[] | undefined;
}

/** The locks of a pair, and what they are the locks of. */
export interface PairLock extends Disposable {
  /** Where the names lead, as it was found under the locks. */
  readonly targets: Pair<Target>;
  /** With the folder that stands in, where one does. */
  at(target: Target): Target;
  /** Why nothing may be changed; undefined when it may. */
  refusal(pair: Pair<Target>): RekeyError | undefined;
}

/**
 * Takes the lock of every target. Disposing releases them and removes their
 * files; so does the end of the process, but for the files.
 *
 * @throws {RekeyError} kind `busy` when another process holds one, at once or
 *   at the end of the wait; kind `install` when a directory is missing;
 *   what `options.signal` aborts with
 */
export async function lockPair(
  files: Pair<string>,
  options?: LockOptions,
): Promise<PairLock> {
  // By what was slept: the clock may be set meanwhile.
  let leftMs = options?.timeoutMs ?? 0;
  for (let moves = 0;;) {
    try {
      // All of them or none: who waits holds nothing that somebody else waits for.
      using undo = new DisposableStack();
      undo.use(holdPins());
      const targets = lockedTargets(resolvePair(files));
      const held = {
        inPlace: options?.inPlace === true,
        identities: new Set<string>(),
        stateFolders: options?.stateFolders ?? [],
      };
      const locks = targets.map((target) => undo.use(lockTarget(target, held)));
      // Whoever had the lock before may have changed where the names lead.
      const found = resolvePair(files);
      if (isSameList(targets, lockedTargets(found))) {
        return pairLock(found, locks, undo.move());
      }
      if (++moves > MAX_TRIES) throw busy({ path: files.certificate });
    } catch (error) {
      if (!(error instanceof RekeyError) || error.kind !== "busy") throw error;
      if (options === undefined || leftMs <= 0) throw error;
      // A kernel lock that is waited for could not be given up on a signal.
      await options.clock.sleep(Math.min(leftMs, RETRY_MS), options.signal);
      leftMs -= RETRY_MS;
      options.signal.throwIfAborted();
    }
  }
}

function pairLock(
  found: Pair<Target>,
  locks: readonly TargetLock[],
  all: Disposable,
): PairLock {
  const find = (file: string) =>
    locks.find(({ target }) => target.file === file);
  const at = (target: Target): Target => {
    const { directory, standsIn } = find(target.file)?.target ?? target;
    return { ...target, directory, standsIn };
  };
  return {
    at,
    targets: mapPair(found, at),
    refusal: (pair) =>
      membersOf(pair)
        // A link to a version stays; its directory is what changes.
        .map(({ value: { file, version } }) =>
          version && find(inDirectory(version.directory, CURRENT)) || find(file)
        )
        .find((lock) => lock?.refusal !== undefined)?.refusal,
    [Symbol.dispose]: () => all[Symbol.dispose](),
  };
}

/** Whether another process works on a pair just now. Changes nothing, and waits for nothing. */
export function isPairLocked(
  files: Pair<string>,
  stateFolders: readonly string[],
): boolean {
  return lockedTargets(resolvePair(files)).some((target) =>
    isLocked(target) || isLocked(findStandIn(target, stateFolders) ?? target)
  );
}

/** In one order for everybody, and each file once. */
function lockedTargets(pair: Pair<Target>): readonly Target[] {
  return membersOf(pair)
    .flatMap(({ value }) => withVersions(value))
    .sort((left, right) => left.file < right.file ? -1 : 1)
    .filter(({ file }, index, all) => file !== all[index - 1]?.file);
}

/** Two names may be links to the versions of one pair. */
function withVersions(target: Target): readonly Target[] {
  const { path, version } = target;
  if (version === undefined) return [target];
  if (lstatIfExists(version.directory) === undefined) return [target];
  const { directory } = version;
  const file = inDirectory(directory, CURRENT);
  return [target, { path, directory, name: CURRENT, file }];
}

function isSameList(one: readonly Target[], other: readonly Target[]): boolean {
  return one.length === other.length &&
    one.every(({ file }, index) => file === other[index]?.file);
}

/** Longest time from the release of a lock to the next try for it. */
const RETRY_MS = 100;
