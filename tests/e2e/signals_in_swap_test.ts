/**
 * SIGINT, SIGTERM and SIGHUP at every system call of one run that changes a
 * file of the pair: the swap finishes or never began, the exit code says which,
 * and nothing temporary stays.
 */
import {
  assert,
  assertEquals,
  assertStringIncludes,
} from "../support/assert.ts";
import { CrashBench, readTree, stateOf } from "../support/crash_bench.ts";
import { LAYOUTS } from "../support/crash_layouts.ts";
import { stepCaMissing } from "../support/step_ca.ts";
import { inParallel, sample } from "../support/sweep.ts";
import { describePoint, tracerMissing } from "../support/tracer/tracer.ts";

const missing = tracerMissing ?? stepCaMissing;
const because = missing === undefined ? "" : ` (ignored: ${missing})`;
const shared = await CrashBench.forFile(missing !== undefined);

const SIGNALS = [["SIGHUP", 1], ["SIGINT", 2], ["SIGTERM", 15]] as const;

for (const name of ["same directory", "in place", "versioned"]) {
  Deno.test({
    name:
      `ca rekey finishes the swap or never begins it, whenever a signal comes: ${name}${because}`,
    ignore: missing !== undefined,
    async fn() {
      const layout = LAYOUTS.find((candidate) => candidate.name === name);
      if (shared === undefined || layout === undefined) throw new Error(name);
      const bench = shared;
      const { points, code, stderr } = await bench.traced(
        await bench.specimen(layout),
      );
      assertEquals(code, 0, stderr);
      const cases = points.flatMap((point) =>
        SIGNALS.map(([signal, number]) => ({ point, signal, number }))
      );
      const seen = new Set<number>();
      await inParallel(
        sample(`signals, ${name}`, cases, 5),
        async ({ point, signal, number }) => {
          const specimen = await bench.specimen(layout);
          const before = Object.keys(await readTree(specimen.directories));
          const run = await bench.traced(specimen, {
            point: point.point,
            action: `signal:${number}`,
          });
          const context = `${signal} at ${describePoint(point)}: ${run.stderr}`;
          assertEquals(run.hit?.hit, `signal:${number}`, context);
          assert([0, 128 + number].includes(run.code), context);
          seen.add(run.code);
          const isDone = run.code === 0;
          assertEquals(
            await stateOf(specimen),
            isDone ? "new" : "old",
            context,
          );
          if (isDone) return;
          assertStringIncludes(run.stderr, `stopped by ${signal}`);
          const after = Object.keys(await readTree(specimen.directories));
          assertEquals(after.toSorted(), before.toSorted(), context);
        },
      );
      assert(seen.size > 0);
    },
  });
}
