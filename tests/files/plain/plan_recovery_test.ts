/**
 * Every state that a crash, a power cut and other people can leave, and what
 * recovery makes of it, carried out on a model of the file system.
 */
import {
  type InstallJournal,
  type JournalTarget,
  type ObservedTarget,
  planRecovery,
  type TargetAction,
} from "../../../src/files/plain/journal.ts";
import { assert, assertEquals } from "../../support/assert.ts";

type Content = "old" | "new" | "foreign" | undefined;

/** One target and its two hidden names. */
interface Place {
  readonly current: Content;
  readonly staged: Content;
  readonly backup: Content;
}

const CURRENT: readonly Content[] = ["old", "new", "foreign", undefined];
const STAGED: readonly Content[] = ["new", "foreign", undefined];
const BACKUPS: readonly Content[] = ["old", "foreign", undefined];

const PLACES: readonly Place[] = CURRENT.flatMap((current) =>
  STAGED.flatMap((staged) =>
    BACKUPS.map((backup) => ({ current, staged, backup }))
  )
);

function journalOf(
  existed: readonly [boolean, boolean],
  directory?: string,
): InstallJournal {
  const target = (
    role: JournalTarget["role"],
    isThere: boolean,
  ): JournalTarget => ({
    role,
    directory: role === "key" ? directory : undefined,
    name: role,
    oldDigest: isThere ? "old" : undefined,
    newDigest: "new",
  });
  return {
    tag: "tag",
    targets: [target("key", existed[0]), target("certificate", existed[1])],
  };
}

function observe({ current, staged, backup }: Place): ObservedTarget {
  return { current, staged, backup };
}

/** What an action does; it fails where the real one would. */
function act(place: Place, action: TargetAction): Place {
  switch (action) {
    case "leave":
    case "rewrite":
    case "save":
      return place;
    case "install":
      assertEquals(place.staged, "new", "installs the staged file");
      return { ...place, current: place.staged, staged: undefined };
    case "restore":
      assertEquals(place.backup, "old", "restores the backup file");
      return { ...place, current: place.backup };
    case "remove":
      return { ...place, current: undefined };
  }
}

function* allCases(): Generator<{
  readonly journal: InstallJournal;
  readonly places: readonly [Place, Place];
  readonly existed: readonly [boolean, boolean];
}> {
  for (const keyExisted of [true, false]) {
    for (const certificateExisted of [true, false]) {
      const existed = [keyExisted, certificateExisted] as const;
      const journal = journalOf(existed, "../private");
      for (const key of PLACES) {
        for (const certificate of PLACES) {
          yield { journal, places: [key, certificate], existed };
        }
      }
    }
  }
}

Deno.test("planRecovery() ends in a matching pair or touches nothing, in all 5184 states", () => {
  let count = 0;
  for (const { journal, places, existed } of allCases()) {
    count++;
    const plan = planRecovery(journal, places.map(observe));
    const after = places.map((place, index) =>
      act(place, plan.actions[index] ?? "leave").current
    );
    const olds = existed.map((was) => was ? "old" : undefined);
    const expected = {
      finished: ["new", "new"],
      undone: olds,
      foreign: places.map(({ current }) => current),
      absent: places.map(({ current }) => current),
    }[plan.kind];
    assertEquals(after, expected, Deno.inspect({ places, existed, plan }));
  }
  assertEquals(count, 5184);
});

Deno.test("planRecovery() never touches anything once somebody else wrote a target", () => {
  for (const { journal, places } of allCases()) {
    if (!places.some(({ current }) => current === "foreign")) continue;
    const plan = planRecovery(journal, places.map(observe));
    assert(plan.kind === "foreign" || plan.kind === "absent");
    assert(
      plan.actions.every((action) => action === "leave" || action === "save"),
    );
  }
});

