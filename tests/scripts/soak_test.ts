import { ROOT } from "../../scripts/paths.ts";
import { assert } from "../support/assert.ts";
import { run } from "../support/run.ts";
import { stepCaMissing } from "../support/step_ca.ts";

Deno.test({
  name:
    "the soak, in a sample of 60 cycles, keeps descriptors, threads and files flat" +
    (stepCaMissing === undefined ? "" : ` (${stepCaMissing})`),
  ignore: stepCaMissing !== undefined || Deno.build.os !== "linux",
  async fn() {
    // In a process of its own: this one runs other tests. Memory is judged by
    // the long form, since a heap that is a minute old still grows.
    const { stdout, stderr } = await run(Deno.execPath(), [
      ...["run", "--allow-all", `${ROOT}scripts/soak.ts`],
      ...["--cycles=60", "--json"],
    ]);
    assert(stdout !== "", stderr);
    const samples: readonly Record<string, number>[] = JSON.parse(stdout);
    assert(samples.length >= 10);
    // A leak of one a cycle would be twenty in a third of the cycles; a thread
    // more or less of the runtime's pool is none.
    const third = Math.floor(samples.length / 3);
    for (const key of ["descriptors", "threads", "files"]) {
      const values = samples.map((sample) => sample[key] ?? NaN);
      const early = Math.max(...values.slice(third, 2 * third));
      const late = Math.max(...values.slice(2 * third));
      assert(late <= early + 2, `${key}: ${stdout}`);
    }
  },
});
