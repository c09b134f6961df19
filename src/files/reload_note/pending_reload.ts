/**
 * That a service still has to be told of a certificate, written down beside it
 * until that has succeeded.
 *
 * The note stands on the disk before the new pair does, so that no crash lies
 * between "the pair is new" and "somebody has to be told". It counts only while
 * the certificate that it names is the one on the disk: a swap that never
 * happened leaves nothing to deliver, and a later swap has its own note. Each
 * note has the name of its certificate, so nobody removes another one's.
 *
 * Who delivers holds a lock on the note itself. So the pair's lock can go before
 * the service is told: a hook may call this program, which finds the note locked
 * and leaves it alone. Links are never followed.
 */
import type { ReloadPart } from "../../base/options.ts";
import { bestEffort } from "../../base/os_error.ts";
import { equalBytes, sha256 } from "../../base/bytes.ts";
import { MalformedError } from "../../pki/asn1/malformed.ts";
import { parseChain } from "../../pki/certificate/certificate.ts";
import {
  diskCall,
  lstatIfExists,
  readBehind,
  removeIfExists,
  sortedNames,
  syncDirectory,
} from "../disk/disk.ts";
import {
  digestTag,
  hiddenPath,
  isHiddenName,
  journalPath,
  randomTag,
} from "../disk/hidden_names.ts";
import { StagedFile } from "../disk/staged_file.ts";
import { inDirectory, type Target } from "../disk/target.ts";
import { deliveredLine, formatNote, parseNote, TRY_LINE } from "./note.ts";
import {
  append,
  lockNote,
  MOST_NOTE_BYTES,
  openIfPossible,
  openNote,
  readText,
} from "./note_file.ts";

/** The certificate that somebody has to be told of. */
export interface ReloadCertificate {
  readonly der: Uint8Array<ArrayBuffer>;
  readonly serial: string;
  readonly notAfter: Date;
}

export interface ReloadFacts {
  readonly serial: string;
  /** Undefined when it is not known any more. */
  readonly previousSerial: string | undefined;
  readonly notAfter: Date;
  /** Tries that have begun for this certificate, the one in hand included. */
  readonly attempts: number;
  /** Never empty. */
  readonly undelivered: readonly ReloadPart[];
}

interface NoteFile {
  /** The certificate that it stands beside. */
  readonly target: Target;
  readonly path: string;
  /** Open and locked; undefined when somebody took the note away. */
  readonly file: Deno.FsFile | undefined;
}

/** A reload that this process alone delivers, until it is disposed. */
export class PendingReload implements Disposable {
  readonly facts: ReloadFacts;
  readonly #note: NoteFile;

  constructor(facts: ReloadFacts, note: NoteFile) {
    this.facts = facts;
    this.#note = note;
  }

  /**
   * Writes down what was delivered; the note goes with the last part.
   *
   * @throws {RekeyError} kind `install`: then the note stays as it was
   */
  delivered(parts: readonly ReloadPart[]): void {
    const { target, path, file } = this.#note;
    const { path: shown } = target;
    if (this.facts.undelivered.every((part) => parts.includes(part))) {
      diskCall(
        "remove the note of the reload of",
        shown,
        () => removeIfExists(path),
      );
      syncDirectory(target);
    } else if (file !== undefined && parts.length > 0) {
      append(file, parts.map(deliveredLine).join(""), shown);
    }
  }

  /**
   * Whether another certificate stands there by now: a hook may call this
   * program. Then this reload is over, whatever became of it.
   */
  async isOutdated(): Promise<boolean> {
    const { target, path } = this.#note;
    const der = derOf(target);
    return der !== undefined && path !== notePath(target, await sha256(der));
  }

  [Symbol.dispose](): void {
    this.#note.file?.[Symbol.dispose]();
  }
}

