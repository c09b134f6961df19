/**
 * Finishes or undoes what an interrupted install left.
 *
 * Must never act on a journal that it does not fully understand, nor touch a
 * file outside the pair that was named, nor one that somebody else has written
 * since.
 */
import { RekeyError } from "../../base/errors.ts";
import { attempt } from "../../base/os_error.ts";
import { sha256 } from "../disk/digest.ts";
import {
  diskCall,
  readIfExists,
  removeIfExists,
  removeTree,
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
  type InstallJournal,
  type JournalTarget,
  type ObservedTarget,
  planRecovery,
  type RecoveryPlan,
  type TargetAction,
} from "./journal.ts";
import { isInterruptedCopy, overwriteFrom } from "./in_place.ts";
import { findJournal, unusable } from "./journal_file.ts";
import { duplicateFile } from "../disk/backup_file.ts";
import { inDirectory, type Target } from "../disk/target.ts";

/** What a repair found. */
export type Recovery =
  /** Nothing was pending. */
  | { readonly kind: "none" }
  /** An interrupted swap was finished (`new`) or undone (`old`). */
  | { readonly kind: "finished" | "undone" }
  /** An interrupted change of the layout was finished. */
  | { readonly kind: "layout changed" }
  /** Somebody else replaced a file since: left alone, journal dropped. */
  | {
    readonly kind: "foreign";
    readonly file: string;
    /** Where the old private key was kept, when it is nowhere else. */
    readonly savedKey?: string | undefined;
  };

/** The targets of a pair, links followed. */
export interface PairTargets {
  readonly certificate: Target;
  readonly key: Target | undefined;
}

/** One entry of a journal, and where its files really are. */
interface PendingTarget {
  readonly entry: JournalTarget;
  readonly target: Target;
}

/**
 * Brings the pair to one of its two states and removes all hidden files of
 * installs but the locks.
 *
 * @throws {RekeyError} kind `install`
 */
export async function recoverTargets(
  pair: PairTargets,
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
  const saved = carryOut(plan, pending);
  removePending(pending, pair);
  if (plan.kind !== "foreign") return { kind: plan.kind };
  return {
    kind: "foreign",
    file: pending[plan.target]?.target.path ?? pair.certificate.path,
    savedKey: saved,
  };
}

/** Finds the files of a journal, which must be those that the user named. */
function locate(
  { targets }: InstallJournal,
  pair: PairTargets,
): readonly PendingTarget[] {
  return targets.map((entry) => {
    const target = pair[entry.role];
    const directory = entry.directory ?? pair.certificate.directory;
    if (
      target !== undefined && target.name === entry.name &&
      target.directory === directory
    ) return { entry, target };
    const other = inDirectory(directory, entry.name);
    throw unusable(pair.certificate, {
      what: `has to be repaired first, and it includes ${other}`,
      hint: `run the command once with that file as ${entry.role}`,
    });
  });
}

async function observe(
  { entry, target }: PendingTarget,
): Promise<ObservedTarget> {
  const [current, staged, kept] = [target.name, entry.staged, entry.kept].map(
    (name) => name === undefined ? undefined : contentOf(target, name),
  );
  return {
    current: await digestOf(current),
    staged: await digestOf(staged),
    kept: await digestOf(kept),
    isTorn: entry.inPlace === true && current instanceof Uint8Array &&
      staged instanceof Uint8Array && kept instanceof Uint8Array &&
      isInterruptedCopy(current, { old: kept, fresh: staged }),
  };
}

type FileContent = ReturnType<typeof readIfExists>;

function contentOf({ directory, path }: Target, name: string): FileContent {
  return diskCall(
    "read",
    path,
    () => readIfExists(inDirectory(directory, name)),
  );
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
  for (const step of steps) step.finish();
  syncDirectories(targets);
  return steps.find(({ saved }) => saved !== undefined)?.saved;
}

interface Step {
  finish(): void;
  readonly saved?: string;
}

const NO_STEP: Step = { finish() {} };

function prepareStep(action: TargetAction, item: PendingTarget): Step {
  const { target, entry } = item;
  const { directory, file, path } = target;
  switch (action) {
    case "leave":
      return NO_STEP;
    case "install":
      if (entry.inPlace === true) return copying(item, entry.staged);
      return renaming(target, entry.staged);
    case "remove":
      return {
        finish: () => diskCall("remove", path, () => removeIfExists(file)),
      };
    case "restore": {
      if (entry.inPlace === true) return copying(item, entry.kept);
      // Another name of the kept file is moved, never its last one: a rename
      // that the power undoes may lose both names. And where both are names of
      // one file, rename(2) does nothing and says that it did.
      const name = hiddenName(target.name, "new", randomTag());
      duplicateKept(item, inDirectory(directory, name));
      return { finish: () => moveBack(target, inDirectory(directory, name)) };
    }
    case "save": {
      const saved = inDirectory(directory, savedName(target.name));
      duplicateKept(item, saved);
      return { ...NO_STEP, saved };
    }
  }
}

function duplicateKept({ entry, target }: PendingTarget, to: string): void {
  if (
    entry.kept !== undefined &&
    duplicateFile(target, inDirectory(target.directory, entry.kept), to)
  ) return;
  throw new RekeyError("install", `the old file of ${target.path} is gone`);
}

function moveBack({ file, path }: Target, from: string): void {
  if (attempt(() => Deno.renameSync(from, file))) return;
  // Renames have stopped working, which is why we are here. So the name is
  // missing for a moment; the journal knows what belongs there.
  diskCall("restore", path, () => {
    removeIfExists(file);
    Deno.linkSync(from, file);
  });
}

function copying(
  { target, entry }: PendingTarget,
  from: string | undefined,
): Step {
  return {
    finish: () =>
      overwriteFrom(
        target,
        inDirectory(target.directory, from ?? ""),
        entry.attributes,
      ),
  };
}

function renaming({ directory, file, path }: Target, from: string): Step {
  return {
    finish: () =>
      diskCall(
        "rename to",
        path,
        () => Deno.renameSync(inDirectory(directory, from), file),
      ),
  };
}

/** The journal last: until it is gone, all of this can be done again. */
function removePending(
  pending: readonly PendingTarget[],
  pair: PairTargets,
): void {
  const { certificate } = pair;
  for (const { entry, target } of pending) {
    for (const name of [entry.staged, entry.kept]) {
      if (name === undefined) continue;
      const file = inDirectory(target.directory, name);
      diskCall("tidy up after", target.path, () => removeIfExists(file));
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
function removeLeftovers({ certificate, key }: PairTargets): void {
  for (const target of [certificate, ...(key === undefined ? [] : [key])]) {
    attempt(() => {
      const names = sortedNames(target.directory).filter((name) =>
        target === certificate
          ? isHiddenName(name, target.name)
          : isLeftoverOf(certificate.name, name, target.name)
      );
      for (const name of names) {
        attempt(() => removeTree(inDirectory(target.directory, name)));
      }
    });
  }
}
