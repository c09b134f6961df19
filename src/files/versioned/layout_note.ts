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
import type { Format } from "../disk/format.ts";
import { layoutNotePath, randomTag } from "../disk/hidden_names.ts";
import { unpin } from "../disk/pinned.ts";
import { StagedFile } from "../disk/staged_file.ts";
import { relativeTo, resolveFrom, type Target } from "../disk/target.ts";
import {
  readRepairNote,
  type SealedKind,
  understand,
  unusable,
} from "../plain/journal_file.ts";
import { type Fields, formatSealed } from "../plain/sealed_note.ts";
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

/** What it says; paths as seen from its folder. */
interface LayoutBody {
  readonly layout: Layout;
  readonly key: string;
  readonly versions: string;
}

/** Version 1 had no first line of its own, and is read for ever. */
export const LAYOUT_FORMAT: Format = {
  name: "step-rekey change of layout",
  version: 2,
};

const NOTE: SealedKind<LayoutBody> = {
  format: LAYOUT_FORMAT,
  noun: "note",
  parse: parseBody,
};

function parseBody(body: object): LayoutBody | undefined {
  const { layout, key, versions }: Fields<LayoutBody> = body;
  const isKnown = layout === "plain" || layout === "versioned";
  if (!isKnown || typeof key !== "string") return undefined;
  if (typeof versions !== "string" || !versions.endsWith(".versions")) {
    return undefined;
  }
  return { layout, key, versions };
}

/** One of version 1: three lines. */
function parseFirst(text = ""): LayoutBody | undefined {
  const [layout, key, versions] = text.split("\n");
  return parseBody({ layout, key, versions });
}

/** Writes the note, durably. */
export function noteLayout(
  { certificate, key }: Pair<Target>,
  { layout, versions }: LayoutNote,
): void {
  const [keyFile = "", directory = ""] = [key?.file ?? "", versions].map((
    path,
  ) => relativeTo(certificate.directory, path));
  const body: LayoutBody = { layout, key: keyFile, versions: directory };
  const bytes = new TextEncoder().encode(formatSealed(LAYOUT_FORMAT, body));
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
  const said = parseFirst(note.text) ?? understand(certificate, note, NOTE);
  if (said === undefined) return undefined;
  const { layout, key: keyFile, versions } = said;
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
