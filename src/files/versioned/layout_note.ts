/**
 * The note that a change of layout has begun, and not ended.
 *
 * Each step of a change leaves the contents behind both names as they were, so
 * the note is no journal: it only says what has to be done again.
 */
import {
  diskCall,
  lstatIfExists,
  readIfExists,
  removeIfExists,
  syncDirectory,
} from "../disk/disk.ts";
import { layoutNoteName, randomTag } from "../disk/hidden_names.ts";
import { StagedFile } from "../disk/staged_file.ts";
import {
  inDirectory,
  relativeTo,
  resolveFrom,
  type Target,
} from "../disk/target.ts";
import { requireTrustworthy, unusable } from "../plain/journal_file.ts";
import type { Layout, Pair } from "../transaction.ts";

/** What a note says. */
export interface LayoutNote {
  readonly layout: Layout;
  /** Where the versions are, or will be. */
  readonly versions: string;
}

/**
 * Writes the note, durably.
 *
 * @throws {RekeyError} kind `install`
 */
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
  using note = StagedFile.create(certificate, {
    kind: "journal",
    tag: randomTag(),
    reserveBytes: bytes.length,
  });
  note.write(bytes);
  note.renameTo(layoutNoteName(certificate.name));
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
  const file = noteFile(certificate);
  const info = diskCall("open", certificate.path, () => lstatIfExists(file));
  if (info === undefined) return undefined;
  requireTrustworthy(info, certificate, file);
  const content = diskCall("read", certificate.path, () => readIfExists(file));
  const text = content instanceof Uint8Array
    ? new TextDecoder().decode(content)
    : "";
  const [layout, keyFile = "", versions = ""] = text.split("\n");
  if (
    (layout !== "plain" && layout !== "versioned") ||
    !/\.versions$/.test(versions)
  ) {
    throw unusable(certificate, {
      what: `cannot be ruled out: ${file} is not a note of step-rekey`,
      hint: "move that file away",
    });
  }
  if (key === undefined || keyFile !== relativeTo(directory, key.file)) {
    throw unusable(certificate, {
      what: `has to be repaired first, and it includes ${
        resolveFrom(directory, keyFile)
      }`,
      hint: "run the command once with that file as key",
    });
  }
  return { layout, versions: resolveFrom(directory, versions) };
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
  syncDirectory(certificate);
}

function noteFile({ directory, name }: Target): string {
  return inDirectory(directory, layoutNoteName(name));
}
