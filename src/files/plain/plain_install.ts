/**
 * One install from its first staged file to its last removed one.
 */
import { RekeyError } from "../../base/errors.ts";
import { attempt } from "../../base/os_error.ts";
import { StagedFile } from "../disk/staged_file.ts";
import type { AttributeChoice } from "../disk/attributes.ts";
import { sha256 } from "../disk/digest.ts";
import {
  awaitDirectories,
  removeIfExists,
  syncDirectories,
} from "../disk/disk.ts";
import { hiddenName, installTag, journalName } from "../disk/hidden_names.ts";
import type { InstallContents, InstallTransaction } from "../install.ts";
import { formatJournal, type JournalTarget } from "./journal.ts";
import { overwriteFile } from "./in_place.ts";
import {
  copyContent,
  duplicateFile,
  keepFile,
  type KeptFile,
} from "../disk/backup_file.ts";
import { type PairTargets, recoverTargets, type Recovery } from "./recovery.ts";
import { type ExaminedTarget, examineTargets, reserveFor } from "./examine.ts";
import { inDirectory } from "../disk/target.ts";

/** Bytes of the longest journal: five names of 255 bytes, escaped, and digests. */
const JOURNAL_BYTES = 8 * 1024;

/** One file of the pair, and what will replace it. */
interface Part extends ExaminedTarget {
  readonly staged: StagedFile;
}

/** How an install goes about it. */
export interface PrepareOptions {
  /** `--in-place`: overwrite files that exist instead of replacing them. */
  readonly inPlace?: boolean | undefined;
  readonly attributes?: AttributeChoice | undefined;
  /** Gives up waiting for the disk. */
  readonly signal?: AbortSignal | undefined;
}

/** A part with both contents; `old` is undefined when there was no such file. */
interface WrittenPart extends Part {
  readonly content: Uint8Array<ArrayBuffer>;
  readonly old: KeptFile | undefined;
}

/** The steps of an install: see install.ts for their order and its reasons. */
export class PreparedInstall implements InstallTransaction {
  readonly warnings: readonly string[];
  readonly #tag: string;
  /** In the order of their renames: key, certificate. */
  readonly #parts: readonly Part[];
  readonly #journal: StagedFile;
  #isSpent = false;
  /** From the first change of a target on. */
  #isSwapping = false;

  /** @throws {RekeyError} kind `install`; nothing is left then */
  static async prepare(
    targets: PairTargets,
    options: PrepareOptions = {},
  ): Promise<PreparedInstall> {
    const tag = installTag(targets.certificate.name);
    const { examined, warnings } = examineTargets(targets, options);
    using undo = new DisposableStack();
    const parts = examined.map((target) => ({
      ...target,
      staged: undo.use(stage(target, tag)),
    }));
    const journal = undo.use(
      StagedFile.create(certificateOf(parts).target, {
        kind: "journal",
        tag,
        reserveBytes: JOURNAL_BYTES,
      }),
    );
    const { signal } = options;
    for (const { staged } of parts) await staged.settle(signal);
    await journal.settle(signal);
    await awaitDirectories(parts.map((part) => part.target), signal);
    undo.move();
    return new PreparedInstall({ tag, parts, journal, warnings });
  }

  private constructor(
    { tag, parts, journal, warnings }: {
      readonly tag: string;
      readonly parts: readonly Part[];
      readonly journal: StagedFile;
      readonly warnings: readonly string[];
    },
  ) {
    this.warnings = warnings;
    this.#tag = tag;
    this.#parts = parts;
    this.#journal = journal;
  }

