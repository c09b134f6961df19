/**
 * What a pair looks like on disk, for who only looks: nothing is repaired, made
 * or removed, and a lock is tried only for the moment that this takes.
 *
 * So it may be another one when it is told.
 */
import { RekeyError } from "../base/errors.ts";
import type { WriteOptions } from "../base/options.ts";
import { bestEffort, isOsError } from "../base/os_error.ts";
import { procFile } from "../base/proc_file.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";
import { PRIVATE_MODE } from "./disk/attributes.ts";
import { lstatIfExists } from "./disk/disk.ts";
import { holdPins, unpin } from "./disk/pinned.ts";
import { findStandIn } from "./disk/stand_in.ts";
import type { Target } from "./disk/target.ts";
import { requireKnownFormats } from "./known_formats.ts";
import { isWriteRefused } from "./lock/lock_file.ts";
import { busy } from "./lock/target_lock.ts";
import { isPairLocked } from "./lock/pair_lock.ts";
import { mountPoint, requireRemovable } from "./plain/examine.ts";
import {
  type PeekedReload,
  peekPendingReload,
} from "./reload_note/pending_reload.ts";
import {
  type Layout,
  membersOf,
  type Pair,
  resolvePair,
} from "./transaction.ts";
import { isInterrupted } from "./unfinished.ts";
import {
  requireChangeable,
  requireVersionable,
} from "./versioned/changeable_layout.ts";
import { layoutOf, mixedLayouts } from "./versioned/layout.ts";
import {
  currentVersion,
  listVersions,
  versionsOf,
} from "./versioned/versions.ts";

/** How a pair stands. */
export interface PairState {
  /** One of its files is there. */
  readonly isThere: boolean;
  /** `mixed`: the two names do not belong together. */
  readonly layout: Layout | "mixed";
  /** The version in force; undefined for plain files. */
  readonly version: number | undefined;
  /** Those that are kept, the newest first. */
  readonly versions: readonly number[];
  /** An install, or a change of the layout, was begun and not ended. */
  readonly isInterrupted: boolean;
  /** Another process works on it. */
  readonly isLocked: boolean;
  /** What the service was not told yet. */
  readonly pendingReload: PeekedReload | undefined;
}

export interface LookOptions {
  /** The certificate that stands there; without it no reload is looked for. */
  readonly certificate?: Certificate | undefined;
  readonly stateFolders: readonly string[];
}

/**
 * Looks at a pair.
 *
 * @throws {RekeyError} kind `install` where its folder cannot be looked at, or
 *   where a later program left something
 */
export async function lookAtPair(
  files: Pair<string>,
  { certificate, stateFolders }: LookOptions,
): Promise<PairState> {
  using _pins = holdPins();
  const targets = resolvePair(files);
  requireKnownFormats(targets, stateFolders);
  const versions = versionsOf(targets.certificate);
  const isVersioned = targets.certificate.version !== undefined &&
    lstatIfExists(versions.directory)?.isDirectory === true;
  return {
    isThere: membersOf(targets).some(({ value }) =>
      lstatIfExists(value.file) !== undefined
    ),
    layout: layoutOf(targets),
    version: isVersioned ? currentVersion(versions) : undefined,
    versions: isVersioned ? listVersions(versions) : [],
    isInterrupted: isInterrupted(files.certificate, stateFolders),
    isLocked: isPairLocked(files, stateFolders),
    pendingReload: certificate === undefined
      ? undefined
      : await peekPendingReload(
        targets.certificate,
        () => Promise.resolve(certificate),
      ),
  };
}

/** Another process works on these files. */
export function busyPair(files: Pair<string>): RekeyError {
  return busy({ path: files.certificate });
}

/**
 * Refuses files that cannot be replaced, as far as that shows without a change:
 * what only a try tells (a full disk, an immutable file) is not seen.
 *
 * @throws {RekeyError} kind `install`
 */
