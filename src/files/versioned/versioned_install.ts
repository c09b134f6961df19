/**
 * One install into the versioned layout: a whole new version, then one rename.
 *
 * There is no moment at which certificate and key do not belong together, and
 * so there is nothing to repair after a crash, only something to remove.
 */
import { RekeyError } from "../../base/errors.ts";
import { attempt } from "../../base/os_error.ts";
import { StagedFile } from "../disk/staged_file.ts";
import { attributesFor } from "../disk/attributes.ts";
import {
  diskCall,
  lstatIfExists,
  removeTree,
  symlink,
  syncPath,
} from "../disk/disk.ts";
import { randomTag, versionsName } from "../disk/hidden_names.ts";
import type { InstallContents, InstallTransaction } from "../install.ts";
import { copyFile } from "../disk/backup_file.ts";
import type { PairTargets } from "../plain/recovery.ts";
import type { PrepareOptions } from "../plain/plain_install.ts";
import { reserveFor, warnAboutMode } from "../plain/examine.ts";
import { StagedVersion } from "./staged_version.ts";
import {
  CURRENT,
  inDirectory,
  type Target,
  VERSION_FILES,
} from "../disk/target.ts";
import {
  ensureVersions,
  pruneVersions,
  versionsDirectory,
} from "./versions.ts";

type Role = keyof typeof VERSION_FILES;

/** One file of the new version. */
interface Part {
  readonly role: Role;
  readonly target: Target;
  readonly staged: StagedFile;
}

/** The steps of an install: see versions.ts for what is on disk. */
export class VersionedInstall implements InstallTransaction {
  readonly warnings: readonly string[];
  readonly #pair: PairTargets;
  readonly #versions: string;
  readonly #staged: StagedVersion;
  readonly #parts: readonly Part[];
  readonly #undo: DisposableStack;
  #isSpent = false;

  /**
   * @param pair both links of one layout, or names that are still free
   * @throws {RekeyError} kind `install`; nothing is left then
   */
  static async prepare(
    pair: PairTargets,
    { attributes = {}, signal }: PrepareOptions = {},
  ): Promise<VersionedInstall> {
    using undo = new DisposableStack();
    const { certificate } = pair;
    const versions = versionsDirectory(certificate);
    if (ensureVersions(certificate)) {
      undo.defer(() => attempt(() => Deno.removeSync(versions)));
      syncPath(certificate.directory, certificate.path);
    }
    const staged = undo.use(StagedVersion.create(versions, certificate.path));
    const tag = randomTag();
    const warnings: string[] = [];
    const parts = partsOf(pair).map(({ role, target }) => {
      const before = diskCall(
        "open",
        target.path,
        () => lstatIfExists(currentFile(versions, role)),
      );
      const wanted = attributesFor(role, before, attributes);
      const { mode } = wanted;
      warnings.push(...warnAboutMode(role, target, { before, mode }));
      const name = VERSION_FILES[role];
      const inside = {
        path: target.path,
        directory: staged.directory,
        name,
        file: inDirectory(staged.directory, name),
      };
      return {
        role,
        target: inside,
        staged: undo.use(StagedFile.create(inside, {
          kind: "new",
          tag,
          reserveBytes: reserveFor(role, before),
          attributes: wanted,
        })),
      };
    });
    for (const part of parts) await part.staged.settle(signal);
    return new VersionedInstall({
      pair,
      versions,
      staged,
      parts,
      warnings,
      undo: undo.move(),
    });
  }

  private constructor(
    { pair, versions, staged, parts, warnings, undo }: {
      readonly pair: PairTargets;
      readonly versions: string;
      readonly staged: StagedVersion;
      readonly parts: readonly Part[];
      readonly warnings: readonly string[];
      readonly undo: DisposableStack;
    },
  ) {
    this.warnings = warnings;
    this.#pair = pair;
    this.#versions = versions;
    this.#staged = staged;
    this.#parts = parts;
    this.#undo = undo;
  }

  // deno-lint-ignore require-await -- a failure is a rejection, not an exception
  async commit(contents: InstallContents): Promise<void> {
    if (this.#isSpent) throw new Error("install transaction is spent");
    this.#isSpent = true;
    using _undo = this.#undo;
    for (const { role, target, staged } of this.#parts) {
      const text = contents[role];
      if (text === undefined) throw new Error(`no content for ${role}`);
      staged.write(new TextEncoder().encode(text));
      staged.renameTo(target.name);
    }
    this.#takeOverKey();
    this.#makeLinks();
    this.#staged.put();
    attempt(() => pruneVersions(this.#versions));
  }

  /** A certificate alone goes on with the key that it had. */
  #takeOverKey(): void {
    if (this.#parts.some(({ role }) => role === "key")) return;
    const { certificate } = this.#pair;
    const from = currentFile(this.#versions, "key");
    const to = inDirectory(this.#staged.directory, VERSION_FILES.key);
    if (copyFile(certificate, from, to)) return;
    throw new RekeyError("install", `copy ${from} failed: it is gone`);
  }

  /** Into nothing, until there is a version in force. */
  #makeLinks(): void {
    for (const { role, target } of partsOf(this.#pair)) {
      if (target.version !== undefined) continue;
      const to = linkText(role, target, this.#pair.certificate);
      symlink(to, target.file, target.path);
      // Goes again when the version does not come into force.
      this.#undo.defer(() => {
        if (lstatIfExists(currentFile(this.#versions, role)) === undefined) {
          attempt(() => removeTree(target.file));
        }
      });
      syncPath(target.directory, target.path);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isSpent) this.#undo.dispose();
    this.#isSpent = true;
    return Promise.resolve();
  }
}

/** Key first: nobody looks for the key before there is a certificate. */
export function partsOf(
  { key, certificate }: PairTargets,
): readonly { readonly role: Role; readonly target: Target }[] {
  return [
    ...key === undefined ? [] : [{ role: "key", target: key } as const],
    { role: "certificate", target: certificate },
  ];
}

/**
 * What the link of a target says: relative beside the versions, so that the
 * directory can be moved; absolute from anywhere else.
 */
export function linkText(
  role: Role,
  { directory }: Target,
  certificate: Target,
): string {
  const inside = `${CURRENT}/${VERSION_FILES[role]}`;
  return directory === certificate.directory
    ? `${versionsName(certificate.name)}/${inside}`
    : inDirectory(versionsDirectory(certificate), inside);
}

/** The path of a file of the version in force. */
export function currentFile(versions: string, role: Role): string {
  return inDirectory(versions, `${CURRENT}/${VERSION_FILES[role]}`);
}
