/**
 * Processes that are killed, and calls that fail, in the middle of an install.
 */
import { assert, assertEquals, assertMatch } from "../../support/assert.ts";
import { run } from "../../support/run.ts";
import { callsOf, CAN_TRACE } from "../../support/strace.ts";
import { howMany } from "../../support/sweep.ts";
import {
  generation,
  type PairFixture,
  pairFixture,
  writePair,
} from "../pair_fixture.ts";
import { recoverInstall } from "../pair_steps.ts";

const CHILD = new URL("../../support/install_child.ts", import.meta.url).href;

function childArgs(
  { targets }: PairFixture,
  numbers: readonly [first: number, count: number],
): string[] {
  return [
    "run",
    "-A",
    "--no-config",
    CHILD,
    targets.certificate,
    targets.key,
    ...numbers.map(String),
  ];
}

/** Starts a child that installs for ever; resolves when its first install runs. */
async function startInstalling(
  pair: PairFixture,
  first: number,
): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: childArgs(pair, [first, 0]),
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  reader.releaseLock();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode("\n"));
  await writer.close();
  return child;
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** The generation of both files; undefined when they do not belong together. */
function generationOf({ certificate, key }: {
  readonly certificate: string | undefined;
  readonly key: string | undefined;
}): number | undefined {
  const number = Number(/generation (\d+)/.exec(key ?? "")?.[1]);
  const expected = generation(number);
  return expected.certificate === certificate && expected.key === key
    ? number
    : undefined;
}

async function recover(pair: PairFixture): Promise<string> {
  return (await recoverInstall(pair.targets)).kind;
}

Deno.test("an install that is killed at random moments leaves one pair each time", async () => {
  await using pair = await pairFixture("two directories");
  writePair(pair, generation(1));
  let interrupted = 0;
  const rounds = howMany(10, 200);
  // On a busy machine many kills come before the child does anything.
  for (
    let round = 1;
    round <= rounds || (interrupted < 2 && round <= 20 * rounds);
    round++
  ) {
    const child = await startInstalling(pair, round * 1000);
    await sleep(Math.random() * 40);
    child.kill("SIGKILL");
    await child.output();
    if (pair.hidden().length > 0) interrupted++;
    await recover(pair);
    assert(generationOf(pair.read()) !== undefined, `round ${round}`);
    assertEquals(pair.hidden(), [], `round ${round}`);
  }
  // Otherwise the kills hit nothing, and the test proves nothing.
  assert(interrupted >= 2, `only ${interrupted} kills hit an install`);
});

interface Traced {
  readonly output: string;
  /** The line of the call that the fault hit. */
  readonly hit: string | undefined;
}

/**
 * Runs one install with a fault in the nth rename(2) of it. All of them are
 * made by one thread, and the program's own start makes none.
 */
async function installWithFault(
  pair: PairFixture,
  fault: string,
): Promise<Traced> {
  const log = pair.dir.file("strace.log");
  const { stdout } = await run("strace", [
    "-f",
    "-o",
    log,
    "-e",
    "trace=rename",
    "-e",
    `inject=rename:${fault}`,
    Deno.execPath(),
    ...childArgs(pair, [2, 1]),
  ], { stdin: "\n" });
  const lines = callsOf(await Deno.readTextFile(log));
  const renames = lines.filter((line) => line.includes(pair.dir.path));
  const hit = fault.includes("KILL")
    ? lines.some((line) => line.includes("killed by SIGKILL"))
      ? renames.at(-1)
      : undefined
    : renames.find((line) => line.includes("INJECTED"));
  return { output: stdout, hit };
}

const RENAMES = ["journal", "key", "certificate"] as const;
const HIT = {
  journal: /\.journal", ".*\.rekey"/,
  key: /internal\.key"/,
  certificate: /internal\.crt"/,
} as const;

const TRACED = { ignore: !CAN_TRACE } as const;

for (const [index, name] of RENAMES.entries()) {
  Deno.test({
    ...TRACED,
    name:
      `an install that is killed at the rename of the ${name} leaves one pair (needs strace)`,
    async fn() {
      await using pair = await pairFixture();
      writePair(pair, generation(1));
      const { hit } = await installWithFault(
        pair,
        `signal=KILL:when=${index + 1}`,
      );
      assertMatch(hit ?? "nothing was hit", HIT[name]);
      const isBetween = name === "certificate";
      assertEquals(generationOf(pair.read()), isBetween ? undefined : 1);
      const expected = {
        journal: "none",
        key: "finished",
        certificate: "finished",
      };
      assertEquals(await recover(pair), expected[name]);
      assertEquals(generationOf(pair.read()), name === "journal" ? 1 : 2);
      assertEquals(pair.hidden(), []);
    },
  });

  for (const when of [`${index + 1}`, `${index + 1}+`]) {
    const times = when.endsWith("+") ? "from then on" : "once";
    Deno.test({
      ...TRACED,
      name:
        `an install whose rename of the ${name} fails ${times} leaves the old pair (needs strace)`,
      async fn() {
        await using pair = await pairFixture("two directories");
        writePair(pair, generation(1));
        const { hit, output } = await installWithFault(
          pair,
          `error=EIO:when=${when}`,
        );
        assertMatch(hit ?? "nothing was hit", HIT[name]);
        assertMatch(
          output,
          /^failed install: rename to .*internal\.(crt|key) failed: input\/output error$/m,
        );
        assertEquals(pair.read(), generation(1));
        assertEquals(pair.hidden(), []);
        assertEquals(await recover(pair), "none");
      },
    });
  }
}
