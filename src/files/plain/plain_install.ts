/**
 * Replaces two plain files: both or neither, also across a crash.
 *
 * Two names cannot be changed in one step, so a journal is the commit point:
 *
 * 1. Stage: the new files, complete and durable, under hidden names.
 * 2. Back up: a second, hidden name for each old file.
 * 3. Journal: renamed into force, durable. Until here a crash means the old
 *    pair, from here on the new one.
 * 4. Rename the key, then the certificate, and make both durable.
 * 5. Remove the backups, then the journal; but nothing of the old pair, unless
 *    every fsync until here succeeded at once.
 *
 * What a crash leaves is finished or undone by `recoverInstall`, and so is
 * every failure of a step: there is one way back. No step relies on a name that
 * is not durable yet: whichever of the names touched last the power takes away,
 * either all new or all old contents are still reachable.
 */
import { sha256 } from "../../base/bytes.ts";
import { RekeyError } from "../../base/errors.ts";
import { bestEffort, bestEffortOf } from "../../base/os_error.ts";
import { attributesFor, privateTo } from "../disk/attributes.ts";
import { backUp } from "../disk/backup_file.ts";
import {
  awaitDirectories,
  removeIfExists,
  syncDirectories,
  syncDirectory,
} from "../disk/disk.ts";
import { hiddenPath, installTag, journalPath } from "../disk/hidden_names.ts";
import { unpin } from "../disk/pinned.ts";
import { StagedFile } from "../disk/staged_file.ts";
import { relativeTo, type Target } from "../disk/target.ts";
import type { HiddenKeys } from "../pair/hidden_keys.ts";
import type { OpenedState, SeenPair } from "../pair/seen_pair.ts";
import {
  type InstallContents,
  type InstallOptions,
  type InstallTransaction,
  type InstallWarning,
  type Pair,
  syncTidied,
} from "../transaction.ts";
import {
  type ExaminedTarget,
  examineTargets,
  reserveFor,
  warningsFor,
} from "./examine.ts";
import { overwriteFile } from "./in_place.ts";
import {
  formatJournal,
  type InstallJournal,
  type JournalTarget,
} from "./journal.ts";
import { recoverInstall } from "./recovery.ts";

/** Bytes of the longest journal: two names of 255 bytes, escaped, a path, and digests. */
const JOURNAL_BYTES = 8 * 1024;

/** One file, and what will replace it. */
interface Part extends ExaminedTarget {
  readonly staged: StagedFile;
}

/** A part with both contents; `old` is undefined when there was no such file. */
interface WrittenPart extends Part {
  readonly content: Uint8Array<ArrayBuffer>;
  readonly old: Uint8Array<ArrayBuffer> | undefined;
}

export class PlainInstall implements InstallTransaction {
  readonly warnings: readonly InstallWarning[];
  readonly #pair: Pair<Target>;
  readonly #tag: string;
  /** In the order of their renames. */
  readonly #parts: readonly Part[];
  readonly #journal: StagedFile;
  readonly #seen: SeenPair;
  readonly #hidden: HiddenKeys;
  readonly #signal: AbortSignal | undefined;
  #isSpent = false;
  /** From the first change of a target on. */
  #isSwapping = false;

