/**
 * Failures of every system call of one run that changes a file of the pair:
 * the old pair stays as it was, or the new one is complete.
 *
 * Each case proves from the tracer's log that its call failed. The suite does a
 * sample of them; `deno task sweep` does all.
 */
import { assert, assertEquals } from "../support/assert.ts";
import { CrashBench } from "../support/crash_bench.ts";
import { LAYOUTS } from "../support/crash_layouts.ts";
import { faultsAt, meetFault } from "../support/faults.ts";
import { CAN_MOUNT } from "../support/mounts.ts";
import { stepCaMissing } from "../support/step_ca.ts";
import { inParallel, sample } from "../support/sweep.ts";
import { tracerMissing } from "../support/tracer/tracer.ts";

const missing = tracerMissing ?? stepCaMissing;
const because = missing === undefined ? "" : ` (ignored: ${missing})`;
const shared = await CrashBench.forFile(missing !== undefined);

function theBench(): CrashBench {
  if (shared === undefined) throw new Error("there is no CA");
  return shared;
}

for (const layout of sample("faults, layouts", LAYOUTS, 4)) {
  Deno.test({
    name:
      `ca rekey keeps the old pair or installs the new one when a system call fails: ${layout.name}${because}`,
    ignore: missing !== undefined ||
      (layout.needsMount === true && !CAN_MOUNT),
    async fn() {
      const bench = theBench();
      const { points, code, stderr } = await bench.traced(
        await bench.specimen(layout),
      );
      assertEquals(code, 0, stderr);
      const faults = faultsAt(points);
      assert(faults.length > points.length * 10, "too few faults to be all");
      await inParallel(
        sample(`faults, ${layout.name}`, faults, 3),
        async (fault) => {
          const specimen = await bench.specimen(layout);
          const { state, left } = await meetFault(bench, specimen, fault);
          if (state === "mixed" || left.length > 0) {
            await bench.assertRecovers(specimen, fault.name);
          }
        },
      );
    },
  });
}
