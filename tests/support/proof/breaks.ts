/**
 * Small mistakes that an install could make, as changes to the recorded list of
 * its system calls: one left out, two swapped, a sync dropped.
 *
 * The calls are found by what they do to the two files, not by who makes them.
 */
import type { Point } from "../tracer/tracer.ts";
import type { ProofLayout } from "./recording.ts";

type Calls = readonly Point[];

/** One mistake. */
export interface Break {
  readonly name: string;
  /** Where it can be made. */
  readonly layouts: (layout: ProofLayout) => boolean;
  readonly change: (calls: Calls) => Calls;
}

/** What an install does, in its order; an index of -1: never. */
interface Landmarks {
  /** What decides that the new pair is to be: the rename of the journal. */
  readonly decision: number;
  /** The first and the last change of what a reader sees. */
  readonly firstSwitch: number;
  readonly lastSwitch: number;
  readonly journal: string;
  /** Where the new files stand before. */
  readonly stagedKey: string;
  readonly stagedCertificate: string;
}

/** The ends of the names of hidden files. */
const JOURNAL = /\.rekey$/;
const BACKUP = /\.old$/;

const isRename = ({ call }: Point) => call.startsWith("rename");
const isSync = ({ call }: Point) => call === "fsync" || call === "fdatasync";
const isDirectorySync = (call: Point) =>
  isSync(call) && call.directory === true;
const isTarget = (path = "") => /\/host\.(crt|key)$/.test(path);
const isWrite = ({ call }: Point) => /^p?write/.test(call);

/** What a reader follows: the two files, or the link to the version in force. */
function isSwitch(call: Point): boolean {
  return isRename(call)
    ? isTarget(call.second) || /\/current$/.test(call.second ?? "")
    : isWrite(call) && isTarget(call.path);
}

function landmarks(calls: Calls): Landmarks {
  const firstSwitch = calls.findIndex(isSwitch);
  const decision = calls.slice(0, firstSwitch).findLastIndex((call) =>
    isRename(call) && JOURNAL.test(call.second ?? "")
  );
  const staged = (name: RegExp) =>
    calls.findLast((call) => isRename(call) && name.test(call.second ?? ""))
      ?.path ?? "";
  return {
    decision,
    firstSwitch,
    lastSwitch: calls.findLastIndex(isSwitch),
    journal: calls[decision]?.second ?? "",
    stagedKey: staged(/\/(host\.key|key\.pem)$/),
    stagedCertificate: staged(/\/(host\.crt|certificate\.pem)$/),
  };
}

function without(
  calls: Calls,
  isLeftOut: (call: Point, index: number) => boolean,
): Calls {
  return calls.filter((call, index) => !isLeftOut(call, index));
}

/** Does `count` calls from `from` on before or after where they were. */
function moved(
  calls: Calls,
  from: number,
  { count = 1, to }: { readonly count?: number; readonly to: number },
): Calls {
  const rest = calls.toSpliced(from, count);
  return rest.toSpliced(
    to > from ? to - count + 1 : to,
    0,
    ...calls.slice(from, from + count),
  );
}

/** Two plain files, by renames. */
const isPlain = ({ mixture }: ProofLayout) => mixture === "between the renames";
const isInPlace = ({ mixture }: ProofLayout) => mixture === "while overwriting";
const isVersioned = ({ isVersioned }: ProofLayout) => isVersioned === true;
const isRenamed = (layout: ProofLayout) => !isInPlace(layout);
const hasKey = ({ targetCount }: ProofLayout) => targetCount === 2;
const hasJournal = (layout: ProofLayout) => !isVersioned(layout);

