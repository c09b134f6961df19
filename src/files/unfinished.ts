/**
 * What was begun with a pair and not ended: where it may be, and who ends it.
 */
import { STANDARD_INPUT } from "../base/paths.ts";
import { RekeyError } from "../base/errors.ts";
import { isOsError } from "../base/os_error.ts";
import { lstatIfExists } from "./disk/disk.ts";
import { journalPath, layoutNotePath } from "./disk/hidden_names.ts";
import { findStandIn } from "./disk/stand_in.ts";
import { resolveTarget, type Target } from "./disk/target.ts";
import { unusable } from "./plain/journal_file.ts";
import { recoverInstall } from "./plain/recovery.ts";
import { mapPair, type Pair, type Recovery } from "./transaction.ts";

/** Ends what was interrupted when the folder could not be written yet. */
export async function recoverStandIn(
  targets: Pair<Target>,
  stateFolders: readonly string[],
  tools: Parameters<typeof recoverInstall>[1],
): Promise<Recovery | undefined> {
  const standing = mapPair(
    targets,
    (target) => findStandIn(target, stateFolders) ?? target,
  );
  const { certificate } = standing;
  const isOther = targets.certificate.standsIn === undefined &&
    certificate.standsIn !== undefined;
  return isOther && isBegun(certificate)
    ? await recoverInstall(standing, tools)
    : undefined;
}

/**
 * Whether something was begun beside this certificate and not ended. Says no
 * for what cannot be looked at: whoever reads the pair says why.
 */
export function isInterrupted(
  certificateFile: string,
  stateFolders: readonly string[],
): boolean {
  if (certificateFile === STANDARD_INPUT) return false;
  try {
    const target = resolveTarget(certificateFile);
    const standing = findStandIn(target, stateFolders);
    return isBegun(target) || standing !== undefined && isBegun(standing);
  } catch (error) {
    if (error instanceof RekeyError || isOsError(error)) return false;
    throw error;
  }
}

/** Whether a journal or a note of a layout is beside a certificate. */
export function isBegun(
  certificate: Pick<Target, "directory" | "name">,
): boolean {
  return [journalPath(certificate), layoutNotePath(certificate)]
    .some((note) => lstatIfExists(note) !== undefined);
}

/**
 * Only who may write the folder can end what was begun there.
 *
 * @throws {RekeyError} kind `install`
 */
export function refuseForeignRepair(
  { name, path }: Target,
  directory: string,
): void {
  if (!isBegun({ directory, name })) return;
  throw unusable({ path }, {
    what: `has to be repaired first, in ${directory}, which cannot be written`,
    hint: "run the command once as the owner of the folder or as root",
  });
}
