/**
 * SIGKILL of `run` at system calls of its swap: the old pair or the new one, and
 * the next start takes it over.
 */
import { assert, assertEquals } from "../support/assert.ts";
import { CrashBench, leftovers, stateOf } from "../support/crash_bench.ts";
import { LAYOUTS } from "../support/crash_layouts.ts";
import { describeKill, killsAt } from "../support/kills.ts";
import { pairKeyOf } from "../support/openssl_reads.ts";
import { program } from "../support/program.ts";
import { run } from "../support/run.ts";
import { stepCaMissing } from "../support/step_ca.ts";
import { inParallel, sample } from "../support/sweep.ts";
import { tracerMissing } from "../support/tracer/tracer.ts";

const missing = tracerMissing ?? stepCaMissing;
const because = missing === undefined ? "" : ` (ignored: ${missing})`;
const bench = await CrashBench.forFile(missing !== undefined);

/** Asks for one rekey, and ends when it hears of it, or when it is left alone. */
const ONE_ROTATION = `
trap 'exit 0' HUP
kill -HUP $PPID
while kill -0 $PPID 2>/dev/null; do
  sleep 0.1 <&- >&- 2>&- & wait $!
done`;

for (const name of ["same directory", "versioned"]) {
  Deno.test({
    name:
      `run killed at any system call of a rotation leaves the old pair or the new one: ${name}${because}`,
    ignore: missing !== undefined,
    async fn() {
      const layout = LAYOUTS.find((candidate) => candidate.name === name);
      if (bench === undefined || layout === undefined) throw new Error(name);
      const { ca } = bench;
      const make = async () => {
        const made = await bench.specimen(layout);
        const line = (command: readonly string[]) => [
          ...["run", "--ca-url", ca.url, "--root", ca.rootFile],
          ...[made.certificate, made.key, "--", ...command],
        ];
        const command = line(["bash", "-c", ONE_ROTATION]);
        return { specimen: { ...made, command }, line };
      };
      const { specimen } = await make();
      const { points, code, stderr } = await bench.traced(specimen);
      assertEquals(code, 0, stderr);
      assertEquals(await stateOf(specimen), "new");
      assert(points.length > 5, "too few points to be all");
      const kills = sample(`run, ${name}`, killsAt(points), 2);
      await inParallel(kills, async (kill) => {
        const { specimen, line } = await make();
        // When the signal arrives, and so the number of a call, is up to chance.
        const { action, point: { point } } = kill;
        const killed = await bench.traced(specimen, { point, action });
        assertEquals(killed.code, killed.hit === undefined ? 0 : 128 + 9);
        const { hit = kill.point } = killed;
        const { command, args } = program();
        const next = await run(command, [...args, ...line(["true"])], {
          env: { STEPPATH: `${ca.directory}/none`, DENO_NO_UPDATE_CHECK: "1" },
        });
        const context = `${
          describeKill({ point: hit, action })
        }: ${next.stderr}`;
        assertEquals(next.code, 0, context);
        const state = await stateOf(specimen);
        assert(state !== "mixed", context);
        await pairKeyOf({
          certificateFile: specimen.certificate,
          keyFile: specimen.key,
        });
        assertEquals(await leftovers(specimen), [], context);
      });
    },
  });
}
