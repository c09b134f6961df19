import { ROOT } from "../../scripts/paths.ts";
import { assert, assertEquals } from "../support/assert.ts";
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
    const warm = samples.slice(2);
    for (const key of ["descriptors", "threads", "files"]) {
      assertEquals(new Set(warm.map((sample) => sample[key])).size, 1, stdout);
    }
  },
});
