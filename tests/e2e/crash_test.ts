/**
 * SIGKILL before and after every system call of one run that changes a file of
 * the pair, and again during the recovery from that.
 *
 * Each case proves from the tracer's log that its point was hit. The suite does
 * a sample of them; `deno task sweep` does all.
 */
import { assert, assertEquals } from "../support/assert.ts";
import { CrashBench, type Specimen, stateOf } from "../support/crash_bench.ts";
import { type Layout, LAYOUTS } from "../support/crash_layouts.ts";
import { describeKill, type Kill, killAt, killsAt } from "../support/kills.ts";
import { CAN_MOUNT } from "../support/mounts.ts";
import { stepCaMissing } from "../support/step_ca.ts";
import { inParallel, sample } from "../support/sweep.ts";
import { type Point, tracerMissing } from "../support/tracer/tracer.ts";

const missing = tracerMissing ?? stepCaMissing;
const because = missing === undefined ? "" : ` (ignored: ${missing})`;
const shared = await CrashBench.forFile(missing !== undefined);

function theBench(): CrashBench {
  if (shared === undefined) throw new Error("there is no CA");
  return shared;
}

function isIgnored({ needsMount }: Layout): boolean {
  return missing !== undefined || (needsMount === true && !CAN_MOUNT);
}

/** The points of one run that nothing disturbs; `again`: of `ca rekey` after it. */
async function pointsOf(
  bench: CrashBench,
  specimen: Specimen,
  which: "first" | "again" = "first",
): Promise<readonly Point[]> {
  const { points, code, stderr } = await bench.traced(
    specimen,
    {},
    ...which === "again" ? [bench.command(specimen)] : [],
  );
  assertEquals(code, 0, stderr);
  assert(points.length > 3, "too few points to be all");
  return points;
}

/**
 * The points of a run of its own, as two runs in a row have them: a call that
 * the system interrupts, and that is made once more, would move all behind it.
 */
async function steadyPointsOf(
  bench: CrashBench,
  layout: Layout,
): Promise<readonly Point[]> {
  const again = async () => await pointsOf(bench, await bench.specimen(layout));
  const words = (points: readonly Point[]) =>
    killsAt(points).map(describeKill).join("\n");
  let points = await again();
  for (let tries = 0; tries < 4; tries++) {
    const next = await again();
    if (words(next) === words(points)) return next;
    points = next;
  }
  throw new Error(`${layout.name}: no two runs in a row are the same`);
}

/** A rename that puts a new file under the name of a target. */
function isTargetRename({ call, second }: Point): boolean {
  return call.startsWith("rename") && /\/host\.(crt|key)$/.test(second ?? "");
}

/** The kills that leave a mixture: all that do, and no others. */
function mixtures({ mixture }: Layout, points: readonly Point[]): Kill[] {
  if (mixture === "never") return [];
  const changes = points.filter(
    mixture === "between the renames" ? isTargetRename : isOverwriting,
  );
  const first = changes[0];
  const last = changes.at(-1);
  assert(first !== undefined && last !== undefined, "nothing is changed");
  if (mixture === "between the renames") {
    assertEquals(changes.length, 2);
    assertEquals(last.point, first.point + 1, "nothing is done in between");
  }
  return killsAt(points).filter(({ point, action }) =>
    action === "kill-after"
      ? point.point >= first.point && point.point < last.point
      : point.point > first.point && point.point <= last.point
  );
}

/** A call that changes the content of a target in its place. */
function isOverwriting({ call, path }: Point): boolean {
  return /\/host\.(crt|key)$/.test(path) && /^(p?write|ftruncate)/.test(call);
}

for (const layout of sample("kills, layouts", LAYOUTS, 4)) {
  Deno.test({
    name:
      `ca rekey killed at any system call leaves one pair, and a mixture ${layout.mixture}: ${layout.name}${because}`,
    ignore: isIgnored(layout),
    async fn() {
      const bench = theBench();
      const points = await steadyPointsOf(bench, layout);
      const expected = mixtures(layout, points).map(describeKill);
      const kills = killsAt(points);
      const chosen = sample(`kills, ${layout.name}`, kills, 2);
      const mixed: string[] = [];
      await inParallel(
        kills.filter((kill) =>
          chosen.includes(kill) ||
          (layout.mixture === "between the renames" &&
            expected.includes(describeKill(kill)))
        ),
        async (kill) => {
          const specimen = await bench.specimen(layout);
          await killAt(bench, specimen, kill);
          const state = await stateOf(specimen);
          if (state === "mixed") mixed.push(describeKill(kill));
          if (layout.keepsContent === true) assertEquals(state, "old");
          await bench.assertRecovers(specimen, describeKill(kill));
        },
      );
      if (layout.mixture === "while overwriting") {
        // A file that is half written may still be as it was.
        assertEquals(mixed.filter((kill) => !expected.includes(kill)), []);
      } else {
        assertEquals(mixed.sort(), expected.sort(), "a mixture after");
      }
    },
  });
}

