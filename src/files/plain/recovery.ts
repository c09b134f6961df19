/**
 * Finishes or undoes what an interrupted install left.
 *
 * Must never act on a journal that it does not fully understand, nor touch a
 * file outside the pair that was named, nor one that somebody else has written
 * since.
 */
import { RekeyError } from "../../base/errors.ts";
import { bestEffort } from "../../base/os_error.ts";
import type { FileAttributes } from "../disk/attributes.ts";
import { unpin } from "../disk/pinned.ts";
import { duplicateFile } from "../disk/backup_file.ts";
import {
  discard,
  diskCall,
  readIfExists,
  removeIfExists,
  sha256,
  sortedNames,
  syncDirectories,
} from "../disk/disk.ts";
import {
  hiddenPath,
  isHiddenName,
  isLeftoverOf,
  journalPath,
  savedName,
  temporaryPath,
} from "../disk/hidden_names.ts";
import {
  inDirectory,
  relativeTo,
  resolveFrom,
  type Target,
} from "../disk/target.ts";
import { membersOf, type Pair, type Recovery } from "../transaction.ts";
import { isInterruptedCopy, overwriteFrom } from "./in_place.ts";
import {
  type InstallJournal,
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

/**
 * Brings the pair to one of its two states and removes all hidden files of
 * installs but the locks. Idempotent.
 *
 * @throws {RekeyError} kind `install` when the repair itself cannot be written,
 *   or when the journal found is not one that this version may act on
 */
export async function recoverInstall(
  pair: Pair<Target>,
  options: {
    /** Finish only what is finished: for who has just failed to. */
    readonly undo?: boolean;
  } = {},
): Promise<Recovery> {
  const journal = findJournal(pair.certificate);
  if (journal === undefined) {
    removeLeftovers(pair);
    return { kind: "none" };
  }
  const pending = locate(journal, pair);
  const observed = await Promise.all(pending.map(observe));
  const plan = planRecovery(journal, observed, options);
  const savedKey = carryOut(plan, pending);
  removePending(pending, pair);
  if (plan.kind !== "foreign") return { kind: plan.kind };
  const changed = pending[plan.target]?.target ?? pair.certificate;
  return { kind: "foreign", file: changed.path, savedKey };
}

/** Finds the files of a journal, which must be those that the user named. */
function locate(
  { tag, targets }: InstallJournal,
  pair: Pair<Target>,
): readonly PendingTarget[] {
  const { directory } = pair.certificate;
  return targets.map((entry) => {
    const target = pair[entry.role];
    if (
      target !== undefined && target.name === entry.name &&
      relativeTo(directory, target.directory) === (entry.directory ?? "")
    ) {
      const staged = hiddenPath(target, { kind: "new", tag });
      const backup = hiddenPath(target, { kind: "old", tag });
      return { entry, target, staged, backup };
    }
    const place = resolveFrom(directory, entry.directory ?? "");
    throw unusable(pair.certificate, {
      what: `has to be repaired first, and it includes ${
        unpin(inDirectory(place, entry.name))
      }`,
      hint: `run the command once with that file as ${entry.role}`,
    });
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

/** @returns where the old key was saved, when the plan says so */
function carryOut(
  plan: RecoveryPlan,
  pending: readonly PendingTarget[],
): string | undefined {
  const targets = pending.map(({ target }) => target);
  const steps = pending.map((item, index) =>
    prepareStep(plan.actions[index] ?? "leave", item)
  );
  // What was prepared has to be durable before anything is moved over it.
  syncDirectories(targets);
  for (const step of steps) step.finish?.();
  syncDirectories(targets);
  return steps.map(({ saved }) => saved && unpin(saved))
    .find((saved) => saved !== undefined);
}

interface Step {
  finish?(): void;
  readonly saved?: string;
}

function prepareStep(
  action: TargetAction,
  { target, entry, staged, backup }: PendingTarget,
): Step {
  const { directory, name, file, path } = target;
  const copy = (from: string): Step => ({
    finish: () => overwriteFrom(target, from, modeOf(entry)),
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
    case "remove":
      return { finish: () => diskCall("remove", path, () => discard(file)) };
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

/** Its present owner stays. */
function modeOf({ mode }: JournalTarget): FileAttributes | undefined {
  return mode === undefined ? undefined : { mode };
}

function duplicateBackup(target: Target, backup: string, to: string): void {
  if (duplicateFile(target, backup, to)) return;
  throw new RekeyError("install", `the old file of ${target.path} is gone`);
}

function moveBack({ file, path }: Target, from: string): void {
  if (bestEffort(() => Deno.renameSync(from, file))) return;
  // Renames have stopped working, which is why we are here. So the name is
  // missing for a moment; the journal knows what belongs there.
  diskCall("restore", path, () => {
    discard(file);
    Deno.linkSync(from, file);
  });
}

/** The journal last: until it is gone, all of this can be done again. */
function removePending(
  pending: readonly PendingTarget[],
  pair: Pair<Target>,
): void {
  const { certificate } = pair;
  for (const { target: { path }, staged, backup } of pending) {
    for (const file of [staged, backup]) {
      diskCall("tidy up after", path, () => discard(file));
    }
  }
  diskCall(
    "tidy up after",
    certificate.path,
    () => removeIfExists(journalPath(certificate)),
  );
  syncDirectories(pending.map(({ target }) => target));
  removeLeftovers(pair);
}

/**
 * The lock proves that whoever made these files is gone. They harm nobody, so
 * one that cannot be removed stays: a directory that cannot be written is
 * refused, with its reason, when something is to be written into it.
 */
function removeLeftovers(pair: Pair<Target>): void {
  const certificateName = pair.certificate.name;
  for (const { role, value: { directory, name } } of membersOf(pair)) {
    bestEffort(() => {
      const leftovers = sortedNames(directory).filter((candidate) =>
        role === "certificate"
          ? isHiddenName(candidate, name)
          : isLeftoverOf(certificateName, candidate, name)
      );
      for (const leftover of leftovers) {
        bestEffort(() => discard(inDirectory(directory, leftover)));
      }
    });
  }
}
