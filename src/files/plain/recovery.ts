/**
 * Finishes or undoes what an interrupted install left.
 *
 * Must never act on a journal that it does not fully understand, nor touch a
 * file outside the pair that was named, nor one that somebody else has written
 * since.
 */
import { sha256 } from "../../base/bytes.ts";
import { RekeyError } from "../../base/errors.ts";
import { bestEffort, bestEffortOf } from "../../base/os_error.ts";
import { copyFile, duplicateFile } from "../disk/backup_file.ts";
import {
  diskCall,
  diskWait,
  readIfExists,
  removeIfExists,
  sortedNames,
  syncDirectories,
  syncDirectory,
} from "../disk/disk.ts";
import {
  hiddenPath,
  isHiddenName,
  isLeftoverOf,
  journalPath,
  savedName,
  temporaryPath,
} from "../disk/hidden_names.ts";
import { unpin } from "../disk/pinned.ts";
import {
  inDirectory,
  relativeTo,
  resolveFrom,
  type Target,
} from "../disk/target.ts";
import type { HiddenKeys } from "../pair/hidden_keys.ts";
import {
  membersOf,
  type Pair,
  type Recovery,
  syncTidied,
  type Warn,
} from "../transaction.ts";
import { isInterruptedCopy, overwriteFrom } from "./in_place.ts";
import {
  type JournalTarget,
  type ObservedTarget,
  planRecovery,
  type RecoveryPlan,
  type TargetAction,
} from "./journal.ts";
import { findJournal, unusable } from "./journal_file.ts";

/** One entry of a journal, and where its files really are. */
interface PendingTarget {
  readonly entry: JournalTarget;
  readonly target: Target;
  readonly staged: string;
  readonly backup: string;
}

export interface RecoveryOptions {
  /**
   * For who has just failed to finish: where all is in place nevertheless, it
   * stays for the next run, which does not take his word for what is durable.
   */
  readonly undo?: boolean;
  /** Removes what is not needed any more. */
  readonly hidden: HiddenKeys;
  readonly warn: Warn;
}

/**
 * Brings the pair to one of its two states and removes all hidden files of
 * installs but the locks, and but those that `hidden` keeps. Idempotent.
 *
 * @throws {RekeyError} kind `install` when the repair itself cannot be written,
 *   when nothing of a file is there, or when the journal found is not one that
 *   this version may act on
 */
export async function recoverInstall(
  pair: Pair<Target>,
  options: RecoveryOptions,
): Promise<Recovery> {
  const journal = findJournal(pair.certificate);
  if (journal === undefined) {
    await removeLeftovers(pair, options.hidden);
    return { kind: "none" };
  }
  const pending = await Promise.all(
    journal.targets.map((entry) => locate(entry, { tag: journal.tag, pair })),
  );
  const observed = await Promise.all(pending.map(observe));
  const plan = planRecovery(journal, observed, options);
  if (plan.kind === "absent") throw absent(pending[plan.target]?.target, pair);
  if (plan.kind === "finished" && options.undo === true) {
    return { kind: plan.kind };
  }
  const savedKey = carryOut(plan, pending);
  // What has the digest of the other state is its key, and not of what stands.
  const known = pending.map(({ entry, ...files }, index) =>
    plan.kind === "finished" &&
      observed[index]?.backup === entry.oldDigest
      ? files.backup
      : plan.kind === "undone" && observed[index]?.staged === entry.newDigest
      ? files.staged
      : undefined
  );
  await removePending(pending, { pair, known, ...options });
  if (plan.kind !== "foreign") return { kind: plan.kind };
  const changed = pending[plan.target]?.target ?? pair.certificate;
  return { kind: "foreign", file: changed.path, savedKey };
}

/**
 * Finds the files of one entry, which must be those that the user named: where
 * the journal says, or in a directory that has another path by now, such as the
 * mount of another container, told by what it holds.
 */