  async commit(contents: InstallContents): Promise<void> {
    if (this.#isSpent) throw new Error("install transaction is spent");
    this.#isSpent = true;
    try {
      const written = this.#writeAndKeep(contents);
      const targets = await Promise.all(written.map(describe));
      this.#decide(formatJournal({ targets }));
      this.#swap(written);
    } catch (error) {
      await this.#putBack(error);
    }
    this.#tidy();
  }

  /** Steps 1 and 2. */
  #writeAndKeep(contents: InstallContents): readonly WrittenPart[] {
    const written = this.#parts.map((part) => {
      const text = contents[part.role];
      if (text === undefined) throw new Error(`no content for ${part.role}`);
      const content = new TextEncoder().encode(text);
      part.staged.write(content);
      return { ...part, content };
    });
    return written.map((part) => ({
      ...part,
      old: keepFile(
        part.target,
        this.#tag,
        part.inPlace ? copyContent : duplicateFile,
      ),
    }));
  }

  /** Step 3. */
  #decide(journal: string): void {
    const { target } = certificateOf(this.#parts);
    this.#journal.write(new TextEncoder().encode(journal));
    syncDirectories(this.#parts.map((part) => part.target));
    this.#journal.renameTo(journalName(target.name));
    syncDirectories([target]);
  }

  /** Step 4. */
  #swap(written: readonly WrittenPart[]): void {
    this.#isSwapping = true;
    for (const { staged, target, inPlace, attributes, content } of written) {
      if (inPlace) {
        overwriteFile(target, content, attributes);
      } else {
        staged.renameTo(target.name);
      }
    }
    syncDirectories(this.#parts.map((part) => part.target));
  }

  /**
   * Step 5. The new pair is in place for good: where this fails, the next pass
   * finds the journal, sees that, and removes what is left.
   */
  #tidy(): void {
    this.#close();
    attempt(() => {
      this.#removeKept();
      removeIfExists(this.#journalFile());
      syncDirectories(this.#parts.map((part) => part.target));
    });
  }

  /** @throws what failed, unless the new pair is in place all the same */
  async #putBack(failure: unknown): Promise<void> {
    // First of all, whatever has to follow: without the staged files nothing
    // can be finished any more, here or by the next pass, only undone. But they
    // tell what a file is that was overwritten in part.
    const isOverwriting = this.#isSwapping &&
      this.#parts.some((part) => part.inPlace);
    if (!isOverwriting) this.#close();
    if (!this.#isSwapping) {
      attempt(() => removeIfExists(this.#journalFile()));
      attempt(() => this.#removeKept());
      throw failure;
    }
    const recovery = await this.#recover(failure);
    this.#close();
    if (recovery.kind !== "finished") throw failure;
  }

  async #recover(failure: unknown): Promise<Recovery> {
    try {
      return await recoverTargets({
        certificate: certificateOf(this.#parts).target,
        key: this.#parts.find((part) => part.role === "key")?.target,
      }, { undo: true });
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

  #removeKept(): void {
    for (const { target: { directory, name } } of this.#parts) {
      const kept = hiddenName(name, "old", this.#tag);
      removeIfExists(inDirectory(directory, kept));
    }
  }

  #journalFile(): string {
    const { directory, name } = certificateOf(this.#parts).target;
    return inDirectory(directory, journalName(name));
  }

  #close(): void {
    for (const { staged } of this.#parts) staged[Symbol.dispose]();
    this.#journal[Symbol.dispose]();
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isSpent) this.#close();
    this.#isSpent = true;
    return Promise.resolve();
  }
}

function certificateOf<T extends ExaminedTarget>(parts: readonly T[]): T {
  const part = parts.find(({ role }) => role === "certificate");
  if (part === undefined) throw new Error("an install has a certificate");
  return part;
}

function stage(
  { role, target, info, inPlace, attributes }: ExaminedTarget,
  tag: string,
): StagedFile {
  return StagedFile.create(target, {
    kind: "new",
    tag,
    reserveBytes: reserveFor(role, info),
    // What is copied over another file needs no attributes of its own.
    attributes: inPlace ? undefined : attributes,
  });
}

async function describe(
  { role, target, staged, content, old, inPlace, attributes }: WrittenPart,
  _index: number,
  parts: readonly WrittenPart[],
): Promise<JournalTarget> {
  const { directory } = certificateOf(parts).target;
  return {
    role,
    directory: target.directory === directory ? undefined : target.directory,
    name: target.name,
    staged: staged.name,
    kept: old?.name,
    oldDigest: old === undefined ? undefined : await sha256(old.content),
    newDigest: await sha256(content),
    inPlace: inPlace || undefined,
    attributes: inPlace ? attributes : undefined,
  };
}
