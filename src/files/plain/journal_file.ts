/** The journal on disk: which file is one, and whether it may be trusted. */
import { RekeyError } from "../../base/errors.ts";
import {
  diskCall,
  lstatIfExists,
  readIfExists,
  removeIfExists,
} from "../disk/disk.ts";
import { unpin } from "../disk/pinned.ts";
import { journalPath } from "../disk/hidden_names.ts";
import { type InstallJournal, readJournal } from "./journal.ts";
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

/**
 * The journal in force beside `certificate`. A torn one is removed: it never
 * came into force.
 *
 * @throws {RekeyError} kind `install` for one that must not be acted on
 */
export function findJournal(certificate: Target): InstallJournal | undefined {
  const note = readRepairNote(certificate, journalPath(certificate));
  if (note === undefined) return undefined;
  const { file, text } = note;
  const reading = text === undefined
    ? { kind: "alien" } as const
    : readJournal(text);
  switch (reading.kind) {
    case "complete":
      return reading.journal;
    case "torn":
      // It is renamed into force only when it is complete and durable, so this
      // one never was: nothing has been renamed.
      diskCall(
        "remove the journal of",
        certificate.path,
        () => removeIfExists(file),
      );
      return undefined;
    case "newer":
      throw unusable(certificate, {
        what:
          `was begun by a newer version (journal version ${reading.version})`,
        hint: "run that version of step-rekey once: it finishes or undoes it",
      });
    case "damaged":
      throw unusable(certificate, {
        what: `has a damaged journal (${unpin(file)})`,
        hint:
          "check that certificate and key belong together, then remove the journal",
      });
    case "alien":
      throw unusable(certificate, {
        what: `cannot be ruled out: ${
          unpin(file)
        } is not a journal of step-rekey`,
        hint: "move that file away",
      });
  }
}

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