async function locate(
  entry: JournalTarget,
  { tag, pair }: { readonly tag: string; readonly pair: Pair<Target> },
): Promise<PendingTarget> {
  const { directory } = pair.certificate;
  const { name } = entry;
  const at = (target: Target): PendingTarget => ({
    entry,
    target,
    staged: hiddenPath(target, { kind: "new", tag }),
    backup: hiddenPath(target, { kind: "old", tag }),
  });
  const named = pair[entry.role];
  const place = resolveFrom(directory, entry.directory ?? "");
  const file = inDirectory(place, name);
  if (named !== undefined && named.name === name) {
    const seen = relativeTo(directory, named.directory);
    if (seen === (entry.directory ?? "")) return at(named);
    const path = unpin(file);
    const written = at({ path, directory: place, name, file });
    if (!await holdsPart(written) && await holdsPart(at(named))) {
      return at(named);
    }
  }
  throw unusable(pair.certificate, {
    what: `has to be repaired first, and it includes ${unpin(file)}`,
    hint: `run the command once with that file as ${entry.role}`,
  });
}

/** Whether anything of an install is in a place. */
async function holdsPart(pending: PendingTarget): Promise<boolean> {
  const { oldDigest, newDigest } = pending.entry;
  const { current, staged, backup } = await observe(pending);
  return [current, staged, backup].some((digest) =>
    digest !== undefined && (digest === oldDigest || digest === newDigest)
  );
}

function absent(target: Target | undefined, pair: Pair<Target>): RekeyError {
  const { certificate } = pair;
  return unusable(certificate, {
    what: `has to be repaired first, and nothing of ${
      (target ?? certificate).path
    } is there: is a file system not mounted?`,
    hint: `mount it and run the command again; if it is lost for good, remove ${
      unpin(journalPath(certificate))
    }`,
  });
}

async function observe(
  { entry, target, staged, backup }: PendingTarget,
): Promise<ObservedTarget> {
  const read = (file: string) =>
    diskCall("read", target.path, () => readIfExists(file));
  const [current, fresh, old] = [read(target.file), read(staged), read(backup)];
  return {
    current: await digestOf(current),
    staged: await digestOf(fresh),
    backup: await digestOf(old),
    isTorn: entry.inPlace === true && current instanceof Uint8Array &&
      fresh instanceof Uint8Array && old instanceof Uint8Array &&
      isInterruptedCopy(current, { old, fresh }),
  };
}

async function digestOf(
  content: ReturnType<typeof readIfExists>,
): Promise<string | undefined> {
  return content instanceof Uint8Array ? await sha256(content) : content;
}

/**
 * What makes the pair one comes first, since it takes no space: on a disk that
 * is full, what is complete cannot be written anew.
 *
 * @returns where the old key was saved, when the plan says so
 */
function carryOut(
  plan: RecoveryPlan,
  pending: readonly PendingTarget[],
): string | undefined {
  const isLater = (action: TargetAction) => action === "rewrite";
  const saved = carryOutSome(plan, pending, (action) => !isLater(action));
  if (!plan.actions.some(isLater)) return saved;
  try {
    carryOutSome(plan, pending, isLater);
    return saved;
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    const { kind, message, hint } = error;
    throw new RekeyError(
      kind,
      `${message}; the new pair is in place, but has to be written once more`,
      { hint, cause: error },
    );
  }
}

function carryOutSome(
  { kind, actions }: RecoveryPlan,
  pending: readonly PendingTarget[],
  isWanted: (action: TargetAction) => boolean,
): string | undefined {
  const targets = pending.map(({ target }) => target);
  const steps = pending.map((item, index) => {
    const { oldMode, mode } = item.entry;
    const action = actions[index] ?? "leave";
    return prepareStep(isWanted(action) ? action : "leave", {
      ...item,
      mode: kind === "undone" ? oldMode ?? mode : mode,
    });
  });
  // What was prepared has to be durable before anything is moved over it.
  syncDirectories(targets);
  if (kind === "undone") undo(steps, targets);
  else for (const step of steps) step.finish?.();
  syncDirectories(targets);
  return steps.map(({ saved }) => saved && unpin(saved))
    .find((saved) => saved !== undefined);
}

