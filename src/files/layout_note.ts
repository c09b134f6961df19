/**
 * The note that a change of layout has begun, and not ended.
 *
 * Each step of a change leaves the contents behind both names as they were, so
 * the note is no journal: it only says what has to be done again.
 */
import { StagedFile } from "./atomic_file.ts";
import {
  diskCall,
  lstatIfExists,
  readIfExists,
  removeIfExists,
  syncDirectories,
} from "./disk.ts";
import { layoutNoteName, randomTag } from "./hidden_names.ts";
import { requireTrustworthy, unusable } from "./journal_file.ts";
import type { PairTargets } from "./recovery.ts";
import { inDirectory, type Target } from "./target.ts";

/** How a pair stands on disk: two files, or links to numbered versions. */
export type Layout = "plain" | "versioned";

/**
 * Writes the note, durably.
 *
 * @throws {RekeyError} kind `install`
 */
export function noteLayout(
  { certificate, key }: PairTargets,
  layout: Layout,
): void {
  const text = `${layout}\n${key?.file ?? ""}\n`;
  using note = StagedFile.create(certificate, {
    kind: "journal",
    tag: randomTag(),
    reserveBytes: text.length,
  });
  note.write(new TextEncoder().encode(text));
  note.renameTo(layoutNoteName(certificate.name));
  syncDirectories([certificate]);
}

/**
 * The layout that a change was on its way to; undefined when there was none.
 *
 * @throws {RekeyError} kind `install` for a note that must not be acted on
 */
export function findLayoutNote(
  { certificate, key }: PairTargets,
): Layout | undefined {
  const file = noteFile(certificate);
  const info = diskCall("open", certificate.path, () => lstatIfExists(file));
  if (info === undefined) return undefined;
  requireTrustworthy(info, certificate, file);
  const content = diskCall("read", certificate.path, () => readIfExists(file));
  const text = content instanceof Uint8Array
    ? new TextDecoder().decode(content)
    : "";
  const [layout, keyFile] = text.split("\n");
  if (layout !== "plain" && layout !== "versioned") {
    throw unusable(certificate, {
      what: `cannot be ruled out: ${file} is not a note of step-rekey`,
      hint: "move that file away",
    });
  }
  if (keyFile === key?.file) return layout;
  throw unusable(certificate, {
    what: `has to be repaired first, and it includes ${keyFile}`,
    hint: "run the command once with that file as key",
  });
}

/**
 * Removes the note.
 *
 * @throws {RekeyError} kind `install`
 */
export function clearLayoutNote(certificate: Target): void {
  diskCall(
    "tidy up after",
    certificate.path,
    () => removeIfExists(noteFile(certificate)),
  );
  syncDirectories([certificate]);
}

function noteFile({ directory, name }: Target): string {
  return inDirectory(directory, layoutNoteName(name));
}
