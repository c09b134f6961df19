/**
 * The states that an interrupted copy can leave, and what recovery makes of
 * them: as plan_recovery_test.ts, for files that are overwritten in place.
 */
import {
  type InstallJournal,
  type JournalTarget,
  type ObservedTarget,
  planRecovery,
  type TargetAction,
} from "../../../src/files/plain/journal.ts";
import { assert, assertEquals } from "../../support/assert.ts";

type Content = "old" | "new" | "torn" | "foreign" | undefined;

interface Place {
  readonly current: Content;
  readonly staged: Content;
  readonly backup: Content;
}

const CURRENT: readonly Content[] = ["old", "new", "torn", "foreign"];
const STAGED: readonly Content[] = ["new", "foreign", undefined];
const BACKUPS: readonly Content[] = ["old", "foreign", undefined];

const PLACES: readonly Place[] = CURRENT.flatMap((current) =>
  STAGED.flatMap((staged) =>
    BACKUPS.map((backup) => ({ current, staged, backup }))
  )
);

const PAIRS: readonly (readonly [Place, Place])[] = PLACES.flatMap((key) =>
  PLACES.map((certificate) => [key, certificate] as const)
);

function target(role: JournalTarget["role"]): JournalTarget {
  return {
    role,
    name: role,
    oldDigest: "old",
    newDigest: "new",
    inPlace: true,
  };
}

const JOURNAL: InstallJournal = {
  tag: "tag",
  targets: [target("key"), target("certificate")],
};

function observe({ current, staged, backup }: Place): ObservedTarget {
  // Torn is only known for what it is beside both of its contents.
  const isTorn = current === "torn" && staged === "new" && backup === "old";
  return { current, staged, backup, isTorn };
}

function act(place: Place, action: TargetAction): Place {
  switch (action) {
    case "install":
      assertEquals(place.staged, "new");
      return { ...place, current: "new" };
    case "restore":
      assertEquals(place.backup, "old");
      return { ...place, current: "old" };
    case "remove":
      throw new Error("nothing was made, so nothing is removed");
    default:
      return place;
  }
}

for (const undo of [false, true]) {
  Deno.test(`planRecovery() ends in a matching pair in place or touches nothing, undo: ${undo}`, () => {
    for (const places of PAIRS) {
      const plan = planRecovery(JOURNAL, places.map(observe), { undo });
      const after = places.map((place, index) =>
        act(place, plan.actions[index] ?? "leave").current
      );
      const expected = {
        finished: ["new", "new"],
        undone: ["old", "old"],
        foreign: places.map(({ current }) => current),
        absent: places.map(({ current }) => current),
      }[plan.kind];
      assertEquals(after, expected, Deno.inspect({ places, plan }));
    }
  });
}

Deno.test("planRecovery() never finishes for who has failed to, but for what is finished", () => {
  for (const places of PAIRS) {
    const plan = planRecovery(JOURNAL, places.map(observe), { undo: true });
    if (plan.kind !== "finished") continue;
    assert(places.every(({ current }) => current === "new"));
  }
});

Deno.test("planRecovery() mends every torn file whose two contents are there", () => {
  for (const places of PAIRS) {
    if (
      !places.every(({ staged, backup }) =>
        staged === "new" && backup === "old"
      )
    ) {
      continue;
    }
    if (places.some(({ current }) => current === "foreign")) continue;
    assertEquals(
      planRecovery(JOURNAL, places.map(observe)).kind,
      "finished",
      Deno.inspect(places),
    );
  }
});