/** From the end: a certificate that is new has its key until it goes. */
function undo(steps: readonly Step[], targets: readonly Target[]): void {
  for (const [index, step] of [...steps.entries()].toReversed()) {
    step.finish?.();
    const target = targets[index];
    if (step.finish && target !== undefined) syncDirectory(target);
  }
}

interface Step {
  finish?(): void;
  readonly saved?: string;
}

function prepareStep(
  action: TargetAction,
  { target, entry, staged, backup, mode }: PendingTarget & {
    /** Of a file that is overwritten; its present owner stays. */
    readonly mode: number | undefined;
  },
): Step {
  const { directory, name, file, path } = target;
  const copy = (from: string): Step => ({
    finish: () =>
      overwriteFrom(target, from, mode === undefined ? undefined : { mode }),
  });
  switch (action) {
    case "leave":
      return {};
    case "install":
      if (entry.inPlace === true) return copy(staged);
      return {
        finish: () =>
          diskCall("rename to", path, () => Deno.renameSync(staged, file)),
      };
    case "rewrite": {
      const from = temporaryPath(target);
      if (!copyFile(target, file, from)) throw gone(target);
      return {
        finish: () =>
          diskCall("rename to", path, () => Deno.renameSync(from, file)),
      };
    }
    case "remove":
      return {
        finish: () => diskCall("remove", path, () => removeIfExists(file)),
      };
    case "restore": {
      if (entry.inPlace === true) return copy(backup);
      // Another name of the backup is moved, never its last one: a rename
      // that the power undoes may lose both names. And where both are names of
      // one file, rename(2) does nothing and says that it did.
      const from = temporaryPath(target);
      duplicateBackup(target, backup, from);
      return { finish: () => moveBack(target, from) };
    }
    case "save": {
      const saved = inDirectory(directory, savedName(name));
      duplicateBackup(target, backup, saved);
      return { saved };
    }
  }
}

function duplicateBackup(target: Target, backup: string, to: string): void {
  if (!duplicateFile(target, backup, to)) throw gone(target);
}

function gone({ path }: Target): RekeyError {
  return new RekeyError("install", `the old file of ${path} is gone`);
}

function moveBack({ file, path }: Target, from: string): void {
  if (bestEffort(() => Deno.renameSync(from, file))) return;
  // Renames have stopped working, which is why we are here. So the name is
  // missing for a moment; the journal knows what belongs there.
  diskCall("restore", path, () => {
    removeIfExists(file);
    Deno.linkSync(from, file);
  });
}

/** The journal last: until it is gone, all of this can be done again. */
async function removePending(
  pending: readonly PendingTarget[],
  { pair, known, hidden, warn }: RecoveryOptions & {
    readonly pair: Pair<Target>;
    /** Files that hold the key of a certificate that does not stand. */
    readonly known: readonly (string | undefined)[];
  },
): Promise<void> {
  const { certificate } = pair;
  for (const { target: { path }, staged, backup } of pending) {
    for (const file of [staged, backup]) {
      await diskWait(
        { action: "tidy up after", path, signal: undefined },
        async () => {
          const isOfAnother = known.includes(file);
          await hidden.discard(file, { isOfAnother });
        },
      );
    }
  }
  diskCall(
    "tidy up after",
    certificate.path,
    () => removeIfExists(journalPath(certificate)),
  );
  syncTidied(pending.map(({ target }) => target), warn);
  await removeLeftovers(pair, hidden);
}

/**
 * The lock proves that whoever made these files is gone. They harm nobody, so
 * one that cannot be removed stays: a directory that cannot be written is
 * refused, with its reason, when something is to be written into it.
 */
async function removeLeftovers(
  pair: Pair<Target>,
  hidden: HiddenKeys,
): Promise<void> {
  const certificateName = pair.certificate.name;
  for (const { role, value: { directory, name } } of membersOf(pair)) {
    await bestEffortOf(async () => {
      const leftovers = sortedNames(directory).filter((candidate) =>
        role === "certificate"
          ? isHiddenName(candidate, name)
          : isLeftoverOf(certificateName, candidate, name)
      );
      for (const leftover of leftovers) {
        const file = inDirectory(directory, leftover);
        await bestEffortOf(() => hidden.discard(file));
      }
    });
  }
}