/** What a run does behind its locks and before what any run does. */
function repairOnly(
  layout: Layout,
  repair: readonly Point[],
  points: readonly Point[],
): readonly Point[] {
  // Nothing tells recovery from the rest there; so all of it.
  if (layout.mixture === "never") return repair;
  const count = repair.length - points.length;
  assert(count > 0, "recovery did nothing");
  return repair.slice(layout.targetCount, layout.targetCount + count);
}

/** A kill during the recovery from another. */
interface SecondKill {
  readonly first: Kill;
  readonly second: Kill;
  /** The points of the recovery. */
  readonly repair: readonly Point[];
}

/** Recovery renames both files as well, with the same moment in between. */
function isBetweenRenames(
  { point, action }: Kill,
  repair: readonly Point[],
): boolean {
  const done = repair.filter((other) =>
    isTargetRename(other) &&
    (other.point < point.point ||
      (other.point === point.point && action === "kill-after"))
  );
  // The key comes first.
  return done.at(-1)?.second?.endsWith(".key") === true;
}

/** What else happens between the first kill and the recovery. */
const MEANWHILE = {
  nothing: () => Promise.resolve(),
  /** As a power cut may do; then recovery has to go back. */
  "the staged certificate is lost": async ({ directories }: Specimen) => {
    for (const directory of directories) {
      for await (const { name } of Deno.readDir(directory)) {
        if (/^\.host\.crt\.[0-9a-f]{16}\.new$/.test(name)) {
          await Deno.remove(`${directory}/${name}`);
        }
      }
    }
  },
} as const;

/** The kills after which recovery has to do something. */
function firstKills(layout: Layout, points: readonly Point[]): Kill[] {
  if (layout.mixture === "never" && layout.targetCount === 2) {
    // No journal: each leaves something to remove, or to go on with. A few of
    // them are enough, since recovery is the same.
    return killsAt(points).filter((_, index) => index % 9 === 0);
  }
  return withJournal(points);
}

/** The kills while the journal is there. */
function withJournal(points: readonly Point[]): Kill[] {
  const isJournal = (path = "") => path.endsWith("/.host.crt.rekey");
  const first = points.find(({ second }) => isJournal(second));
  const last = points.find(({ call, path }) =>
    call === "unlink" && isJournal(path)
  );
  assert(first !== undefined && last !== undefined, "no journal");
  return points.filter(({ point }) =>
    point >= first.point && point < last.point
  ).map((point) => ({ point, action: "kill-after" as const }));
}

const SECOND_KILLS = [
  "same directory",
  "two directories",
  "new targets",
  "in place",
  "versioned",
  "ca layout versioned",
  "ca layout plain",
];

const RECOVERIES = LAYOUTS.filter(({ name }) => SECOND_KILLS.includes(name))
  .flatMap((layout) =>
    Object.entries(MEANWHILE).map(([what, meanwhile]) => ({
      layout,
      what,
      meanwhile,
    }))
  ).filter(({ layout, what }) =>
    what === "nothing" || layout.mixture === "between the renames"
  );

for (
  const { layout, what, meanwhile } of sample("recoveries", RECOVERIES, 2)
) {
  Deno.test({
    name:
      `recovery killed at any of its system calls is finished by the next: ${layout.name}, ${what} meanwhile${because}`,
    ignore: isIgnored(layout),
    async fn() {
      const bench = theBench();
      const points = await steadyPointsOf(bench, layout);
      const interrupted = async (first: Kill) => {
        const specimen = await bench.specimen(layout);
        await killAt(bench, specimen, first);
        await meanwhile(specimen);
        return specimen;
      };
      const name = `second kills, ${layout.name}, ${what}`;
      const cases: SecondKill[] = [];
      await inParallel(
        sample(`${name}, first`, firstKills(layout, points), 1),
        async (first) => {
          const specimen = await interrupted(first);
          const repair = await pointsOf(bench, specimen, "again");
          for (const second of killsAt(repairOnly(layout, repair, points))) {
            cases.push({ first, second, repair });
          }
        },
      );
      await inParallel(sample(name, cases, 2), async (planned) => {
        const { first, second, repair } = planned;
        const specimen = await interrupted(first);
        const before = await stateOf(specimen);
        await killAt(bench, { ...specimen, command: undefined }, second);
        const context = `${describeKill(first)}, then ${describeKill(second)}`;
        // Behind a change of layout comes a rekey of plain files, which has
        // its own moment between two renames.
        const isOpen = layout.mixture === "while overwriting" ||
          isBetweenRenames(second, repair);
        if (before !== "mixed" && !isOpen) {
          assert(await stateOf(specimen) !== "mixed", context);
        }
        await bench.assertRecovers(specimen, context);
      });
    },
  });
}
