/**
 * Several runs on one pair at once, and one that is killed while it works.
 */
import {
  assert,
  assertEquals,
  assertStringIncludes,
} from "../support/assert.ts";
import {
  assertNothingLeft,
  CrashBench,
  stateOf,
} from "../support/crash_bench.ts";
import { LAYOUTS } from "../support/crash_layouts.ts";
import { program } from "../support/program.ts";
import { run } from "../support/run.ts";
import { stepCaMissing } from "../support/step_ca.ts";
import { tcpPeer } from "../support/tcp_peers.ts";

const because = stepCaMissing === undefined
  ? ""
  : ` (ignored: ${stepCaMissing})`;
const WITH_CA = { ignore: stepCaMissing !== undefined } as const;

const shared = await CrashBench.forFile(stepCaMissing !== undefined);

function theBench(): CrashBench {
  if (shared === undefined) throw new Error(stepCaMissing);
  return shared;
}

/** At once. */
const RUNS = 5;

const CHOSEN = LAYOUTS.filter(({ name }) =>
  name === "two directories" || name === "versioned"
);

for (const layout of CHOSEN) {
  Deno.test({
    ...WITH_CA,
    name:
      `${RUNS} runs of ca rekey at once leave one pair, and each is done or busy: ${layout.name}${because}`,
    async fn() {
      const bench = theBench();
      const specimen = await bench.specimen(layout);
      const results = await Promise.all(
        Array.from({ length: RUNS }, () => bench.ordinary(specimen)),
      );
      const said = results.map(({ code, stderr }) => `${code}: ${stderr}`);
      assert(results.some(({ code }) => code === 0), said.join("\n"));
      for (const { code, stderr } of results) {
        assert(code === 0 || code === 75, `${code}: ${stderr}`);
        if (code === 75) assertStringIncludes(stderr, "another process");
      }
      assertEquals(await stateOf(specimen), "new", said.join("\n"));
      await assertNothingLeft(specimen, said.join("\n"));
    },
  });

  Deno.test({
    ...WITH_CA,
    name:
      `${RUNS} runs of ca rekey with --lock-timeout at once are all done: ${layout.name}${because}`,
    async fn() {
      const bench = theBench();
      const specimen = await bench.specimen(layout);
      const waiting = {
        ...specimen,
        args: ["--lock-timeout", "2m", ...specimen.args],
      };
      const results = await Promise.all(
        Array.from({ length: RUNS }, () => bench.ordinary(waiting)),
      );
      for (const { code, stderr } of results) assertEquals(code, 0, stderr);
      assertEquals(await stateOf(specimen), "new");
      await assertNothingLeft(specimen, "all done");
    },
  });

  Deno.test({
    ...WITH_CA,
    name:
      `ca rekey is busy while another waits for its CA, and not when that was killed: ${layout.name}${because}`,
    async fn() {
      const bench = theBench();
      const specimen = await bench.specimen(layout);
      const asked = Promise.withResolvers<void>();
      const end = Promise.withResolvers<void>();
      await using silent = tcpPeer(async (connection) => {
        await connection.read(new Uint8Array(1));
        asked.resolve();
        await end.promise;
      });
      const { command, args } = program();
      const holder = new Deno.Command(command, {
        args: [
          ...[...args, "ca", "rekey", "--force", "--root", bench.ca.rootFile],
          ...["--ca-url", `https://127.0.0.1:${silent.port}`],
          ...specimen.args,
        ],
        stdin: "null",
        stdout: "null",
        stderr: "null",
      }).spawn();
      await asked.promise;
      const busy = await bench.ordinary(specimen);
      assertEquals(busy.code, 75, busy.stderr);
      assertEquals(await stateOf(specimen), "old");
      const locks = await run("ls", ["-A", specimen.directories[0] ?? ""]);
      assertStringIncludes(locks.stdout, "rekey-lock");
      holder.kill("SIGKILL");
      await holder.status;
      end.resolve();
      await bench.assertRecovers(specimen, "the holder was killed");
    },
  });
}
