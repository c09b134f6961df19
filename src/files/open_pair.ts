/**
 * The only way to a pair on disk: locked, and repaired.
 *
 * What may be done with a pair only while nobody else works on it, and only
 * after a crash was repaired, is a method of `LockedPair`: so it cannot be
 * called too early, nor after the lock is gone.
 */
import { RekeyError } from "../base/errors.ts";
import type { KeyPairFiles, ReloadPart } from "../base/options.ts";
import type { Clock, Log } from "../base/runtime.ts";
import { lstatIfExists } from "./disk/disk.ts";
import { requireOwnName } from "./disk/hidden_names.ts";
import type { Target } from "./disk/target.ts";
import { requireKnownFormats } from "./known_formats.ts";
import { lockPair, type PairLock } from "./lock/pair_lock.ts";
import {
  type CurrentPair,
  findCurrentPair,
  type PairChoice,
} from "./pair/current_pair.ts";
import { loadChain, type PasswordSource } from "./pair/key_pair.ts";
import { HiddenKeys, keptKeyWarnings } from "./pair/hidden_keys.ts";
import { readInputFile } from "./pair/input_file.ts";
import { SeenPair } from "./pair/seen_pair.ts";
import { PlainInstall } from "./plain/plain_install.ts";
import { recoverInstall } from "./plain/recovery.ts";
import {
  findPendingReload,
  type PeekedReload,
  peekPendingReload,
  type PendingReload,
  ReloadDraft,
} from "./reload_note/pending_reload.ts";
import {
  type InstallOptions,
  type InstallTransaction,
  type InstallWarning,
  type Layout,
  mapPair,
  membersOf,
  type Pair,
  resolvePair,
} from "./transaction.ts";
import {
  isBegun,
  isInterrupted,
  recoverStandIn,
  refuseForeignRepair,
} from "./unfinished.ts";
import { requireVersionable } from "./versioned/changeable_layout.ts";
import { requireVersionsGone } from "./versioned/discard_versions.ts";
import {
  changeLayout,
  layoutOf,
  mixedLayouts,
  removeUnfinishedVersions,
  requireMounted,
  resumeLayout,
} from "./versioned/layout.ts";
import {
  findPreviousPair,
  type PreviousPair,
} from "./versioned/previous_pair.ts";
import { VersionedInstall } from "./versioned/versioned_install.ts";

export interface OpenOptions {
  /** A pair that is only read, where that is another one. */
  readonly input?: KeyPairFiles | undefined;
  /** Longest wait for another process on the same pair; 0: none. */
  readonly lockTimeoutMs: number;
  /** Whether its files may be overwritten where they are. */
  readonly inPlace?: boolean | undefined;
  /** Folders of which one stands in for a folder that cannot be written, best first. */
  readonly stateFolders?: readonly string[] | undefined;
  readonly clock: Clock;
  /** Where a repair is reported. */
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Locks the files that are written, and repairs what a crash left. What is only
 * read is only locked while it is repaired.
 *
 * @param files as the user named them; without a key where only the certificate is written
 * @throws {RekeyError} kind `busy` when another process works on the pair; kind
 *   `install` when it cannot be locked or repaired; what `signal` aborts with
 */
export async function openPair(
  files: Pair<string>,
  options: OpenOptions,
): Promise<LockedPair> {
  const { input } = options;
  for (const file of [input?.certificate, input?.key]) {
    if (file !== undefined) requireOwnName(file);
  }
  const isOther = input !== undefined &&
    (input.certificate !== files.certificate || input.key !== files.key);
  if (isOther && isInterrupted(input.certificate, options.stateFolders ?? [])) {
    (await LockedPair.open(input, options))[Symbol.dispose]();
  }
  return await LockedPair.open(files, options);
}

/** A pair that nobody else changes until it is disposed. */
export class LockedPair implements Disposable {
  /** As the user named them. */
  readonly files: Pair<string>;
  readonly #lock: PairLock;
  readonly #log: Log;
  readonly #stateFolders: readonly string[];
  /** Links followed; once, but for a change of layout. */
  #targets: Pair<Target>;
  /** What stood there when it was opened, repaired. */
  readonly #seen = new SeenPair();
  readonly #hidden: HiddenKeys;

