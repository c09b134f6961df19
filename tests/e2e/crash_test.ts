/**
 * SIGKILL before and after every system call of one run that changes a file of
 * the pair, and again during the recovery from that.
 *
 * Each case proves from the tracer's log that its point was hit. The suite does
 * a sample of them; `deno task sweep` does all.
 */
import { assert, assertEquals } from "../support/assert.ts";
import {
  assertNoPlainKey,
  CrashBench,
  type PairState,
  stateOf,
} from "../support/crash_bench.ts";
import { type Layout, PLAIN_LAYOUTS } from "../support/crash_layouts.ts";
import { CAN_MOUNT } from "../support/mounts.ts";
import { stepCaMissing } from "../support/step_ca.ts";
import { inParallel, sample } from "../support/sweep.ts";
import {
  describePoint,
  type Point,
  tracerMissing,
} from "../support/tracer/tracer.ts";

const missing = tracerMissing ?? stepCaMissing;
const because = missing === undefined ? "" : ` (ignored: ${missing})`;

/** One planned kill. */
interface Kill {
  readonly point: Point;
  readonly action: "kill-before" | "kill-after";
}

const ACTIONS = ["kill-before", "kill-after"] as const;

function killsAt(points: readonly Point[]): Kill[] {
  return points.flatMap((point) =>
    ACTIONS.map((action) => ({ point, action }))
  );
}

function describeKill({ point, action }: Kill): string {
  return `${action} ${describePoint(point)}`;
}

/** The new name of a rename to one of the two targets. */
function isTargetRename({ call, second }: Point): boolean {
  return call.startsWith("rename") && /\/host\.(crt|key)$/.test(second ?? "");
}

/** The kills that have to leave a mixture: those between the two renames. */
function betweenRenames(
  { targetCount }: Layout,
  points: readonly Point[],
): string[] {
  const renames = points.filter(isTargetRename);
  assertEquals(renames.length, targetCount);
  const [key, certificate] = renames;
  if (key === undefined || certificate === undefined) return [];
  assertEquals(certificate.point, key.point + 1, "nothing is done in between");
  return [
    describeKill({ point: key, action: "kill-after" }),
    describeKill({ point: certificate, action: "kill-before" }),
  ];
}

/** Kills as planned; fails unless the log says that it was done there. */
async function killed(
  bench: CrashBench,
  layout: Layout,
  kill: Kill,
): Promise<
  {
    readonly state: PairState;
    readonly specimen: Awaited<ReturnType<CrashBench["specimen"]>>;
  }
> {
  const specimen = await bench.specimen(layout);
  const trace = await bench.traced(specimen, {
    point: kill.point.point,
    action: kill.action,
  });
  const context = `${layout.name}, ${describeKill(kill)}`;
  assertEquals(trace.hit?.hit, kill.action, `${context}: was not hit`);
  assertEquals(trace.hit?.call, kill.point.call, context);
  assertEquals(trace.points.length, kill.point.point, context);
  assertEquals(trace.code, 137, context);
  await assertNoPlainKey(specimen, trace);
  return { state: await stateOf(specimen), specimen };
}

for (const layout of PLAIN_LAYOUTS) {
  const isIgnored = missing !== undefined ||
    (layout.needsMount === true && !CAN_MOUNT);
  Deno.test({
    name:
      `ca rekey killed at any system call leaves a pair: ${layout.name}${because}`,
    ignore: isIgnored,
    async fn() {
      await using bench = await CrashBench.start({
        withMount: layout.needsMount === true,
      });
      const whole = await bench.specimen(layout);
      const { points, code, stderr } = await bench.traced(whole);
      assertEquals(code, 0, stderr);
      assert(points.length > 20, "too few points to be all");
      const expected = betweenRenames(layout, points);
      const kills = killsAt(points);
      const chosen = sample(`kills, ${layout.name}`, kills, 16);
      const mixed: string[] = [];
      const mustDo = kills.filter((kill) =>
        expected.includes(describeKill(kill)) && !chosen.includes(kill)
      );
      await inParallel([...chosen, ...mustDo], async (kill) => {
        const { state, specimen } = await killed(bench, layout, kill);
        if (state === "mixed") mixed.push(describeKill(kill));
        await bench.assertRecovers(specimen, describeKill(kill));
      });
      assertEquals(
        mixed.map(withoutTag).sort(),
        expected.map(withoutTag).sort(),
        "kills that left a mixture",
      );
    },
  });
}

/** Random tags differ from run to run. */
function withoutTag(text: string): string {
  return text.replaceAll(/[0-9a-f]{16}/g, "TAG");
}
