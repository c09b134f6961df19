/**
 * What the journal of an install says, and what follows from it: pure.
 *
 * The journal is the commit point. It is in force from the moment in which it
 * has its name until it is removed, and holds the digests of both states, so
 * that a later process can tell what was done, what was not, and what somebody
 * else has written since.
 */
import type { Format } from "../disk/format.ts";
import type { Role } from "../disk/target.ts";
import { type Fields, formatSealed, isObject } from "./sealed_note.ts";

export interface JournalTarget {
  readonly role: Role;
  /** The directory as seen from the journal's own; undefined when it is that one. */
  readonly directory?: string | undefined;
  readonly name: string;
  /** SHA-256 in hexadecimal of the old content; undefined when there was none. */
  readonly oldDigest?: string | undefined;
  /** SHA-256 in hexadecimal of the new content. */
  readonly newDigest: string;
  /** The content is copied over the old one, and the staged file stays. */
  readonly inPlace?: true | undefined;
  /**
   * Mode that a file overwritten in place shall have, at most 0777. No owner:
   * whoever may write here must not say whose a file becomes.
   */
  readonly mode?: number | undefined;
  /** The one that it had, at most 0777. */
  readonly oldMode?: number | undefined;
}

/** An install that was decided. */
export interface InstallJournal {
  /** In the names of its staged files and backups. */
  readonly tag: string;
  /** In the order of their renames. */
  readonly targets: readonly JournalTarget[];
}

export const JOURNAL_FORMAT: Format = {
  name: "step-rekey install journal",
  version: 1,
};

export function formatJournal(journal: InstallJournal): string {
  return formatSealed(JOURNAL_FORMAT, journal);
}

/** The journal that a body is; undefined for what is none. Unknown members count for nothing. */
export function parseJournal(body: object): InstallJournal | undefined {
  const { tag, targets }: Fields<InstallJournal> = body;
  if (typeof tag !== "string" || !/^[0-9a-f]{16}$/.test(tag)) return undefined;
  const listed: readonly unknown[] = Array.isArray(targets) ? targets : [];
  const known = listed.filter(isJournalTarget);
  const roles = known.map(({ role }) => role).join();
  const isPlausible = known.length === listed.length &&
    (roles === "key,certificate" || roles === "certificate");
  return isPlausible ? { tag, targets: known } : undefined;
}

/** Names are compared with those that the user gives, and not followed. */
function isJournalTarget(value: unknown): value is JournalTarget {
  if (!isObject(value)) return false;
  const target: Fields<JournalTarget> = value;
  const { role, directory, name, oldDigest, newDigest } = target;
  const { inPlace, mode, oldMode } = target;
  return (role === "key" || role === "certificate") &&
    (directory === undefined ||
      role === "key" && typeof directory === "string") &&
    typeof name === "string" && !name.includes("/") && isDigest(newDigest) &&
    (oldDigest === undefined || isDigest(oldDigest)) &&
    (inPlace === undefined || inPlace === true && oldDigest !== undefined) &&
    (mode === undefined || isMode(mode)) &&
    (oldMode === undefined || isMode(oldMode));
}

/** No setuid, setgid or sticky bit is ever taken from a file. */
function isMode(value: unknown): value is number {
  return Number.isInteger(value) && Number(value) >= 0 &&
    Number(value) <= 0o777;
}

function isDigest(value: unknown): value is string {
  return typeof value === "string" && /^[0-9a-f]{64}$/.test(value);
}

/**
 * What was found for one target of a journal: the SHA-256 in hexadecimal of each
 * file, undefined when it is missing, any other text when it is no file.
 */
export interface ObservedTarget {
  /** Under the target's own name. */
  readonly current: string | undefined;
  readonly staged: string | undefined;
  readonly backup: string | undefined;
  /**
   * Whether the content is one of the old with parts of the new in it, or of
   * zeros: only a copy that was interrupted makes that.
   */
  readonly isTorn?: boolean | undefined;
}

/**
 * What has to be done with one target: nothing, rename the staged file to it,
 * replace it by a copy of itself, bring back its backup, remove it since there was none
 * before, or give the backup a lasting name.
 */
export type TargetAction =
  | "leave"
  | "install"
  | "rewrite"
  | "restore"
  | "remove"
  | "save";