  /** @throws {RekeyError} as {@linkcode openPair} */
  static async open(
    files: Pair<string>,
    options: OpenOptions,
  ): Promise<LockedPair> {
    using undo = new DisposableStack();
    const { lockTimeoutMs: timeoutMs } = options;
    const lock = undo.use(await lockPair(files, { ...options, timeoutMs }));
    const pair = new LockedPair(files, lock, options);
    undo.move();
    using unlessRepaired = new DisposableStack();
    unlessRepaired.use(pair);
    await pair.#repair();
    unlessRepaired.move();
    return pair;
  }

  private constructor(
    files: Pair<string>,
    lock: PairLock,
    { log, stateFolders = [] }: OpenOptions,
  ) {
    this.files = files;
    this.#lock = lock;
    this.#log = log;
    this.#stateFolders = stateFolders;
    this.#targets = lock.targets;
    this.#hidden = new HiddenKeys(this.#targets);
  }

  #resolve(): Pair<Target> {
    return mapPair(resolvePair(this.files), this.#lock.at);
  }

  /** Finishes or undoes what was interrupted, and removes what a killed process left. */
  async #repair(): Promise<void> {
    const { certificate } = this.#targets;
    requireKnownFormats(this.#targets, this.#stateFolders);
    const refusal = this.#lock.refusal(this.#targets);
    if (refusal !== undefined) {
      if (isBegun(certificate)) throw refusal;
      return;
    }
    if (certificate.standsIn !== undefined) {
      refuseForeignRepair(certificate, certificate.standsIn);
    }
    const hidden = this.#hidden;
    const warn = (warning: InstallWarning) => this.#warn(warning);
    const tools = { hidden, warn };
    const recovery =
      await recoverStandIn(this.#targets, this.#stateFolders, tools) ??
        await recoverInstall(this.#targets, tools);
    const isResumed = await resumeLayout(this.#targets, tools);
    // Looked at again: what was a link may be a file by now.
    if (isResumed) this.#lookAgain();
    if (await removeUnfinishedVersions(this.#targets, hidden)) {
      this.#lookAgain();
    }
    requireMounted(this.#targets);
    this.#seen.lookAgain(this.#targets);
    if (isResumed) {
      const layoutChanged = { kind: "layout changed" } as const;
      this.#log.write({ event: "repaired", recovery: layoutChanged });
    } else if (recovery.kind !== "none") {
      this.#log.write({ event: "repaired", recovery });
    }
  }

  /** @throws {RekeyError} kind `install` where nothing may be changed */
  #requireWritable(): void {
    const refusal = this.#lock.refusal(this.#targets);
    if (refusal !== undefined) throw refusal;
  }

  /** Names cannot be replaced by links, nor links by files, in a folder that cannot be written. */
  #requireFolders(): void {
    for (const { value: { path, standsIn } } of membersOf(this.#targets)) {
      if (standsIn === undefined) continue;
      throw new RekeyError(
        "install",
        `cannot change the layout of ${path}: its folder ${standsIn} cannot be written`,
        { hint: "run as the owner of the folder or as root" },
      );
    }
  }

  /** Where the names lead by now. */
  #lookAgain(): void {
    this.#targets = this.#resolve();
    this.#hidden.lookAgain(this.#targets);
  }

  #warn(warning: InstallWarning): void {
    this.#log.write({ event: "warning", ...warning, once: true });
  }

  /**
   * The pair to authenticate with: see `findCurrentPair`.
   *
   * @throws {RekeyError} kind `pair`
   */
  async load(
    choice: PairChoice,
    password: PasswordSource,
    now: Date,
  ): Promise<CurrentPair> {
    const read = async (file: string) =>
      this.#seen.contentOf(file) ?? await readInputFile(file);
    return await findCurrentPair(choice, { password, read }, now);
  }

  /** Whether nothing stands there yet. */
  get isNew(): boolean {
    return isNew(this.#targets);
  }

  /** @throws {RekeyError} as `findPreviousPair`, and as `requireUnchanged` when it is put back */
  findPrevious(): PreviousPair {
    this.#requireWritable();
    const { files, putBack } = findPreviousPair(this.#targets);
    return {
      files,
      putBack: () => {
        this.#seen.requireUnchanged(this.#targets);
        putBack();
      },
    };
  }

  /**
   * Proves, before the CA is asked, that the files can be replaced: stages
   * files of their size beside them, with the owner that they will have; that
   * the disk has them is what its `settle` waits for. Where another layout is
   * wanted, it is changed here; the contents stay.
   *
   * @throws {RekeyError} kind `install`, naming the file and the way out
   */
  async prepareInstall(
    options: InstallOptions = {},
  ): Promise<InstallTransaction> {
    if (options.givenKeyFile !== undefined) {
      requireOwnName(options.givenKeyFile);
    }
    this.#requireWritable();
    const present = layoutOf(this.#targets);
    if (present === "mixed") throw mixedLayouts(this.#targets);
    const layout = options.layout ?? present;
    if (layout === "versioned") {
      this.#requireFolders();
      requireVersionable(this.#targets, options);
    }
    if (layout !== present && !isNew(this.#targets)) {
      await this.changeLayout(layout);
    }
    const opened = { seen: this.#seen, hidden: this.#hidden };
    const prepared = { ...options, ...opened };
    return layout === "plain"
      ? new PlainInstall(this.#targets, prepared)
      : new VersionedInstall(this.#targets, prepared);
  }

  /**
   * Changes how a pair that is there stands on disk, and says so; its contents
   * stay.
   *
   * @returns whether there was anything to change
   * @throws {RekeyError} kind `install`
   */
  async changeLayout(layout: Layout): Promise<boolean> {
    this.#requireWritable();
    this.#requireFolders();
    const hidden = this.#hidden;
    const isChanged = await changeLayout(this.#targets, layout, {
      hidden,
      warn: (warning) => this.#warn(warning),
    });
    if (isChanged) this.#lookAgain();
    if (layout === "plain") {
      await requireVersionsGone(this.#targets.certificate, hidden);
    }
    const { certificate, key } = this.files;
    // A certificate alone has no layout to change.
    if (key === undefined) return isChanged;
    const targets = { certificate, key };
    this.#log.write({ event: "layout", targets, layout, isChanged });
    return isChanged;
  }

  /**
   * Proves that the note of a reload can be written beside the certificate.
   *
   * @param parts what the service will have to be told by
   * @throws {RekeyError} kind `install`
   */
  draftReload(parts: readonly ReloadPart[]): ReloadDraft {
    return new ReloadDraft(this.#targets.certificate, parts);
  }

  /**
   * What is still to be delivered for the certificate on the disk: see
   * `findPendingReload`.
   *
   * @throws {RekeyError} kinds `install` and `pair`
   */
  async findPendingReload(
    parts: readonly ReloadPart[],
  ): Promise<PendingReload | "elsewhere" | undefined> {
    return await findPendingReload(this.#targets.certificate, {
      load: async () => (await loadChain(this.files.certificate))[0],
      parts,
    });
  }

  /**
   * What is pending for the certificate on the disk, whoever can deliver it:
   * see `peekPendingReload`.
   *
   * @throws {RekeyError} kinds `install` and `pair`
   */
  async peekPendingReload(): Promise<PeekedReload | undefined> {
    return await peekPendingReload(
      this.#targets.certificate,
      async () => (await loadChain(this.files.certificate))[0],
    );
  }

  /** Releases it. What is still kept in doubt then is said. */
  [Symbol.dispose](): void {
    for (const warning of keptKeyWarnings(this.#targets, this.#hidden.kept)) {
      this.#warn(warning);
    }
    this.#lock[Symbol.dispose]();
  }
}

function isNew(pair: Pair<Target>): boolean {
  return membersOf(pair).every(({ value }) =>
    lstatIfExists(value.file) === undefined
  );
}
