/**
 * That a reload is owed, written down beside the certificate until it is paid.
 *
 * The note stands on the disk before the new pair does, so that no crash lies
 * between "the pair is new" and "somebody has to be told". It counts only while
 * the certificate that it names is the one on the disk: a swap that never
 * happened owes nothing, and a later swap owes its own. Each note has the name
 * of its certificate, so nobody removes another one's.
 *
 * Notes are claimed under the pair's lock and then locked themselves. So the
 * pair's lock can go before the service is told: a hook may call this program,
 * which finds the note claimed and leaves it alone. Links are never followed.
 */
import type { ReloadPart } from "../../base/options.ts";
import { attempt, isOsError } from "../../base/os_error.ts";
import { StagedFile } from "../disk/staged_file.ts";
import { sha256 } from "../disk/digest.ts";
import {
  diskCall,
  lstatIfExists,
  removeIfExists,
  syncDirectories,
} from "../disk/disk.ts";
import {
  isOwedName,
  journalName,
  owedName,
  randomTag,
} from "../disk/hidden_names.ts";
import { encodeOwedNote, NOTE_BYTES, type OwedNote } from "./note.ts";
import { lockNote, openNote, readNote, rewriteNote } from "./note_file.ts";
import { inDirectory, resolveTarget, type Target } from "../disk/target.ts";

export type { OwedNote } from "./note.ts";

/** The certificate that somebody has to be told of. */
export interface OwedCertificate {
  readonly der: Uint8Array<ArrayBuffer>;
  readonly serial: string;
  readonly notAfter: Date;
}

/** A note that this process alone acts on, until it is disposed. */
export interface ClaimedReload extends Disposable {
  readonly note: OwedNote;
  /**
   * Writes down what is still owed; nothing removes the note.
   *
   * @throws {RekeyError} kind `install`: then the note stays as it was
   */
  settle(left: readonly ReloadPart[]): void;
}

/** Space for a note. Disposing it leaves no trace, unless the swap may have happened. */
export interface OwedReloadDraft extends Disposable {
  /**
   * Puts the note in force, durably. To be called right before the swap.
   *
   * @throws {RekeyError} kind `install`
   */
  write(
    certificate: OwedCertificate,
    about: {
      readonly previousSerial?: string;
      readonly owed: readonly ReloadPart[];
    },
  ): Promise<void>;
  /**
   * Claims the note for its first payment. To be called right after the swap,
   * under the pair's lock.
   */
  claim(): ClaimedReload;
}

/**
 * Proves, before the CA is asked, that a note can be written beside
 * `certificate`. Call it under the pair's lock.
 *
 * @throws {RekeyError} kind `install`
 */
export function draftOwedReload(certificate: string): OwedReloadDraft {
  const target = resolveTarget(certificate);
  const staged = StagedFile.create(target, {
    kind: "journal",
    tag: randomTag(),
    reserveBytes: NOTE_BYTES,
  });
  let note: OwedNote | undefined;
  let isClaimed = false;
  return {
    async write({ der, serial, notAfter }, { previousSerial, owed }) {
      const digest = await sha256(der);
      const next: OwedNote = {
        certificate: digest,
        ...{ serial, previousSerial, notAfter, owed },
        attempts: 1,
      };
      staged.write(encodeOwedNote(next));
      staged.renameTo(owedName(target.name, digest));
      note = next;
      syncDirectories([target]);
    },
    claim() {
      if (note === undefined) throw new Error("no note was written");
      isClaimed = true;
      removeOthers(target, owedName(target.name, note.certificate));
      // Without the file, which somebody removed or took away at this moment,
      // the service is told all the same: the pair is new.
      return new Claim(target, note, openForUs(noteFile(target, note)));
    },
    [Symbol.dispose]() {
      staged[Symbol.dispose]();
      if (note === undefined || isClaimed) return;
      // With a journal in force, the next pass decides which pair it is.
      const journal = inDirectory(target.directory, journalName(target.name));
      const file = noteFile(target, note);
      attempt(() => {
        if (lstatIfExists(journal) === undefined) removeIfExists(file);
      });
    },
  };
}

