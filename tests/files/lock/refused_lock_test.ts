/**
 * A system call of the lock that is refused, and what is left of a killed root:
 * neither lets two processes in, nor keeps the pair's own user out.
 */
import { assert, assertEquals, assertMatch } from "../../support/assert.ts";
import { CAN_CHANGE_USER, prepareNobody } from "../../support/as_nobody.ts";
import { open } from "../../support/install_child.ts";
import { run } from "../../support/run.ts";
import type { InstallOptions } from "../../../src/files/transaction.ts";
import { sample } from "../../support/sweep.ts";
import {
  trace,
  type TraceOptions,
  tracerMissing,
} from "../../support/tracer/tracer.ts";
import {
  generation,
  modeOf,
  type PairFixture,
  pairFixture,
  writePair,
} from "../pair_fixture.ts";
import { changePairLayout } from "../pair_steps.ts";

const NOBODY = 65534;
const CHILD = new URL("../../support/install_child.ts", import.meta.url).href;

interface Options extends InstallOptions {
  readonly files?: "both" | "certificate";
}

/** One install of generation 2 in a process of its own. */
function install(
  { targets }: PairFixture,
  { files = "both", ...options }: Options = {},
) {
  const key = files === "both" ? targets.key : "";
  return [
    ...["sh", "-c", 'echo | exec "$@"', "sh"],
    ...[Deno.execPath(), "run", "-A", "--no-check", "--no-config", CHILD],
    ...[targets.certificate, key, "2", "1", JSON.stringify(options)],
  ];
}

async function traced(
  pair: PairFixture,
  fault: Pick<TraceOptions, "point" | "action"> = {},
  options: Options = {},
) {
  return await trace(install(pair, options), {
    ...fault,
    log: pair.dir.file("trace.log"),
    directories: [pair.dir.file("tls")],
    env: { DENO_NO_UPDATE_CHECK: "1" },
  });
}

const REFUSALS = { EPERM: 1, EACCES: 13, EROFS: 30 } as const;

for (const [name, number] of Object.entries(REFUSALS)) {
  for (
    const [layout, files] of [
      ["plain", "both"],
      ["plain", "certificate"],
      ["versioned", "both"],
    ] as const
  ) {
    Deno.test({
      name:
        `${name} once at the lock (${layout}, ${files}) lets nobody in while it is held`,
      ignore: tracerMissing !== undefined,
      async fn() {
        await using pair = await pairFixture();
        writePair(pair, generation(1));
        await changePairLayout(pair.targets, layout);
        using _held = await open(pair.targets);
        const { points, stdout } = await traced(pair, {}, { files });
        assert(stdout.includes("failed busy: "), stdout);
        const locks = points.filter(({ path }) => path.endsWith("-lock"));
        assert(locks.length > 0);
        for (const { point } of locks) {
          const { stdout, hit } = await traced(pair, {
            point,
            action: `fail:${number}:once`,
          }, { files });
          assertEquals(hit?.point, point);
          assert(/^failed (busy|install): /m.test(stdout), stdout);
          assertEquals(pair.read(), generation(1));
        }
      },
    });
  }
}

const LOCK = new URL("../../../src/files/lock/pair_lock.ts", import.meta.url);

Deno.test("lockPair() names the limit where no more files can be opened", async () => {
  await using pair = await pairFixture();
  const script = `
    const { lockPair } = await import(${JSON.stringify(LOCK.href)});
    try {
      for (;;) Deno.openSync("/dev/null");
    } catch {
      await lockPair(${JSON.stringify(pair.targets)})
        .catch((error) => console.log(error.message, error.hint));
    }`;
  const { stdout } = await run("sh", [
    ...["-c", 'ulimit -n 256 && exec "$@"', "sh"],
    ...[Deno.execPath(), "eval", "--no-config", script],
  ]);
  assertMatch(stdout, /^lock .*: too many open files raise the limit/);
});

interface Case {
  readonly name: string;
  readonly options: Options;
  /** Owner of the folder, its group, its mode. */
  readonly folder: readonly [uid: number, gid: number, mode: number];
  readonly layout: "plain" | "versioned";
  /** Every how many calls root is killed. */
  readonly step: number;
}

const CASES: readonly Case[] = [
  ["a folder of uid N", [NOBODY, NOBODY, 0o755]] as const,
  ["a folder that group N may write", [0, NOBODY, 0o775]] as const,
].flatMap(([name, folder]) => [
  { name: `${name}, plain`, folder, layout: "plain", options: {}, step: 4 },
  {
    name: `${name}, in place`,
    folder,
    layout: "plain",
    options: { inPlace: true },
    step: 4,
  },
  {
    name: `${name}, versioned`,
    folder,
    layout: "versioned",
    options: {},
    step: 4,
  },
  {
    name: `${name}, from plain to versioned`,
    folder,
    layout: "plain",
    options: { layout: "versioned" },
    step: 6,
  },
]);

const chosen = sample("users", CASES, 3);
for (
  const { name, folder: [uid, gid, mode], layout, options, step } of chosen
) {
  Deno.test({
    name:
      `uid N goes on where root was killed at any call, in ${name} (needs root)`,
    ignore: !CAN_CHANGE_USER || tracerMissing !== undefined,
    async fn() {
      await using nobody = await pairFixture();
      const command = await prepareNobody(nobody.dir);
      for (let point = 1;; point += step) {
        await using pair = await pairFixture();
        await Deno.chmod(pair.dir.path, 0o755);
        const { certificate, key } = pair.targets;
        const tls = pair.dir.file("tls");
        writePair(pair, generation(1));
        for (const file of [certificate, key]) {
          Deno.chownSync(file, NOBODY, NOBODY);
        }
        Deno.chownSync(tls, uid, gid);
        Deno.chmodSync(tls, mode);
        await changePairLayout(pair.targets, layout);
        const { hit } = await traced(
          pair,
          { point, action: "kill-after" },
          options,
        );
        if (hit === undefined) {
          assert(point > 20, `only ${point} calls`);
          break;
        }
        const listing = await run("ls", ["-lan", tls]);
        const { words: [first, ...words], env } = command(
          "tests/support/install_child.ts",
          [certificate, key, "3", "1"],
        );
        const { stdout } = await run(first, words, {
          env,
          stdin: "\n",
          cwd: "/",
        });
        const context =
          `${point}, ${hit.call} ${hit.path}\n${stdout}${listing.stdout}`;
        assert(/^installed 3$/m.test(stdout), context);
        assertEquals(pair.read(), generation(3), context);
        const left = [...pair.hidden(), ...pair.locks()]
          .filter((entry) => !entry.endsWith(".versions"));
        assertEquals(left, [], context);
        assertEquals(modeOf(Deno.realPathSync(key)), "600");
      }
    },
  });
}
