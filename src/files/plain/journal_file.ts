/** The journal on disk: which file is one, and whether it may be trusted. */
import { RekeyError } from "../../base/errors.ts";
import {
  diskCall,
  lstatIfExists,
  readIfExists,
  removeIfExists,
} from "../disk/disk.ts";
import { type Format, newerFormat } from "../disk/format.ts";
import { unpin } from "../disk/pinned.ts";
import { journalPath } from "../disk/hidden_names.ts";
import {
  type InstallJournal,
  JOURNAL_FORMAT,
  parseJournal,
} from "./journal.ts";
import { readSealed } from "./sealed_note.ts";
import type { Target } from "../disk/target.ts";

/** A file beside a certificate that says what has to be repaired. */
export interface RepairNote {
  readonly file: string;
  /** Undefined for what is no file, or far too large. */
  readonly text: string | undefined;
}

/**
 * Reads one, unless somebody wrote it who does not rule the directory.
 *
 * @returns undefined when there is none
 * @throws {RekeyError} kind `install`
 */
export function readRepairNote(
  { directory, path }: Target,
  file: string,
): RepairNote | undefined {
  return diskCall("read the journal of", path, () => {
    const info = lstatIfExists(file);
    if (info === undefined) return undefined;
    // Whoever owns the directory can change everything in it anyway.
    const isTrusted = Deno.build.os === "windows" ||
      [0, Deno.uid(), Deno.statSync(directory).uid].includes(info.uid);
    if (!isTrusted) {
      throw unusable({ path }, {
        what: `has a journal of another user (${unpin(file)}, uid ${info.uid})`,
        hint:
          "run as that user, or, if you do not trust it, remove the journal",
      });
    }
    const content = readIfExists(file);
    if (content === undefined) return undefined;
    return {
      file,
      text: content === "not a file"
        ? undefined
        : new TextDecoder().decode(content),
    };
  });
}

/** How a note is read that something has to be repaired by. */
export interface SealedKind<T> {
  readonly format: Format;
  /** In messages. */
  readonly noun: "journal" | "note";
  /** The meaning of its body; undefined where it has none. */
  parse(body: object): T | undefined;
}

/**
 * What a note says, read by {@linkcode readRepairNote}. A torn one is removed:
 * it never came into force.
 *
 * @throws {RekeyError} kind `install` for one that must not be acted on
 */
export function understand<T>(
  { path }: Target,
  { file, text }: RepairNote,
  { format, noun, parse }: SealedKind<T>,
): T | undefined {
  const reading = text === undefined
    ? { kind: "alien" } as const
    : readSealed(text, format);
  switch (reading.kind) {
    case "complete": {
      const said = parse(reading.body);
      if (said === undefined) throw damaged({ path }, { file, noun });
      return said;
    }
    case "torn":
      // It is renamed into force only when it is complete and durable, so this
      // one never was: nothing has been renamed.
      diskCall(`remove the ${noun} of`, path, () => removeIfExists(file));
      return undefined;
    case "newer": {
      const { version } = reading;
      throw newerFormat(path, { file: unpin(file), version, format });
    }
    case "damaged":
      throw damaged({ path }, { file, noun });
    case "alien":
      throw unusable({ path }, {
        what: `cannot be ruled out: ${
          unpin(file)
        } is not a ${noun} of step-rekey`,
        hint: "move that file away",
      });
  }
}

function damaged(
  { path }: Pick<Target, "path">,
  { file, noun }: { readonly file: string; readonly noun: string },
): RekeyError {
  return unusable({ path }, {
    what: `has a damaged ${noun} (${unpin(file)})`,
    hint:
      `check that certificate and key belong together, then remove the ${noun}`,
  });
}

/**
 * The journal in force beside `certificate`.
 *
 * @throws {RekeyError} as {@linkcode understand}
 */
export function findJournal(certificate: Target): InstallJournal | undefined {
  const note = readRepairNote(certificate, journalPath(certificate));
  return note && understand(certificate, note, JOURNAL);
}

const JOURNAL: SealedKind<InstallJournal> = {
  format: JOURNAL_FORMAT,
  noun: "journal",
  parse: parseJournal,
};

/** There is a journal, and it cannot be followed: why, and what to do. */
export function unusable(
  { path }: Pick<Target, "path">,
  { what, hint }: { readonly what: string; readonly hint: string },
): RekeyError {
  return new RekeyError(
    "install",
    `an interrupted install of ${path} ${what}`,
    { hint },
  );
}