/** The certificate that stands there; undefined when it cannot be read. */
function derOf({ path }: Target): Uint8Array<ArrayBuffer> | undefined {
  const content = readBehind(path);
  if (!(content instanceof Uint8Array)) return undefined;
  try {
    return parseChain(content)[0].der;
  } catch (error) {
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}

/**
 * A swap that a service may have to be told of. Made before the CA is asked,
 * which proves that a note can be written; disposing it leaves no trace, unless
 * the swap may have happened.
 */
export class ReloadDraft implements Disposable {
  readonly #target: Target;
  readonly #parts: readonly ReloadPart[];
  /** Undefined when nobody has to be told. */
  readonly #staged: StagedFile | undefined;
  /** Of the note in force. */
  #path: string | undefined;
  /** DER of its certificate. */
  #der: Uint8Array | undefined;

  constructor(certificate: Target, parts: readonly ReloadPart[]) {
    this.#target = certificate;
    this.#parts = parts;
    if (parts.length === 0) return;
    this.#staged = new StagedFile(certificate, {
      kind: "journal",
      tag: randomTag(),
      groupBits: 0o060,
      reserveBytes: NOTE_BYTES,
    });
  }

  /**
   * Swaps, with the note in force, durably, from right before on.
   *
   * @returns what has to be delivered once the pair's lock is released, if anything
   * @throws {RekeyError} kind `install`; what `swap` throws
   */
  async around(
    swap: () => void | Promise<void>,
    { certificate, previousSerial }: {
      readonly certificate: ReloadCertificate;
      readonly previousSerial?: string | undefined;
    },
  ): Promise<PendingReload | undefined> {
    const staged = this.#staged;
    if (staged === undefined) return void await swap();
    const target = this.#target;
    const path = notePath(target, await sha256(certificate.der));
    const text = formatNote(this.#parts, previousSerial);
    staged.write(new TextEncoder().encode(text));
    staged.renameTo(path);
    this.#path = path;
    this.#der = certificate.der;
    syncDirectory(target);
    await swap();
    this.#path = undefined;
    removeOthers(target, path);
    const { serial, notAfter } = certificate;
    const undelivered = this.#parts;
    return new PendingReload(
      { serial, previousSerial, notAfter, attempts: 1, undelivered },
      // Without a note, the service is told all the same: the pair is new.
      { target, path, file: openIfPossible(path) },
    );
  }

  /** Whether the new certificate stands there, though the swap has failed. */
  #isInForce(): boolean {
    const der = derOf(this.#target);
    return der !== undefined && this.#der !== undefined &&
      equalBytes(der, this.#der);
  }

  [Symbol.dispose](): void {
    this.#staged?.[Symbol.dispose]();
    const path = this.#path;
    if (path === undefined) return;
    // With a journal in force, the next pass decides which pair it is.
    const journal = journalPath(this.#target);
    bestEffort(() => {
      const isOpen = lstatIfExists(journal) !== undefined ||
        this.#isInForce();
      if (!isOpen) removeIfExists(path);
    });
  }
}

/** Bytes to hold for a note; a serial number has at most 128 of them. */
const NOTE_BYTES = 512;

/**
 * What is pending for the certificate on the disk, with one try more counted;
 * undefined when nothing of `parts` is, `elsewhere` when another process is
 * about to deliver it. Removes notes of other certificates.
 *
 * @param certificate where the certificate is; notes stand beside it
 * @param from `load` reads the certificate, and is called only when there is a
 *   note; `parts` is what the caller can deliver, and what a note that cannot
 *   be read is taken to be about
 * @throws {RekeyError} kind `install` when the note cannot be read; what `load`
 *   throws
 */
export async function findPendingReload(
  certificate: Target,
  from: {
    load(): Promise<ReloadCertificate>;
    readonly parts: readonly ReloadPart[];
  },
): Promise<PendingReload | "elsewhere" | undefined> {
  const notes = notesBeside(certificate);
  if (notes.length === 0) return undefined;
  const { der, serial, notAfter } = await from.load();
  const path = notePath(certificate, await sha256(der));
  removeOthers(certificate, path);
  if (!notes.includes(path)) return undefined;
  using undo = new DisposableStack();
  const shown = certificate.path;
  const file = undo.use(
    diskCall("open the note of the reload of", shown, () => openNote(path)),
  );
  if (file === undefined) return undefined;
  if (!lockNote(file)) return "elsewhere";
  const text = readText(file, shown);
  const note = parseNote(text);
  const undelivered = note.undelivered ?? from.parts;
  // The rest is for a run that can: no try of it is counted.
  if (!undelivered.some((part) => from.parts.includes(part))) return undefined;
  // Only a number: a disk that is full must not keep the service waiting.
  if (text.length < MOST_NOTE_BYTES) {
    bestEffort(() => append(file, TRY_LINE, shown));
  }
  undo.move();
  return new PendingReload({
    serial,
    previousSerial: note.previousSerial,
    notAfter,
    attempts: note.attempts + 1,
    undelivered,
  }, { target: certificate, path, file });
}

/** What somebody still has to deliver. */
export interface PeekedReload {
  /** Undefined when the note cannot be read. */
  readonly undelivered: readonly ReloadPart[] | undefined;
  /** When the certificate was installed; undefined where the file system does not say. */
  readonly since: Date | undefined;
}

/**
 * What is pending for the certificate on the disk; undefined when nothing is,
 * or while another process delivers it. Changes nothing.
 *
 * @param load reads the certificate, and is called only when there is a note
 * @throws {RekeyError} kind `install`; what `load` throws
 */
export async function peekPendingReload(
  certificate: Target,
  load: () => Promise<ReloadCertificate>,
): Promise<PeekedReload | undefined> {
  const notes = notesBeside(certificate);
  if (notes.length === 0) return undefined;
  const path = notePath(certificate, await sha256((await load()).der));
  if (!notes.includes(path)) return undefined;
  using file = openIfPossible(path);
  if (file === undefined) return undefined;
  const { undelivered } = parseNote(readText(file, certificate.path));
  // Tries are added later.
  const since = file.statSync().birthtime ?? undefined;
  return { undelivered, since };
}

function notePath(target: Target, certificateDigest: string): string {
  return hiddenPath(target, {
    kind: "reload",
    tag: digestTag(certificateDigest),
  });
}

function notesBeside({ directory, name, path }: Target): readonly string[] {
  return diskCall("open the directory of", path, () => sortedNames(directory))
    .filter((entry) => isHiddenName(entry, name, ["reload"]))
    .map((entry) => inDirectory(directory, entry));
}

/** Where that fails, they are of no certificate that is here, and harm nobody. */
function removeOthers(target: Target, path: string): void {
  bestEffort(() => {
    for (const other of notesBeside(target)) {
      // A directory of that name is somebody else's.
      const isOld = other !== path && !lstatIfExists(other)?.isDirectory;
      if (isOld) removeIfExists(other);
    }
  });
}
