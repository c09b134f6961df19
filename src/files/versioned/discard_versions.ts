/**
 * The end of versions that a change of layout has left behind.
 */
import { RekeyError } from "../../base/errors.ts";
import { bestEffort, bestEffortOf, osReason } from "../../base/os_error.ts";
import {
  diskCall,
  lstatIfExists,
  sortedNames,
  syncDirectory,
} from "../disk/disk.ts";
import { isHiddenName, temporaryPath } from "../disk/hidden_names.ts";
import { unpin } from "../disk/pinned.ts";
import { inDirectory, type Target } from "../disk/target.ts";
import type { HiddenKeys } from "../pair/hidden_keys.ts";
import type { Pair } from "../transaction.ts";

/**
 * Removes the versions, to which no name leads any more; unless one of them is
 * needed.
 */
export async function discardVersions(
  { certificate }: Pair<Target>,
  versions: string,
  hidden: HiddenKeys,
): Promise<void> {
  if (lstatIfExists(versions) === undefined) return;
  if (!await hidden.mayGo(versions)) return;
  // Not half of it, should somebody look.
  const discarded = temporaryPath(certificate, "old");
  diskCall(
    "remove the versions of",
    certificate.path,
    () => Deno.renameSync(versions, discarded),
  );
  // What stays is found by its name.
  await bestEffortOf(() => hidden.discard(discarded));
  syncDirectory(certificate);
}

/**
 * Proves that the keys of earlier versions went with the versions, but for what
 * `hidden` keeps. Asked last: the two names are plain files by then, whatever
 * the answer.
 *
 * @throws {RekeyError} kind `install`, naming where they still are
 */
export async function requireVersionsGone(
  { directory, name, path }: Target,
  hidden: HiddenKeys,
): Promise<void> {
  const names = diskCall("open", path, () => sortedNames(directory));
  for (const candidate of names) {
    if (!isHiddenName(candidate, name, ["old"])) continue;
    const discarded = inDirectory(directory, candidate);
    try {
      await hidden.discard(discarded);
    } catch (error) {
      let isEmpty = false;
      bestEffort(() => isEmpty = holdsOpenLocks(discarded));
      if (isEmpty) continue;
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

/**
 * Whether nothing is left but the lock that we have open: NFS and FUSE keep what
 * is open under a name of their own. It goes with us, and the directory with the
 * next run.
 */
function holdsOpenLocks(directory: string): boolean {
  return sortedNames(directory).every((name) =>
    /^\.(?:nfs|fuse_hidden)[0-9a-f]+$/.test(name) &&
    Deno.lstatSync(inDirectory(directory, name)).size === 0
  );
}