export function requireReplaceable(
  files: Pair<string>,
  options: Pick<WriteOptions, "inPlace" | "layout" | "stateFolders"> & {
    readonly givenKeyFile?: string | undefined;
  },
): void {
  using _pins = holdPins();
  const targets = resolvePair(files);
  const present = layoutOf(targets);
  if (present === "mixed") throw mixedLayouts(targets);
  const { layout = present, inPlace, stateFolders } = options;
  const isNew = membersOf(targets).every(({ value }) =>
    lstatIfExists(value.file) === undefined
  );
  if (layout === "versioned") requireVersionable(targets, options);
  if (layout !== present && !isNew) {
    requireChangeable(targets, layout, { mayTry: false });
  }
  for (const { value } of membersOf(targets)) {
    requireWritable(value, { inPlace, stateFolders });
  }
}

function requireWritable(
  target: Target,
  { inPlace, stateFolders }: Pick<WriteOptions, "inPlace" | "stateFolders">,
): void {
  const { file, path, version } = target;
  const info = lstatIfExists(file);
  const directory = version?.directory ?? target.directory;
  if (info?.isDirectory) {
    throw new RekeyError("install", `open ${path} failed: is a directory`);
  }
  const canOverwrite = version === undefined && info?.isFile === true &&
    mayOverwrite(file);
  // A version that is to be made has its folder made first.
  if (mayMakeFiles(nearestDirectory(directory))) {
    if (info?.isFile !== true) return;
    if (inPlace && !canOverwrite) throw denied(path, file);
    if (inPlace) return;
    if (isMountPoint(file)) {
      throw mountPoint(target, { cause: undefined, allowsInPlace: true });
    }
    requireRemovable(target, info);
    return;
  }
  if (!canOverwrite) throw denied(path, directory);
  if (canStandIn(target, stateFolders)) return;
  throw denied(path, directory, { remedy: "name a state folder" });
}

/** Such as a single file that is mounted into a container. */
function isMountPoint(file: string): boolean {
  let table = "";
  bestEffort(() => table = procFile("self/mountinfo"));
  // proc(5): the fifth field, blanks and the like as octal numbers.
  return table.split("\n").some((line) =>
    line.split(" ")[4]?.replaceAll(
      /\\([0-7]{3})/g,
      (_, octal) => String.fromCharCode(parseInt(octal, 8)),
    ) === unpin(file)
  );
}

function denied(
  path: string,
  place: string,
  hint: RekeyError["hint"] = { remedy: "write elsewhere" },
): RekeyError {
  return new RekeyError(
    "install",
    `cannot replace ${path}: ${
      unpin(place)
    } cannot be written by uid ${Deno.uid()}`,
    { hint },
  );
}

function canStandIn(target: Target, stateFolders: readonly string[]): boolean {
  return findStandIn(target, stateFolders) !== undefined ||
    stateFolders.some((folder) => mayMakeFiles(nearestDirectory(folder)));
}

/** The folder itself, or the one in which it would be made. */
function nearestDirectory(folder: string): string {
  let path = folder;
  while (path !== "/" && !isDirectory(path)) {
    path = path.slice(0, Math.max(path.lastIndexOf("/"), 1));
  }
  return path;
}

function isDirectory(path: string): boolean {
  try {
    return Deno.statSync(path).isDirectory;
  } catch (error) {
    if (isOsError(error)) return false;
    throw error;
  }
}

/** Opens it as the overwriting will, and changes nothing. */
function mayOverwrite(file: string): boolean {
  try {
    Deno.openSync(file, { write: true }).close();
    return true;
  } catch (error) {
    if (isOsError(error)) return false;
    throw error;
  }
}

/** Of open(2) on Linux; node:fs has no name for it. */
const O_TMPFILE = 0o20000000;

/**
 * Whether files may be made in a folder: asked by a file that never has a name,
 * so that the folder stays as it is. True where the system does not tell.
 */
function mayMakeFiles(directory: string): boolean {
  if (Deno.build.os !== "linux") return true;
  const fs: typeof import("node:fs") = process.getBuiltinModule("node:fs");
  const { O_DIRECTORY, O_WRONLY } = fs.constants;
  const flags = O_TMPFILE | O_DIRECTORY | O_WRONLY;
  try {
    fs.closeSync(fs.openSync(directory, flags, PRIVATE_MODE));
    return true;
  } catch (error) {
    return !isWriteRefused(error);
  }
}
