/** `run` and the signals of its command: handed on, and its end handed back. */
import {
  assert,
  assertEquals,
  assertStringIncludes,
} from "../support/assert.ts";
import { noNamespaces } from "../support/namespaces.ts";
import { pairKeyOf } from "../support/openssl_reads.ts";
import { program } from "../support/program.ts";
import { run } from "../support/run.ts";
import { runTests } from "../support/run_place.ts";
import { watchStalls } from "../support/stalls.ts";

const runTest = await runTests();

/** A shell that says which signals it gets, and goes on. */
function listener(...more: readonly string[]): readonly string[] {
  const traps = ["INT", "QUIT", "TERM", "USR1", "USR2", "WINCH", "HUP"]
    .map((name) => `trap 'echo got-${name}' ${name}`);
  const wait =
    "echo listening; while :; do sleep 5 <&- >&- 2>&- & wait $!; done";
  return ["bash", "-c", [...traps, ...more, wait].join("; ")];
}

runTest(
  "run hands TERM, INT, QUIT, USR1, USR2 and WINCH on, each time, and ends with the command's code",
  async ({ pair, start }) => {
    const place = await pair(600);
    const count =
      "n=0; trap 'n=$((n+1)); echo term-$n; [ $n -lt 2 ] || exit 5' TERM";
    await using running = start(place, listener(count));
    await running.says("listening");
    for (const name of ["INT", "QUIT", "USR1", "USR2", "WINCH"] as const) {
      running.kill(`SIG${name}`);
      await running.says(`got-${name}`);
    }
    // One that it does not obey, and a second one.
    running.kill("SIGTERM");
    await running.says("term-1");
    running.kill("SIGTERM");
    await running.says("term-2");
    assertEquals(await running.ended, 5, running.text);
    assert(!running.text.includes("got-HUP"), running.text);
    assertStringIncludes(running.text, "bash ended with exit code 5");
  },
);

runTest(
  "run ends with 128 and the number of the signal that ended its command",
  async ({ pair, start }) => {
    const cases = [["KILL", 9], ["TERM", 15]] as const;
    await Promise.all(cases.map(async ([signal, number]) => {
      const place = await pair(600);
      await using running = start(place, ["sh", "-c", `kill -${signal} $$`]);
      assertEquals(await running.ended, 128 + number, running.text);
      assertStringIncludes(running.text, `sh ended by SIG${signal}`);
    }));
  },
);

runTest(
  "run leaves standard output and input to its command",
  async ({ pair, words, ca }) => {
    const place = await pair(600, 450);
    const { command, args } = program();
    const { code, stdout, stderr } = await run(command, [
      ...args,
      ...words(place, [], ["sh", "-c", "echo out; echo err >&2; cat"]),
    ], {
      stdin: "typed\n",
      env: { STEPPATH: `${ca.directory}/none`, DENO_NO_UPDATE_CHECK: "1" },
    });
    assertEquals(code, 0, stderr);
    assertEquals(stdout, "out\ntyped\n");
    assertStringIncludes(stderr, "err\n");
    assertStringIncludes(stderr, "the certificate is due");
  },
);

runTest(
  "run stops a request when its command ends, within a second, and keeps the pair",
  async ({ ca, pair, start }) => {
    const place = await pair(600);
    const before = await pairKeyOf(place);
    await using running = start(place, listener("trap 'exit 7' USR1"));
    await running.says("listening");
    ca.freeze();
    try {
      running.kill("SIGHUP");
      await running.says("rekeying now");
      using stalls = watchStalls();
      const begin = performance.now();
      running.kill("SIGUSR1");
      assertEquals(await running.ended, 7, running.text);
      assert(performance.now() - begin < stalls.limitMs(1_000));
    } finally {
      ca.thaw();
    }
    assertEquals(await pairKeyOf(place), before);
    assert(!/WARN|ERROR/.test(running.text), running.text);
  },
);

runTest(
  "run as PID 1 of a container hands signals on, collects what is its own, and says what it does not",
  async ({ pair, start }) => {
    const place = await pair(600);
    // What the subshell leaves behind is PID 1's, and ends at once.
    const orphan = "(sleep 0 &) ; trap 'exit 4' TERM";
    await using running = start(place, listener(orphan), {
      flags: ["--exec", "echo told"],
      under: ["unshare", "-pf", "--mount-proc", "--kill-child"],
    });
    await running.says("listening");
    const [inside = 0] = await childrenOf(running.pid);
    for (let cycle = 0; cycle < 2; cycle++) {
      Deno.kill(inside, "SIGHUP");
      await running.says("told");
    }
    // The command, and the orphan, which the runtime does not wait for: no hook.
    const left = await settled(inside, 2);
    const names = await Promise.all(left.map(nameOf));
    assertEquals(names.sort(), ["bash (running)", "sleep (zombie)"]);
    Deno.kill(inside, "SIGTERM");
    assertEquals(await running.ended, 4, running.text);
    assertStringIncludes(running.text, "and not what those leave behind");
  },
  noNamespaces,
);

runTest(
  "run goes on, and says so, when it may not signal a command of another user",
  async ({ pair, start }) => {
    const place = await pair(600);
    await using running = start(place, [
      ...["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"],
      ...["bash", "-c"],
      "trap 'exit 4' TERM; echo listening; sleep 10 <&- >&- 2>&- & wait",
    ], { under: ["setpriv", "--bounding-set=-kill", "--inh-caps=-kill"] });
    await running.says("listening");
    for (const name of ["USR1", "TERM"] as const) {
      running.kill(`SIG${name}`);
      await running.says(`cannot hand SIG${name} on to the command`);
    }
    const [child = 0] = await childrenOf(running.pid);
    Deno.kill(child, "SIGTERM");
    assertEquals(await running.ended, 4, running.text);
  },
  Deno.build.os === "linux" && Deno.uid() === 0 ? undefined : "not root",
);

async function childrenOf(pid: number): Promise<readonly number[]> {
  const text = await Deno.readTextFile(`/proc/${pid}/task/${pid}/children`);
  return text.trim().split(" ").filter((word) => word !== "").map(Number);
}

/** The children, once there are so many; a hook that spoke may not have ended yet. */
async function settled(pid: number, count: number): Promise<readonly number[]> {
  const end = Date.now() + 10_000;
  while (true) {
    const children = await childrenOf(pid);
    if (children.length === count || Date.now() > end) return children;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

async function nameOf(pid: number): Promise<string> {
  const text = await Deno.readTextFile(`/proc/${pid}/stat`);
  const [, name = "", state = ""] = /\((.*)\) (.)/.exec(text) ?? [];
  return `${name} (${state === "Z" ? "zombie" : "running"})`;
}
