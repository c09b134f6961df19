/**
 * Signals to the daemon: at any moment, in a wait, in a pass, as PID 1.
 */
import { assert, assertEquals } from "../support/assert.ts";
import type { RunningProgram } from "../support/running_program.ts";
import { run } from "../support/run.ts";
import { watchStalls } from "../support/stalls.ts";
import { howMany } from "../support/sweep.ts";
import { daemonTests } from "../support/daemon_place.ts";
import { pairKeyOf } from "../support/openssl_reads.ts";

const daemonTest = await daemonTests();

/** Why a process cannot be PID 1 here. */
const noNamespaces = await run("unshare", ["-pf", "true"]).then(
  ({ code, stderr }) => code === 0 ? undefined : stderr.trim(),
  () => "unshare is not installed",
);

const MOMENTS = howMany(6, 100);

daemonTest(
  "ca rekey --daemon ends with 0 within a second on SIGTERM at random moments",
  async ({ ca, pair, daemon }) => {
    const stopAt = async (index: number) => {
      const files = await pair(`moment${index}`, 600);
      await using running = daemon(files, ["--rekey-period", "1s"]);
      await running.says("first rekey in ");
      // A cycle takes about a second, most of it waiting: half of the moments
      // are put into the pass itself.
      const inPass = index % 2 === 0;
      if (inPass) {
        running.kill("SIGHUP");
        await running.says("rekeying now");
      }
      await pauseMs(Math.random() * (inPass ? 150 : 1_500));
      using stalls = watchStalls();
      const begin = performance.now();
      running.kill(index % 4 === 3 ? "SIGINT" : "SIGTERM");
      assertEquals(await running.ended, 0, running.text);
      const tookMs = performance.now() - begin;
      assert(tookMs < stalls.limitMs(1_000), `${tookMs} ms`);
      assert(!/ERROR(?!.*the clock went)/.test(running.text), running.text);
      await pairKeyOf(files);
    };
    for (let index = 0; index < MOMENTS; index += 2) {
      await Promise.all([stopAt(index), stopAt(index + 1)]);
    }
    const left = await Array.fromAsync(Deno.readDir(`${ca.directory}/issued`));
    assertEquals(left.filter(({ name }) => name.startsWith(".")), []);
  },
);

daemonTest(
  "ca rekey --daemon rekeys once more after the pass when SIGHUP comes in it",
  async ({ ca, pair, daemon }) => {
    const files = await pair("again", 600);
    await using running = daemon(files, ["--log-format", "json"]);
    await running.says('"scheduled"');
    ca.freeze();
    running.kill("SIGHUP");
    await running.says('"woken"');
    // Both in the pass that waits for the CA: together they ask for one more.
    running.kill("SIGHUP");
    running.kill("SIGHUP");
    ca.thaw();
    await running.says('"rekeyed"');
    await running.says('"woken"');
    await running.says('"rekeyed"');
    await running.says('"scheduled"');
    running.kill("SIGTERM");
    assertEquals(await running.ended, 0);
    assertEquals(countOf(running, '"event":"rekeyed"'), 2);
  },
);

daemonTest(
  "ca rekey --daemon rekeys on SIGHUP in a pause after a failure",
  async ({ ca, pair, daemon }) => {
    const files = await pair("pause", 3600);
    await using running = daemon(files, []);
    await running.says("first rekey in ");
    await ca.stop();
    running.kill("SIGHUP");
    await running.says("next attempt in ");
    await ca.restart();
    running.kill("SIGHUP");
    await running.says("certificate rekeyed, next in ");
  },
);

daemonTest(
  "ca rekey --daemon obeys signals as PID 1 of a container",
  async ({ pair, daemon }) => {
    const files = await pair("pid1", 600);
    await using running = daemon(files, [], {
      under: ["unshare", "-pf", "--mount-proc", "--kill-child"],
    });
    await running.says("first rekey in ");
    const children = await Deno.readTextFile(
      `/proc/${running.pid}/task/${running.pid}/children`,
    );
    const inside = Number(children.trim());
    Deno.kill(inside, "SIGHUP");
    await running.says("certificate rekeyed, next in ");
    using stalls = watchStalls();
    const begin = performance.now();
    Deno.kill(inside, "SIGTERM");
    assertEquals(await running.ended, 0);
    assert(performance.now() - begin < stalls.limitMs(1_000));
  },
  noNamespaces,
);

daemonTest(
  "ca rekey --daemon as PID 1 leaves no zombie of its hooks",
  async ({ pair, daemon }) => {
    const files = await pair("zombie", 600);
    await using running = daemon(files, ["--exec", "echo told"], {
      under: ["unshare", "-pf", "--mount-proc", "--kill-child"],
    });
    await running.says("first rekey in ");
    const children = await Deno.readTextFile(
      `/proc/${running.pid}/task/${running.pid}/children`,
    );
    const inside = Number(children.trim());
    for (let cycle = 0; cycle < 2; cycle++) {
      Deno.kill(inside, "SIGHUP");
      await running.says("told");
    }
    // The last one may have spoken and not ended yet; no event tells.
    const end = Date.now() + 10_000;
    const own = () =>
      Deno.readTextFile(`/proc/${inside}/task/${inside}/children`);
    while ((await own()).trim() !== "" && Date.now() < end) await pauseMs(20);
    assertEquals((await own()).trim(), "");
  },
  noNamespaces,
);

function countOf({ text }: RunningProgram, part: string): number {
  return text.split(part).length - 1;
}

/** The one thing that a random moment needs. */
function pauseMs(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
