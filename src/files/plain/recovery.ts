/**
 * Finishes or undoes what an interrupted install left.
 *
 * Must never act on a journal that it does not fully understand, nor touch a
 * file outside the pair that was named, nor one that somebody else has written
 * since.
 */
import { RekeyError } from "../../base/errors.ts";
import { bestEffort } from "../../base/os_error.ts";
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
  hiddenName,
  isHiddenName,
  isLeftoverOf,
  journalName,
  randomTag,
  savedName,
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
  { targets }: InstallJournal,
  pair: Pair<Target>,
): readonly PendingTarget[] {
  const { directory } = pair.certificate;
  return targets.map((entry) => {
    const target = pair[entry.role];
    if (
      target !== undefined && target.name === entry.name &&
      relativeTo(directory, target.directory) === (entry.directory ?? "")
    ) return { entry, target };
    const place = resolveFrom(directory, entry.directory ?? "");
    throw unusable(pair.certificate, {
      what: `has to be repaired first, and it includes ${
        inDirectory(place, entry.name)
      }`,
      hint: `run the command once with that file as ${entry.role}`,
    });
  });
}

async function observe(
  { entry, target }: PendingTarget,
): Promise<ObservedTarget> {
  const [current, staged, backup] = [target.name, entry.staged, entry.backup]
    .map((name) => name === undefined ? undefined : contentOf(target, name));
  return {
    current: await digestOf(current),
    staged: await digestOf(staged),
    backup: await digestOf(backup),
    isTorn: entry.inPlace === true && current instanceof Uint8Array &&
      staged instanceof Uint8Array && backup instanceof Uint8Array &&
      isInterruptedCopy(current, { old: backup, fresh: staged }),
  };
}

type FileContent = ReturnType<typeof readIfExists>;

function contentOf({ directory, path }: Target, name: string): FileContent {
  const file = inDirectory(directory, name);
  return diskCall("read", path, () => readIfExists(file));
}

async function digestOf(content: FileContent): Promise<string | undefined> {
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
  return steps.find(({ saved }) => saved !== undefined)?.saved;
}

interface Step {
  finish?(): void;
  readonly saved?: string;
}

function prepareStep(action: TargetAction, item: PendingTarget): Step {
  const { target, entry } = item;
  const { directory, file, path } = target;
  switch (action) {
    case "leave":
      return {};
    case "install": {
      const from = inDirectory(directory, entry.staged);
      if (entry.inPlace === true) return copying(item, from);
      return {
        finish: () =>
          diskCall("rename to", path, () => Deno.renameSync(from, file)),
      };
    }
    case "remove":
      return { finish: () => diskCall("remove", path, () => discard(file)) };
    case "restore": {
      const backup = inDirectory(directory, entry.backup ?? "");
      if (entry.inPlace === true) return copying(item, backup);
      // Another name of the backup is moved, never its last one: a rename
      // that the power undoes may lose both names. And where both are names of
      // one file, rename(2) does nothing and says that it did.
      const name = hiddenName(target.name, "new", randomTag());
      const from = inDirectory(directory, name);
      duplicateBackup(item, from);
      return { finish: () => moveBack(target, from) };
    }
    case "save": {
      const saved = inDirectory(directory, savedName(target.name));
      duplicateBackup(item, saved);
      return { saved };
    }
  }
}

function duplicateBackup({ entry, target }: PendingTarget, to: string): void {
  if (
    entry.backup !== undefined &&
    duplicateFile(target, inDirectory(target.directory, entry.backup), to)
  ) return;
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

function copying({ target, entry }: PendingTarget, from: string): Step {
  return { finish: () => overwriteFrom(target, from, entry.attributes) };
}

/** The journal last: until it is gone, all of this can be done again. */
function removePending(
  pending: readonly PendingTarget[],
  pair: Pair<Target>,
): void {
  const { certificate } = pair;
  for (const { entry, target } of pending) {
    for (const name of [entry.staged, entry.backup]) {
      if (name === undefined) continue;
      const file = inDirectory(target.directory, name);
      diskCall("tidy up after", target.path, () => discard(file));
    }
  }
  const journal = inDirectory(
    certificate.directory,
    journalName(certificate.name),
  );
  diskCall("tidy up after", certificate.path, () => removeIfExists(journal));
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