/** How an interrupted install ends; one action for each target, in order. */
export type RecoveryPlan =
  | {
    readonly kind: "finished" | "undone";
    readonly actions: readonly TargetAction[];
  }
  | {
    /**
     * `foreign`: somebody else changed a target. `absent`: nothing of it is
     * there, its file system may not be mounted; so no action is taken.
     */
    readonly kind: "foreign" | "absent";
    /** Index of that target. */
    readonly target: number;
    readonly actions: readonly TargetAction[];
  };

/**
 * Decides how an interrupted install ends: with all targets new, with all of
 * them old, or, where somebody else wrote one since, with none touched.
 *
 * The decision stays the same when it is carried out in part and taken again:
 * finishing only adds to what is new, and undoing never brings back a staged
 * file.
 *
 * What is complete is written anew all the same: whoever wrote it may have been
 * told that it did not reach the disk.
 */
export function planRecovery(
  { targets }: InstallJournal,
  observed: readonly ObservedTarget[],
  { undo = false }: {
    /** Finish only what is finished: for who has just failed to. */
    readonly undo?: boolean;
  } = {},
): RecoveryPlan {
  const states = targets.map((target, index) =>
    stateOf(target, observed[index] ?? NOTHING)
  );
  const isBegun = states.some((state) => state.isNew);
  const absent = states.findIndex((state) =>
    state.isAbsent && (state.wasThere || isBegun)
  );
  if (absent >= 0) {
    return {
      kind: "absent",
      target: absent,
      actions: states.map(() => "leave"),
    };
  }
  const changed = states.findIndex((state) => state.isForeign);
  if (changed < 0) {
    if (states.every((state) => state.isNew || !undo && state.canInstall)) {
      return {
        kind: "finished",
        actions: states.map(finishing),
      };
    }
    if (states.every((state) => state.isOld || state.canRestore)) {
      return { kind: "undone", actions: states.map(undoing) };
    }
  }
  const lost = states.findIndex((state) => !state.isNew && !state.isOld);
  return {
    kind: "foreign",
    target: Math.max(changed < 0 ? lost : changed, 0),
    actions: states.map((state, index) =>
      // The old key may exist nowhere else, and its certificate may be the one
      // that somebody put back.
      targets[index]?.role === "key" && state.isBackupLast ? "save" : "leave"
    ),
  };
}

interface TargetState {
  readonly isNew: boolean;
  readonly isOld: boolean;
  /** Neither of our two states, nor a name that was lost. */
  readonly isForeign: boolean;
  readonly canInstall: boolean;
  readonly hasBackup: boolean;
  readonly canRestore: boolean;
  /** The old content is nowhere but in the backup. */
  readonly isBackupLast: boolean;
  readonly wasThere: boolean;
  /** In another folder, and neither the file nor one of its hidden copies is there. */
  readonly isAbsent: boolean;
  readonly inPlace: boolean;
}

const NOTHING: ObservedTarget = {
  current: undefined,
  staged: undefined,
  backup: undefined,
};

function stateOf(
  { directory, oldDigest, newDigest, inPlace }: JournalTarget,
  { current, staged, backup, isTorn = false }: ObservedTarget,
): TargetState {
  const isNew = current === newDigest;
  const isOld = current === oldDigest;
  const hasBackup = backup !== undefined && backup === oldDigest;
  return {
    isNew,
    isOld,
    isForeign: current !== undefined && !isNew && !isOld && !isTorn,
    canInstall: staged === newDigest,
    hasBackup,
    canRestore: hasBackup || oldDigest === undefined,
    isBackupLast: hasBackup && !isOld &&
      (isNew || isTorn || current === undefined),
    wasThere: oldDigest !== undefined,
    // The journal's own folder is there.
    isAbsent: directory !== undefined &&
      (current ?? staged ?? backup) === undefined,
    inPlace: inPlace === true,
  };
}

function finishing(state: TargetState): TargetAction {
  if (!state.isNew) return "install";
  if (!state.inPlace) return "rewrite";
  return canCopyAgain(state) ? "install" : "leave";
}

/** Both copies are there, so that another power cut would be seen and mended. */
function canCopyAgain({ canInstall, hasBackup }: TargetState): boolean {
  return canInstall && hasBackup;
}

function undoing(state: TargetState): TargetAction {
  if (state.isOld) {
    return state.inPlace && canCopyAgain(state) ? "restore" : "leave";
  }
  return state.wasThere ? "restore" : "remove";
}
