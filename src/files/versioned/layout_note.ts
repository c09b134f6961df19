/**
 * The note that a change of layout has begun, and not ended.
 *
 * Each step of a change leaves the contents behind both names as they were, so
 * the note is no journal: it only says what has to be done again.
 */
import {
  diskCall,
  lstatIfExists,
  removeIfExists,
  syncDirectory,
} from "../disk/disk.ts";
import { layoutNotePath, randomTag } from "../disk/hidden_names.ts";
import { unpin } from "../disk/pinned.ts";
import { StagedFile } from "../disk/staged_file.ts";
import { relativeTo, resolveFrom, type Target } from "../disk/target.ts";
import { readRepairNote, unusable } from "../plain/journal_file.ts";
import {
  type Layout,
  type Pair,
  syncTidied,
  type Warn,
} from "../transaction.ts";

export interface LayoutNote {
  readonly layout: Layout;
  /** Where the versions are, or will be. */
  readonly versions: string;
}

/** Writes the note, durably. */
export function noteLayout(
  { certificate, key }: Pair<Target>,
  { layout, versions }: LayoutNote,
): void {
  const [keyFile, directory] = [key?.file ?? "", versions].map((path) =>
    relativeTo(certificate.directory, path)
  );
  const bytes = new TextEncoder().encode(
    `${layout}\n${keyFile}\n${directory}\n`,
  );
  using note = new StagedFile(certificate, {
    kind: "journal",
    tag: randomTag(),
    reserveBytes: bytes.length,
  });
  note.write(bytes);
  note.renameTo(layoutNotePath(certificate));
  syncDirectory(certificate);
}

/**
 * What a change was on its way to; undefined when there was none.
 *
 * @throws {RekeyError} kind `install` for a note that must not be acted on
 */
export function findLayoutNote(
  { certificate, key }: Pair<Target>,
): LayoutNote | undefined {
  const { directory } = certificate;
  const note = readRepairNote(certificate, layoutNotePath(certificate));
  if (note === undefined) return undefined;
  const [layout, keyFile = "", versions = ""] = note.text?.split("\n") ?? [];
  const isKnown = layout === "plain" || layout === "versioned";
  if (!isKnown || !versions.endsWith(".versions")) {
    throw unusable(certificate, {
      what: `cannot be ruled out: ${
        unpin(note.file)
      } is not a note of step-rekey`,
      hint: "move that file away",
    });
  }
  const noted = resolveFrom(directory, keyFile);
  // The same folder may have another path by now; what is at neither place is
  // for the next step to refuse.
  const isNoted = key !== undefined && (key.file === noted ||
    noted.endsWith(`/${key.name}`) && lstatIfExists(noted) === undefined);
  if (!isNoted) {
    throw unusable(certificate, {
      what: `has to be repaired first, and it includes ${unpin(noted)}`,
      hint: "run the command once with that file as key",
    });
  }
  return { layout, versions: resolveFrom(directory, versions) };
}

export function clearLayoutNote(certificate: Target, warn: Warn): void {
  diskCall(
    "tidy up after",
    certificate.path,
    () => removeIfExists(layoutNotePath(certificate)),
  );
  syncTidied([certificate], warn);
}