/** What an install could do wrong. */
export const INSTALL_BREAKS: readonly Break[] = [
  {
    name: "the new key is not fsynced",
    layouts: (layout) => isRenamed(layout) && hasKey(layout),
    change(calls) {
      const { stagedKey } = landmarks(calls);
      return without(calls, (call) => isSync(call) && call.path === stagedKey);
    },
  },
  {
    name: "the new certificate is not fsynced",
    layouts: isRenamed,
    change(calls) {
      const { stagedCertificate } = landmarks(calls);
      return without(
        calls,
        (call) => isSync(call) && call.path === stagedCertificate,
      );
    },
  },
  {
    name: "a short write is taken for a whole one",
    layouts: (layout) => isRenamed(layout) && hasKey(layout),
    change(calls) {
      const { stagedKey } = landmarks(calls);
      const last = calls.findLastIndex((call) =>
        isWrite(call) && call.path === stagedKey
      );
      return calls.map((call, index) =>
        index === last ? { ...call, result: 100 } : call
      );
    },
  },
  {
    name: "a new key is open to others at first",
    layouts: hasKey,
    change(calls) {
      const first = calls.findIndex(({ call, path }) =>
        call.startsWith("open") && /key[^/]*\.new$/.test(path)
      );
      return calls.map((call, index) =>
        index === first ? { ...call, mode: 0o644 } : call
      );
    },
  },
  {
    name: "a file is removed before the new one is renamed over it",
    layouts: (layout) => isRenamed(layout) && layout.isNew !== true,
    change(calls) {
      const { lastSwitch } = landmarks(calls);
      return calls.flatMap((call, index) =>
        index === lastSwitch
          ? [{
            point: call.point,
            call: "unlink",
            path: call.second ?? "",
            result: 0,
          }, call]
          : [call]
      );
    },
  },
  {
    name: "the certificate is renamed before the key",
    layouts: isPlain,
    change(calls) {
      const { firstSwitch, lastSwitch } = landmarks(calls);
      return moved(calls, lastSwitch, { to: firstSwitch });
    },
  },
  {
    name: "the journal is not fsynced",
    layouts: (layout) => hasJournal(layout) && hasKey(layout),
    change(calls) {
      const { decision } = landmarks(calls);
      const staged = calls[decision]?.path;
      return without(calls, (call) => isSync(call) && call.path === staged);
    },
  },
  {
    name: "the name of the journal is not fsynced",
    layouts: (layout) => hasJournal(layout) && hasKey(layout),
    change(calls) {
      const { decision, firstSwitch } = landmarks(calls);
      return without(
        calls,
        (call, index) =>
          isDirectorySync(call) && index > decision && index < firstSwitch,
      );
    },
  },
  {
    name: "there is no journal",
    layouts: (layout) => hasJournal(layout) && hasKey(layout),
    change(calls) {
      const { decision } = landmarks(calls);
      return without(calls, (_, index) => index === decision);
    },
  },
  {
    name: "the journal comes after the swap",
    layouts: (layout) => hasJournal(layout) && hasKey(layout),
    change(calls) {
      const { decision, firstSwitch, lastSwitch } = landmarks(calls);
      return moved(calls, decision, {
        count: firstSwitch - decision,
        to: lastSwitch,
      });
    },
  },
  {
    name: "the journal goes before the swap is complete",
    layouts: (layout) => hasJournal(layout) && hasKey(layout),
    change(calls) {
      const { lastSwitch, journal } = landmarks(calls);
      return moved(calls, removalOf(calls, journal), { to: lastSwitch });
    },
  },
  {
    name: "the renames are not fsynced before the journal goes",
    layouts: isPlain,
    change: (calls) => withoutSyncsOfSwap(calls, isDirectorySync),
  },
  {
    name: "an overwritten file is not fsynced before the journal goes",
    layouts: isInPlace,
    change: (calls) =>
      withoutSyncsOfSwap(calls, (call) => isSync(call) && isTarget(call.path)),
  },
  {
    name: "no copy of what is overwritten is fsynced",
    layouts: isInPlace,
    change(calls) {
      const { decision } = landmarks(calls);
      return without(
        calls,
        (call, index) =>
          isSync(call) && index < decision && /\.(new|old)$/.test(call.path),
      );
    },
  },
  {
    name: "the backup files stay",
    layouts: (layout) =>
      (isPlain(layout) && layout.isNew !== true) || isInPlace(layout),
    change(calls) {
      const { lastSwitch } = landmarks(calls);
      return without(
        calls,
        ({ call, path }, index) =>
          index > lastSwitch && call === "unlink" && BACKUP.test(path),
      );
    },
  },
  {
    name: "the names of a version are not fsynced before it is in force",
    layouts: isVersioned,
    change(calls) {
      const { lastSwitch } = landmarks(calls);
      return without(
        calls,
        (call, index) =>
          isDirectorySync(call) && index < lastSwitch &&
          /\/\d+$/.test(call.path),
      );
    },
  },
  {
    name: "a version is in force before it is complete",
    layouts: isVersioned,
    change(calls) {
      const { lastSwitch } = landmarks(calls);
      const complete = calls.findLastIndex((call) =>
        isRename(call) && call.second?.endsWith("/certificate.pem")
      );
      return moved(calls, lastSwitch, { to: complete });
    },
  },
  {
    name: "what is in force is not fsynced before the run ends",
    layouts: isVersioned,
    change(calls) {
      const { lastSwitch } = landmarks(calls);
      return without(
        calls,
        (call, index) => isDirectorySync(call) && index > lastSwitch,
      );
    },
  },
];

/** What the repair after a kill in the middle of the swap could do wrong. */
export const REPAIR_BREAKS: readonly Break[] = [
  {
    name: "recovery removes the journal first",
    layouts: (layout) => isPlain(layout) || isInPlace(layout),
    change: (calls) =>
      moved(calls, calls.findIndex(isJournalRemoval), { to: 0 }),
  },
  {
    name: "recovery fsyncs nothing before the journal goes",
    layouts: (layout) => isPlain(layout) || isInPlace(layout),
    change(calls) {
      const removal = calls.findIndex(isJournalRemoval);
      return without(calls, (call, index) => isSync(call) && index < removal);
    },
  },
];

/** What an install whose last rename fails could do wrong. */
export const FAILURE_BREAKS: readonly Break[] = [
  {
    name: "a failed rename is not undone",
    layouts: isPlain,
    change(calls) {
      const failed = calls.findIndex(({ hit }) => hit !== undefined);
      return without(calls, (call, index) =>
        index > failed &&
        (isSwitch(call) || call.call === "unlink" && isTarget(call.path)));
    },
  },
  {
    name: "the old files have no backup",
    layouts: (layout) => isPlain(layout) && layout.isNew !== true,
    change(calls) {
      // Nor can anything be made of it.
      const gone = new Set<string>();
      return without(calls, ({ path, second = "" }) => {
        const isGone = [path, second].some((name) =>
          BACKUP.test(name) || gone.has(name)
        );
        if (isGone) gone.add(second);
        return isGone;
      });
    },
  },
];

function isJournalRemoval({ call, path }: Point): boolean {
  return call === "unlink" && JOURNAL.test(path);
}

function removalOf(calls: Calls, path: string): number {
  return calls.findLastIndex((call) =>
    call.call === "unlink" && call.path === path
  );
}

/** From the first change of what a reader sees until the journal goes. */
function withoutSyncsOfSwap(
  calls: Calls,
  isLeftOut: (call: Point) => boolean,
): Calls {
  const { firstSwitch, journal } = landmarks(calls);
  const end = removalOf(calls, journal);
  return without(
    calls,
    (call, index) => index > firstSwitch && index < end && isLeftOut(call),
  );
}