  /** @throws {RekeyError} kind `install`; nothing is left then */
  constructor(pair: Pair<Target>, options: InstallOptions & OpenedState) {
    const examined = examineTargets(pair, options);
    using undo = new DisposableStack();
    const { seen, hidden, signal } = options;
    const tag = installTag(pair.certificate.name);
    this.warnings = examined.flatMap(warningsFor);
    this.#pair = pair;
    this.#seen = seen;
    this.#hidden = hidden;
    this.#signal = signal;
    this.#tag = tag;
    this.#parts = examined.map((part) => ({
      ...part,
      staged: undo.use(stage(part, tag)),
    }));
    this.#journal = new StagedFile(pair.certificate, {
      kind: "journal",
      tag,
      reserveBytes: JOURNAL_BYTES,
    });
    undo.move();
  }

  get #directories(): readonly Target[] {
    return this.#parts.map(({ target }) => target);
  }

  async settle(): Promise<void> {
    const signal = this.#signal;
    for (const { staged } of this.#parts) await staged.settle(signal);
    await this.#journal.settle(signal);
    await awaitDirectories(this.#directories, signal);
  }

  async commit(
    contents: InstallContents,
    serial?: string,
  ): Promise<readonly InstallWarning[]> {
    if (this.#isSpent) throw new Error("install transaction is spent");
    this.#isSpent = true;
    try {
      this.#seen.requireUnchanged(this.#pair, serial);
      const written = this.#writeAndBackUp(contents);
      const targets = await Promise.all(
        written.map((part) => this.#describe(part)),
      );
      this.#decide({ tag: this.#tag, targets });
      this.#seen.requireUnchanged(this.#pair, serial);
      this.#swap(written);
    } catch (error) {
      await this.#putBack(error);
    }
    this.#seen.lookAgain(this.#pair);
    const { certificate, key } = contents;
    if (certificate && key) this.#hidden.know({ certificate, key });
    const warnings = await this.#tidy();
    await this.#hidden.discardKept();
    return warnings;
  }

  /** Steps 1 and 2. */
  #writeAndBackUp(contents: InstallContents): readonly WrittenPart[] {
    const written = this.#parts.map((part) => {
      const content = contents[part.role];
      if (content === undefined) throw new Error(`no content for ${part.role}`);
      part.staged.write(content);
      return { ...part, content };
    });
    const tag = this.#tag;
    return written.map((part) => ({
      ...part,
      old: backUp(part.target, { tag, isOverwritten: part.inPlace }),
    }));
  }

  async #describe(
    { role, target, content, old, info, inPlace, attributes }: WrittenPart,
  ): Promise<JournalTarget> {
    const { directory } = this.#pair.certificate;
    return {
      role,
      directory: relativeTo(directory, target.directory) || undefined,
      name: target.name,
      oldDigest: old === undefined ? undefined : await sha256(old),
      newDigest: await sha256(content),
      inPlace: inPlace || undefined,
      mode: inPlace ? attributes.mode : undefined,
      oldMode: inPlace ? attributesFor(role, info, {}).mode : undefined,
    };
  }

  /** Step 3. */
  #decide(journal: InstallJournal): void {
    const { certificate } = this.#pair;
    this.#journal.write(new TextEncoder().encode(formatJournal(journal)));
    syncDirectories(this.#directories);
    this.#journal.renameTo(journalPath(certificate));
    syncDirectory(certificate);
  }

  /** Step 4. */
  #swap(written: readonly WrittenPart[]): void {
    this.#isSwapping = true;
    for (const { staged, target, inPlace, attributes, content } of written) {
      if (inPlace) overwriteFile(target, content, attributes);
      else staged.renameTo(target.file);
    }
    syncDirectories(this.#directories);
  }

  /**
   * Step 5. The new pair is in place for good: where this fails, the next pass
   * finds the journal, sees that, and removes what is left.
   */
  async #tidy(): Promise<readonly InstallWarning[]> {
    this.#close();
    const warnings: InstallWarning[] = [];
    const isTidy = await bestEffortOf(async () => {
      await this.#removeBackups();
      this.#removeJournal();
    });
    if (isTidy) {
      syncTidied(this.#directories, (warning) => warnings.push(warning));
    }
    return warnings;
  }

  /** @throws what failed, and what is where */
  async #putBack(failure: unknown): Promise<never> {
    // First of all, whatever has to follow: without the staged files nothing
    // can be finished any more, here or by the next pass, only undone. But they
    // tell what a file is that was overwritten in part.
    const isOverwriting = this.#isSwapping &&
      this.#parts.some((part) => part.inPlace);
    if (!isOverwriting) this.#close();
    if (!this.#isSwapping) {
      bestEffort(() => this.#removeJournal());
      await bestEffortOf(() => this.#removeBackups());
      throw failure;
    }
    const { kind } = await this.#recover(failure);
    if (kind === "finished") {
      // What was overwritten is told by its copies, should the power fail.
      for (const { staged } of this.#parts) staged.leave();
      this.#journal.leave();
      throw this.#inDoubt(failure);
    }
    this.#close();
    throw failure;
  }

  /** All names are new, but nobody knows whether the disk has them. */
  #inDoubt(failure: unknown): unknown {
    if (!(failure instanceof RekeyError)) return failure;
    const backups = this.#parts
      .filter(({ info }) => info !== undefined)
      .map(({ target }) => unpin(this.#backupOf(target)));
    const kept = backups.length === 0
      ? ""
      : `, so the pair before is kept in ${backups.join(" and ")}`;
    return new RekeyError(
      "install",
      `${failure.message}; the new pair is in place, but may not be on the disk${kept}`,
      {
        hint:
          "mend the disk and run the command again: it writes the new pair once more, and then removes the one before",
        cause: failure,
      },
    );
  }

  async #recover(failure: unknown): ReturnType<typeof recoverInstall> {
    try {
      return await recoverInstall(this.#pair, {
        undo: true,
        hidden: this.#hidden,
        // The failure that follows says enough.
        warn: () => {},
      });
    } catch (error) {
      if (!(failure instanceof RekeyError && error instanceof RekeyError)) {
        throw failure;
      }
      throw new RekeyError(
        "install",
        `${failure.message}; repairing the pair failed as well: ${error.message}`,
        {
          hint:
            "mend the cause and run the command again: it repairs the pair first",
          cause: failure,
        },
      );
    }
  }

  /** The key's first: its certificate tells whose it is. */
  async #removeBackups(): Promise<void> {
    for (const { target } of this.#parts) {
      await this.#hidden.discard(this.#backupOf(target));
    }
  }

  #backupOf(target: Target): string {
    return hiddenPath(target, { kind: "old", tag: this.#tag });
  }

  #removeJournal(): void {
    removeIfExists(journalPath(this.#pair.certificate));
  }

  #close(): void {
    for (const { staged } of this.#parts) staged[Symbol.dispose]();
    this.#journal[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    if (!this.#isSpent) this.#close();
    this.#isSpent = true;
  }
}

function stage(
  { role, target, info, inPlace, attributes }: ExaminedTarget,
  tag: string,
): StagedFile {
  return new StagedFile(target, {
    kind: "new",
    tag,
    reserveBytes: reserveFor(role, info),
    // What is copied over another file is for those who can read that one.
    attributes: inPlace ? privateTo(info) : attributes,
  });
}
