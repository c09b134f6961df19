/**
 * That all that stands hidden beside a pair is of a version that this program
 * understands. Asked before anything is repaired, or concluded: what a later
 * program left is left alone, and so is all that it may need.
 */
import { bestEffort } from "../base/os_error.ts";
import { readIfExists, sortedNames } from "./disk/disk.ts";
import { type Format, newerFormat, versionIn } from "./disk/format.ts";
import {
  isHiddenName,
  journalPath,
  layoutNotePath,
} from "./disk/hidden_names.ts";
import { unpin } from "./disk/pinned.ts";
import { findStandIn, STAND_IN_FORMAT } from "./disk/stand_in.ts";
import { inDirectory, type Target } from "./disk/target.ts";
import { JOURNAL_FORMAT } from "./plain/journal.ts";
import { RELOAD_FORMAT } from "./reload_note/note.ts";
import { membersOf, type Pair } from "./transaction.ts";
import { LAYOUT_FORMAT } from "./versioned/layout_note.ts";
import { VERSIONS_FORMAT, versionsOf } from "./versioned/versions.ts";

/** A file that has a version, if it is there. */
interface Versioned {
  readonly file: string;
  readonly format: Format;
}

/**
 * Refuses a pair of which a hidden file is of a later version. Changes nothing.
 *
 * @throws {RekeyError} kind `install`, naming that file
 */
export function requireKnownFormats(
  pair: Pair<Target>,
  stateFolders: readonly string[],
): void {
  const { certificate } = pair;
  const versions = versionsOf(certificate).directory;
  const found: readonly Versioned[] = [
    ...placesOf(certificate, stateFolders).flatMap(notesOf),
    marker(versions, VERSIONS_FORMAT),
    ...membersOf(pair).flatMap(({ value }) =>
      placesOf(value, stateFolders).slice(1)
        .map(({ directory }) => marker(directory, STAND_IN_FORMAT))
    ),
  ];
  for (const { file, format } of found) {
    const version = versionIn(textOf(file), format) ?? 0;
    if (version <= format.version) continue;
    const { path } = certificate;
    throw newerFormat(path, { file: unpin(file), version, format });
  }
}

/** Where the hidden files of a target may be: beside it, or where a folder stands in. */
function placesOf(
  target: Target,
  stateFolders: readonly string[],
): readonly Target[] {
  const { standsIn, ...place } = target;
  const own = { ...place, directory: standsIn ?? target.directory };
  const other = standsIn === undefined
    ? findStandIn(own, stateFolders)
    : target;
  return other === undefined ? [own] : [own, other];
}

function notesOf(place: Target): readonly Versioned[] {
  const { directory, name } = place;
  let names: readonly string[] = [];
  bestEffort(() => names = sortedNames(directory));
  return [
    { file: journalPath(place), format: JOURNAL_FORMAT },
    { file: layoutNotePath(place), format: LAYOUT_FORMAT },
    ...names.filter((entry) => isHiddenName(entry, name, ["reload"]))
      .map((entry) => ({
        file: inDirectory(directory, entry),
        format: RELOAD_FORMAT,
      })),
  ];
}

function marker(directory: string, format: Format): Versioned {
  return { file: inDirectory(directory, "format"), format };
}

/** Empty for what cannot be read: who needs it says so. */
function textOf(file: string): string {
  let content: ReturnType<typeof readIfExists>;
  bestEffort(() => content = readIfExists(file));
  return content instanceof Uint8Array ? new TextDecoder().decode(content) : "";
}
