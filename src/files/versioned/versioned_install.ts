/**
 * One install into the versioned layout: a whole new version, then one rename.
 *
 * There is no moment at which certificate and key do not belong together, and
 * so there is nothing to repair after a crash, only something to remove.
 */
import { RekeyError } from "../../base/errors.ts";
import { bestEffort, bestEffortOf } from "../../base/os_error.ts";
import { attributesFor } from "../disk/attributes.ts";
import { copyFile } from "../disk/backup_file.ts";
import {
  discard,
  diskCall,
  lstatIfExists,
  readIfExists,
  type ShownDirectory,
  symlink,
  syncDirectory,
} from "../disk/disk.ts";
import { randomTag } from "../disk/hidden_names.ts";
import { unpin } from "../disk/pinned.ts";
import { StagedFile } from "../disk/staged_file.ts";
import {
  inDirectory,
  type Role,
  type Target,
  VERSION_FILES,
} from "../disk/target.ts";
import type { HiddenKeys } from "../pair/hidden_keys.ts";
import type { OpenedState, SeenPair } from "../pair/seen_pair.ts";
import {
  becomesPem,
  isDer,
  openKeyWarnings,
  reserveFor,
} from "../plain/examine.ts";
import {
  type InstallContents,
  type InstallOptions,
  type InstallTransaction,
  type InstallWarning,
  mapPair,
  membersOf,
  type Pair,
  resolvePair,
} from "../transaction.ts";
import { StagedVersion } from "./staged_version.ts";
import {
  currentFile,
  ensureVersions,
  linkText,
  pruneVersions,
  removeUnfinished,
  versionsOf,
} from "./versions.ts";

interface Part {
  readonly role: Role;
  readonly target: Target;
  readonly staged: StagedFile;
}

/** The steps of an install: see versions.ts for what is on disk. */
export class VersionedInstall implements InstallTransaction {
  readonly warnings: InstallWarning[] = [];
  readonly #pair: Pair<Target>;
  readonly #versions: ShownDirectory;
  readonly #staged: StagedVersion;
  readonly #parts: readonly Part[];
  readonly #seen: SeenPair;
  readonly #hidden: HiddenKeys;
  readonly #signal: AbortSignal | undefined;
  readonly #undo: DisposableStack;
  #isSpent = false;

  /**
   * @param pair both links of one layout, or names that are still free
   * @throws {RekeyError} kind `install`; nothing is left then
   */
  constructor(
    pair: Pair<Target>,
    { attributes = {}, seen, hidden, signal }: InstallOptions & OpenedState,
  ) {
    using undo = new DisposableStack();
    const { certificate } = pair;
    const versions = versionsOf(certificate);
    if (ensureVersions(certificate)) {
      undo.defer(() => bestEffort(() => Deno.removeSync(versions.directory)));
    }
    const version = undo.use(new StagedVersion(versions));
    const tag = randomTag();
    const stage = (role: Role, { path }: Target): Part => {
      const before = diskCall(
        "open",
        path,
        () => lstatIfExists(currentFile(versions.directory, role)),
      );
      if (role === "certificate" && before?.isFile === true) {
        const file = currentFile(versions.directory, role);
        const content = diskCall("read", path, () => readIfExists(file));
        if (isDer(content)) this.warnings.push(becomesPem({ path }));
      }
      const wanted = attributesFor(role, before, attributes);
      const { directory } = version;
      const name = VERSION_FILES[role];
      const target = {
        path,
        directory,
        name,
        file: inDirectory(directory, name),
      };
      if (role === "key") {
        const { mode } = wanted;
        this.warnings.push(...openKeyWarnings(target, { before, mode }));
      }
      const staged = undo.use(
        new StagedFile(target, {
          kind: "new",
          tag,
          reserveBytes: reserveFor(role, before),
          attributes: wanted,
        }),
      );
      return { role, target, staged };
    };
    this.#pair = pair;
    this.#seen = seen;
    this.#hidden = hidden;
    this.#signal = signal;
    this.#versions = versions;
    this.#staged = version;
    this.#parts = membersOf(pair).map(({ role, value }) => stage(role, value));
    this.#undo = undo.move();
  }

  async settle(): Promise<void> {
    for (const { staged } of this.#parts) await staged.settle(this.#signal);
  }

  async commit(
    contents: InstallContents,
    serial?: string,
  ): Promise<readonly InstallWarning[]> {
    if (this.#isSpent) throw new Error("install transaction is spent");
    this.#isSpent = true;
    using _undo = this.#undo;
    for (const { role, target, staged } of this.#parts) {
      const content = contents[role];
      if (content === undefined) throw new Error(`no content for ${role}`);
      staged.write(content);
      staged.renameTo(target.file);
    }
    this.#takeOverKey();
    this.#makeLinks();
    this.#staged.put(() => this.#seen.requireUnchanged(this.#pair, serial));
    this.#seen.lookAgain(this.#pair);
    this.#hidden.lookAgain(resolvePair(mapPair(this.#pair, pathOf)));
    const { certificate, key } = contents;
    if (certificate && key) this.#hidden.know({ certificate, key });
    await this.#tidy();
    return [];
  }

  async #tidy(): Promise<void> {
    const [versions, hidden] = [this.#versions, this.#hidden];
    await bestEffortOf(() => pruneVersions(versions, hidden));
    if (hidden.kept.length === 0) return;
    await bestEffortOf(() => removeUnfinished(versions, { hidden, links: [] }));
    await hidden.discardKept();
  }

  /** A certificate alone goes on with the key that it had. */
  #takeOverKey(): void {
    if (this.#parts.some(({ role }) => role === "key")) return;
    const { certificate } = this.#pair;
    const from = currentFile(this.#versions.directory, "key");
    const to = inDirectory(this.#staged.directory, VERSION_FILES.key);
    if (copyFile(certificate, from, to)) return;
    throw new RekeyError("install", `copy ${unpin(from)} failed: it is gone`);
  }

  /** They lead nowhere until a version is in force. */
  #makeLinks(): void {
    for (const { role, value: target } of membersOf(this.#pair)) {
      if (target.version !== undefined) continue;
      const to = linkText(role, target, this.#pair.certificate);
      symlink(to, target.file, target.path);
      // Goes again when the version does not come into force.
      this.#undo.defer(() => {
        const file = currentFile(this.#versions.directory, role);
        if (lstatIfExists(file) === undefined) {
          bestEffort(() => discard(target.file));
        }
      });
      syncDirectory(target);
    }
  }

  [Symbol.dispose](): void {
    if (!this.#isSpent) this.#undo.dispose();
    this.#isSpent = true;
  }
}

function pathOf({ path }: Target): string {
  return path;
}