Deno.test("planRecovery() decides the same when it was killed in the middle", () => {
  for (const { journal, places } of allCases()) {
    const plan = planRecovery(journal, places.map(observe));
    if (plan.kind === "foreign" || plan.kind === "absent") continue;
    // Undone from the end.
    const parts = plan.kind === "undone" ? [[1], [0, 1]] : [[0], [1], [0, 1]];
    for (const done of parts) {
      const half = places.map((place, index) =>
        done.includes(index)
          ? act(place, plan.actions[index] ?? "leave")
          : place
      );
      const again = planRecovery(journal, half.map(observe));
      assertEquals(again.kind, plan.kind, Deno.inspect({ places, half }));
    }
  }
});

Deno.test("planRecovery() decides the same while it tidies up", () => {
  for (const { journal, places, existed } of allCases()) {
    const plan = planRecovery(journal, places.map(observe));
    if (plan.kind === "foreign" || plan.kind === "absent") continue;
    const done = places.map((place, index) =>
      act(place, plan.actions[index] ?? "leave")
    );
    // Hidden files are removed one after the other: key's staged and backup, then
    // the certificate's.
    for (let removed = 0; removed <= 4; removed++) {
      const tidied = done.map((place, index) => ({
        current: place.current,
        staged: removed > 2 * index ? undefined : place.staged,
        backup: removed > 2 * index + 1 ? undefined : place.backup,
      }));
      const again = planRecovery(journal, tidied.map(observe));
      const after = tidied.map((place, index) =>
        act(place, again.actions[index] ?? "leave").current
      );
      assertEquals(
        after,
        done.map(({ current }) => current),
        Deno.inspect({ places, existed, tidied, again }),
      );
    }
  }
});

Deno.test("planRecovery() gives up only where some content is gone for good", () => {
  for (const { journal, places, existed } of allCases()) {
    const plan = planRecovery(journal, places.map(observe));
    if (plan.kind !== "foreign") continue;
    const isForeign = places.some(({ current }, index) =>
      current === "foreign" || (current === "old" && !existed[index])
    );
    const canFinish = places.every(({ current, staged }) =>
      current === "new" || staged === "new"
    );
    const canUndo = places.every(({ current, backup }, index) =>
      !existed[index] || current === "old" || backup === "old"
    );
    assert(isForeign || (!canFinish && !canUndo), Deno.inspect(places));
  }
});

Deno.test("planRecovery() concludes nothing from a target of which nothing is there", () => {
  for (const { journal, places, existed } of allCases()) {
    const plan = planRecovery(journal, places.map(observe));
    const [key] = places;
    const isBegun = places.some(({ current }) => current === "new");
    const isAbsent = Object.values(key).every((content) =>
      content === undefined
    ) &&
      (existed[0] || isBegun);
    assertEquals(plan.kind === "absent", isAbsent, Deno.inspect(places));
    // The journal's own folder is there.
    const beside = planRecovery(journalOf(existed), places.map(observe));
    assert(beside.kind !== "absent");
    if (isAbsent) assert(plan.actions.every((action) => action === "leave"));
  }
});

Deno.test("planRecovery() saves the old key where it is the last copy", () => {
  const journal = journalOf([true, true]);
  const plan = planRecovery(journal, [
    { current: "new", staged: undefined, backup: "old" },
    { current: "foreign", staged: "new", backup: "old" },
  ]);
  assertEquals(plan, {
    kind: "foreign",
    target: 1,
    actions: ["save", "leave"],
  });
});

Deno.test("planRecovery() saves no key that somebody else replaced", () => {
  const journal = journalOf([true, true]);
  const plan = planRecovery(journal, [
    { current: "foreign", staged: "new", backup: "old" },
    { current: "old", staged: "new", backup: "old" },
  ]);
  assertEquals(plan.actions, ["leave", "leave"]);
});

Deno.test("planRecovery() finishes when new and old content are the same", () => {
  const journal: InstallJournal = {
    tag: "tag",
    targets: journalOf([true, true]).targets.map((target) => ({
      ...target,
      oldDigest: "new",
    })),
  };
  const plan = planRecovery(journal, [
    { current: "new", staged: "new", backup: "new" },
    { current: "new", staged: "new", backup: "new" },
  ]);
  assertEquals(plan.kind, "finished");
});