/**
 * What is owed for the certificate on the disk, with one try more counted;
 * undefined when nothing is of `parts`, `elsewhere` when another process is
 * about to pay. Removes notes of other certificates. Call it under the pair's
 * lock, after recovery.
 *
 * @param path the certificate's file; notes stand beside it
 * @param from `load` reads the certificate, and is called only when there is a
 *   note; `parts` is what the caller can pay, and what a note that cannot be
 *   read is taken to owe
 * @throws {RekeyError} kind `install` when the note cannot be read or changed;
 *   what `load` throws
 */
export async function claimOwedReload(
  path: string,
  from: {
    load(): Promise<OwedCertificate>;
    readonly parts: readonly ReloadPart[];
  },
): Promise<ClaimedReload | "elsewhere" | undefined> {
  const target = resolveTarget(path);
  const names = notesBeside(target);
  if (names.length === 0) return undefined;
  const certificate = await from.load();
  const digest = await sha256(certificate.der);
  const name = owedName(target.name, digest);
  removeOthers(target, name);
  if (!names.includes(name)) return undefined;
  const file = diskCall(
    "open the note of the reload of",
    path,
    () => openNote(inDirectory(target.directory, name)),
  );
  if (file === undefined) return undefined;
  const locked = lockNote(file);
  if (locked === undefined) return "elsewhere";
  using undo = new DisposableStack();
  undo.use(locked);
  const read = readNote(locked, path);
  const found = read?.certificate === digest ? read : undefined;
  const owed = found?.owed ?? from.parts;
  // The rest is for a run that can: no try of it is counted.
  if (!owed.some((part) => from.parts.includes(part))) return undefined;
  const note: OwedNote = {
    ...found,
    certificate: digest,
    serial: certificate.serial,
    notAfter: certificate.notAfter,
    attempts: (found?.attempts ?? 0) + 1,
    owed,
  };
  rewriteNote(locked, note, path);
  undo.move();
  return new Claim(target, note, locked);
}

class Claim implements ClaimedReload {
  readonly note: OwedNote;
  readonly #target: Target;
  readonly #file: Deno.FsFile | undefined;

  constructor(target: Target, note: OwedNote, file: Deno.FsFile | undefined) {
    this.note = note;
    this.#target = target;
    this.#file = file;
  }

  settle(left: readonly ReloadPart[]): void {
    const { path } = this.#target;
    if (left.length > 0) {
      if (this.#file === undefined || left.length === this.note.owed.length) {
        return;
      }
      rewriteNote(this.#file, { ...this.note, owed: left }, path);
      return;
    }
    diskCall("remove the note of the reload of", path, () => {
      removeIfExists(noteFile(this.#target, this.note));
    });
    syncDirectories([this.#target]);
  }

  [Symbol.dispose](): void {
    this.#file?.[Symbol.dispose]();
  }
}

function noteFile({ directory, name }: Target, note: OwedNote): string {
  return inDirectory(directory, owedName(name, note.certificate));
}

function notesBeside({ directory, name, path }: Target): readonly string[] {
  return diskCall(
    "open the directory of",
    path,
    () =>
      [...Deno.readDirSync(directory)]
        .map((entry) => entry.name)
        .filter((entry) => isOwedName(entry, name)),
  );
}

function openForUs(path: string): Deno.FsFile | undefined {
  try {
    const file = openNote(path);
    return file === undefined ? undefined : lockNote(file);
  } catch (error) {
    if (isOsError(error)) return undefined;
    throw error;
  }
}

/** Where that fails, they are of no certificate that is here, and harm nobody. */
function removeOthers(target: Target, name: string): void {
  attempt(() => {
    for (const other of notesBeside(target)) {
      if (other !== name) removeNote(target, other);
    }
  });
}

/** A directory of that name is somebody else's. */
function removeNote({ directory }: Target, name: string): void {
  const file = inDirectory(directory, name);
  if (lstatIfExists(file)?.isDirectory === true) return;
  removeIfExists(file);
}
