/**
 * A folder that stands in for one that cannot be written.
 *
 * Where a file may be written but not its folder, it is overwritten in place,
 * and its hidden files have to be somewhere else: in a folder of who runs us,
 * which he alone can read and which the next run finds again by the name of the
 * folder that it stands in for.
 */
import { isOsError, osReason, retryInterrupted } from "../../base/os_error.ts";
import { isOursAlone, ownUid, permissions } from "./attributes.ts";
import { lstatIfExists, syncDirectory } from "./disk.ts";
import type { Format } from "./format.ts";
import { fittingName } from "./hidden_names.ts";
import { inDirectory, type Target } from "./target.ts";

/** What a file `format` in a folder that stands in says; there is none in version 1. */
export const STAND_IN_FORMAT: Format = {
  name: "step-rekey state of a folder",
  version: 1,
};

/** The target with its stand-in, or why there is none. */
export interface StandIn {
  readonly target?: Target | undefined;
  /** What is wrong with each folder; undefined where none would help. */
  readonly failures?: readonly string[] | undefined;
}

/**
 * Finds the folder that stands in, or makes it: one that was used before, else
 * the first that can be had.
 *
 * @param folders where it may be, best first
 */
export function standIn(target: Target, folders: readonly string[]): StandIn {
  if (!canOverwrite(target)) return {};
  const found = findStandIn(target, folders);
  if (found !== undefined) return { target: found };
  const failures: string[] = [];
  for (const folder of folders) {
    try {
      return { target: make(target, folder) };
    } catch (error) {
      if (!isOsError(error) && !(error instanceof UnsafeFolder)) throw error;
      const reason = error instanceof UnsafeFolder
        ? error.message
        : osReason(error);
      failures.push(`${folder}: ${reason}`);
    }
  }
  return { failures };
}

/** The one that was used before, if any. */
export function findStandIn(
  target: Target,
  folders: readonly string[],
): Target | undefined {
  for (const folder of folders) {
    try {
      const place = placeIn(folder, target);
      if (lstatIfExists(place) === undefined) continue;
      requirePrivate(place);
      return stand(target, place);
    } catch (error) {
      if (!isOsError(error) && !(error instanceof UnsafeFolder)) throw error;
    }
  }
  return undefined;
}

/** Opens it as the overwriting will, and changes nothing. */
function canOverwrite({ file, version }: Target): boolean {
  // What a link to a version is changed by is its directory.
  if (version !== undefined || lstatIfExists(file)?.isFile !== true) {
    return false;
  }
  try {
    retryInterrupted(() => Deno.openSync(file, { write: true })).close();
    return true;
  } catch (error) {
    if (isOsError(error)) return false;
    throw error;
  }
}

function placeIn(folder: string, { directory }: Target): string {
  return inDirectory(folder, fittingName(encodeURIComponent(directory)));
}

function make(target: Target, folder: string): Target {
  const place = placeIn(folder, target);
  Deno.mkdirSync(folder, { recursive: true, mode: 0o700 });
  if (lstatIfExists(place) === undefined) {
    Deno.mkdirSync(place, { mode: 0o700 });
    syncDirectory({ directory: folder, path: target.path });
  }
  requirePrivate(place);
  return stand(target, place);
}

/** Somebody else could read a key there, or put a journal there. */
function requirePrivate(place: string): void {
  const directory = Deno.realPathSync(place);
  const info = Deno.lstatSync(place);
  if (!info.isDirectory) throw new UnsafeFolder(`${place} is not a directory`);
  const isPrivate = info.uid === ownUid() && (permissions(info) & 0o077) === 0;
  if (!isPrivate) throw new UnsafeFolder(`${directory} is open to others`);
  if (isOursAlone(directory)) return;
  throw new UnsafeFolder("another user can replace it");
}

class UnsafeFolder extends Error {}

function stand(target: Target, place: string): Target {
  const directory = Deno.realPathSync(place);
  return { ...target, directory, standsIn: target.directory };
}
