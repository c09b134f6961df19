/**
 * The note that a change of layout has begun, and not ended.
 *
 * Each step of a change leaves the contents behind both names as they were, so
 * the note is no journal: it only says what has to be done again.
 */
import { StagedFile } from "../disk/staged_file.ts";
import {
  diskCall,
  lstatIfExists,
  readIfExists,
  removeIfExists,
  syncDirectories,
} from "../disk/disk.ts";
import { layoutNoteName, randomTag } from "../disk/hidden_names.ts";
import { requireTrustworthy, unusable } from "../plain/journal_file.ts";
import type { PairTargets } from "../plain/recovery.ts";
import { inDirectory, type Target } from "../disk/target.ts";
import { versionsDirectory } from "./versions.ts";

/** How a pair stands on disk: two files, or links to numbered versions. */
export type Layout = "plain" | "versioned";

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
export function noteLayout(pair: PairTargets, layout: Layout): void {
  const { certificate, key } = pair;
  const versions = versionsDirectory(certificate);
  const lines = [layout, key?.file ?? "", versions].map((path) =>
    beside(certificate, path)
  );
  const text = lines.map((line) => `${line}\n`).join("");
  const bytes = new TextEncoder().encode(text);
  using note = StagedFile.create(certificate, {
    kind: "journal",
    tag: randomTag(),
    reserveBytes: bytes.length,
  });
  note.write(bytes);
  note.renameTo(layoutNoteName(certificate.name));
  syncDirectories([certificate]);
}

/** The bare name of what stands beside the certificate, so that its folder can be moved. */
function beside({ directory }: Target, path: string): string {
  const start = inDirectory(directory, "");
  const rest = path.startsWith(start) ? path.slice(start.length) : path;
  return rest.includes("/") ? path : rest;
}

/**
 * What a change was on its way to; undefined when there was none.
 *
 * @throws {RekeyError} kind `install` for a note that must not be acted on
 */
export function findLayoutNote(pair: PairTargets): LayoutNote | undefined {
  const { certificate, key } = pair;
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
  if (key === undefined || keyFile !== beside(certificate, key.file)) {
    throw unusable(certificate, {
      what: `has to be repaired first, and it includes ${keyFile}`,
      hint: "run the command once with that file as key",
    });
  }
  return {
    layout,
    versions: versions.includes("/")
      ? versions
      : inDirectory(certificate.directory, versions),
  };
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
