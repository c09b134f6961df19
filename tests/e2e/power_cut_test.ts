/**
 * Power cuts during one run, as a model: whatever was not fsynced may be
 * emptied, and each name whose directory was not fsynced may be lost.
 *
 * The states come from the calls of a real run; each that is chosen is made
 * real, and one ordinary run has to mend it.
 */
import { assert, assertEquals } from "../support/assert.ts";
import { CrashBench, stateOf } from "../support/crash_bench.ts";
import { LAYOUTS } from "../support/crash_layouts.ts";
import { PowerCutModel, readDisk } from "../support/power_cut.ts";
import { materialise, powerCuts } from "../support/power_cut_states.ts";
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

const chosen = sample(
  "cuts, layouts",
  LAYOUTS.filter(({ needsMount }) => !needsMount),
  4,
);

for (const layout of chosen) {
  Deno.test({
    name:
      `ca rekey mends whatever a power cut leaves: ${layout.name}${because}`,
    ignore: missing !== undefined,
    async fn() {
      const bench = theBench();
      const traced = await bench.specimen(layout);
      const model = new PowerCutModel(await readDisk(traced.directories));
      const { points, code, stderr } = await bench.traced(traced);
      assertEquals(code, 0, stderr);
      const cuts = [...powerCuts(model, points)];
      assert(cuts.length > points.length, "too few states to be all");
      const name = `power cuts, ${layout.name}`;
      await inParallel(sample(name, cuts, 3), async (cut) => {
        const specimen = await bench.specimen(layout);
        for (const directory of specimen.directories) {
          await Deno.remove(directory, { recursive: true });
        }
        await materialise(cut.state, {
          from: traced.place,
          to: specimen.place,
        });
        if (layout.mixture === "never" && layout.targetCount === 2) {
          assert(await stateOf(specimen) !== "mixed", cut.description);
        }
        await bench.assertRecovers(specimen, cut.description);
      });
    },
  });
}
