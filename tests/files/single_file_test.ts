/**
 * One file that belongs to no pair: whole or not at all, and asked for.
 */

import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../support/assert.ts";
import { CAN_CHANGE_USER, runAsNobody } from "../support/as_nobody.ts";
import { fakeTerminal, noTerminal } from "../support/fake_terminal.ts";
import { hintOf } from "../support/hint.ts";
import { runOk } from "../support/run.ts";
import { writeOne } from "../support/single_file_child.ts";
import { inParallel } from "../support/sweep.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";
import {
  type Action,
  describePoint,
  ERRNO,
  type Point,
  trace,
  tracerMissing,
} from "../support/tracer/tracer.ts";
import { modeOf } from "./pair_fixture.ts";
import { changePairLayout } from "./pair_steps.ts";
import { generation, pairFixture, writePair } from "./pair_fixture.ts";

const OLD = "old content\n".repeat(500);
const NEW = "new content\n".repeat(700);

/** What is in a folder, but for the lock that a killed process leaves. */
function namesIn(directory: string): readonly string[] {
  return [...Deno.readDirSync(directory)].map(({ name }) => name)
    .filter((name) => !name.endsWith(".rekey-lock")).toSorted();
}

Deno.test("openSingleFile() changes nothing, and write() makes a file with the mode that is wanted", async () => {
  await using dir = await tempDir();
  const file = dir.file("root.crt");
  await writeOne(file, NEW);
  assertEquals(await Deno.readTextFile(file), NEW);
  assertEquals(modeOf(file), "640");
  assertEquals(namesIn(dir.path), ["root.crt"]);
});

Deno.test("write() keeps mode and link of the file that it replaces", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.file("real"));
  await Deno.writeTextFile(dir.file("real/a.der"), OLD, { mode: 0o644 });
  await Deno.symlink("real/a.der", dir.file("a.der"));
  await writeOne(dir.file("a.der"), NEW);
  assertEquals(await Deno.readTextFile(dir.file("real/a.der")), NEW);
  assertEquals(modeOf(dir.file("real/a.der")), "644");
  assertEquals(await Deno.readLink(dir.file("a.der")), "real/a.der");
  assertEquals(namesIn(dir.path), ["a.der", "real"]);
});

Deno.test("write() makes folders for their owner alone, where that is wanted", async () => {
  await using dir = await tempDir();
  const file = dir.file("step/certs/root_ca.crt");
  await assertRejects(
    () => writeOne(file, NEW),
    "install",
    /no such file or directory/,
  );
  assertEquals(namesIn(dir.path), []);
  await writeOne(file, NEW, { makesFolder: true });
  assertEquals(await Deno.readTextFile(file), NEW);
  assertEquals(modeOf(dir.file("step")), "700");
  assertEquals(modeOf(dir.file("step/certs")), "700");
});

Deno.test("openSingleFile() asks before a file is replaced, and takes no for an answer", async () => {
  await using dir = await tempDir();
  const file = dir.file("a.der");
  const runtime = (terminal = fakeTerminal()) => ({
    runtime: {
      clock: { now: () => new Date(), sleep: () => Promise.resolve() },
      terminal,
    },
  });
  await writeOne(file, OLD, { overwrite: "ask", ...runtime() });
  const yes = fakeTerminal(true);
  await writeOne(file, NEW, { overwrite: "ask", ...runtime(yes) });
  assertEquals(yes.questions, [`Would you like to overwrite ${file} [Y/n]: `]);
  assertEquals(await Deno.readTextFile(file), NEW);
  await assertRejects(
    () =>
      writeOne(file, OLD, {
        overwrite: "ask",
        ...runtime(fakeTerminal(false)),
      }),
    "declined",
  );
  await assertRejects(
    () => writeOne(file, OLD, { overwrite: "ask", ...runtime(noTerminal()) }),
    "usage",
    /cannot ask/,
  );
  assertEquals(await Deno.readTextFile(file), NEW);
});

Deno.test("openSingleFile() refuses what is no file, and hidden names of ours", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.file("folder"));
  await runOk("mkfifo", [dir.file("pipe")]);
  for (
    const [name, kind, pattern] of [
      ["folder", "install", /folder failed: is a directory$/],
      ["pipe", "install", /pipe failed: not a regular file$/],
      [".a.crt.rekey", "usage", /are for the hidden files of step-rekey/],
      [".a.crt.0123456789abcdef.new", "usage", /are for the hidden files/],
      ["", "install", /no such file|is a directory/],
    ] as const
  ) {
    await assertRejects(() => writeOne(dir.file(name), NEW), kind, pattern);
  }
  await Deno.symlink(".a.crt.rekey", dir.file("link"));
  await assertRejects(() => writeOne(dir.file("link"), NEW), "usage");
  assertEquals(namesIn(dir.path), ["folder", "link", "pipe"]);
});

Deno.test("openSingleFile() refuses a file of a pair in the versioned layout", async () => {
  await using pair = await pairFixture();
  writePair(pair, generation(1));
  await changePairLayout(pair.targets, "versioned");
  const before = pair.read();
  for (const file of Object.values(pair.targets)) {
    await assertRejects(
      () => writeOne(file, NEW),
      "install",
      /belongs to a pair in the versioned layout$/,
    );
  }
  assertEquals(pair.read(), before);
});

Deno.test("write() waits for a process that writes the same file, and gives up", async () => {
  await using dir = await tempDir();
  const file = dir.file("a.der");
  let [now, sleeps] = [0, 0];
  const clock = {
    now: () => new Date(now),
    sleep: (ms: number) => {
      sleeps++;
      now += ms;
      return Promise.resolve();
    },
  };
  {
    using held = await Deno.open(dir.file(".a.der.rekey-lock"), {
      write: true,
      create: true,
    });
    await held.lock(true);
    const error = await assertRejects(
      () => writeOne(file, NEW, { runtime: { clock, terminal: noTerminal() } }),
      "busy",
    );
    assert(!hintOf(error)?.includes("--"), hintOf(error));
  }
  assert(sleeps >= 10);
  await writeOne(file, NEW);
  assertEquals(await Deno.readTextFile(file), NEW);
});

Deno.test({
  name:
    "write() leaves what it cannot replace, and names no flag of a pair (needs root)",
  ignore: !CAN_CHANGE_USER,
  async fn() {
    await using dir = await tempDir();
    await Deno.mkdir(dir.file("locked"), { mode: 0o755 });
    await Deno.writeTextFile(dir.file("locked/a.der"), OLD);
    const { code, stdout } = await runAsNobody(
      dir,
      "tests/support/single_file_child.ts",
      [dir.file("locked/a.der"), NEW],
    );
    assertEquals(code, 73, stdout);
    assertMatch(stdout, /cannot replace .*belongs to uid 0/);
    assertEquals(await Deno.readTextFile(dir.file("locked/a.der")), OLD);
    assertEquals(namesIn(dir.file("locked")), ["a.der"]);
  },
});

Deno.test("openSingleFile() has a hint of its own where a folder cannot be written", async () => {
  await using dir = await tempDir();
  const error = await assertRejects(
    () => writeOne("/proc/nothing.der", NEW),
    "install",
  );
  assert(!hintOf(error)?.includes("--"), hintOf(error));
  assertEquals(namesIn(dir.path), []);
});

const TRACED = {
  ignore: tracerMissing !== undefined,
} as const;

async function traced(
  dir: TempDir,
  name: string,
  fault: { readonly point?: number; readonly action?: Action } = {},
) {
  const place = dir.file(name);
  await Deno.mkdir(place, { recursive: true });
  await Deno.writeTextFile(`${place}/a.der`, OLD, { mode: 0o644 });
  const child = new URL("../support/single_file_child.ts", import.meta.url);
  return {
    place,
    ...await trace([
      ...[Deno.execPath(), "run", "-A", "--no-check", "--no-config"],
      ...[child.href, `${place}/a.der`, NEW],
    ], {
      ...fault,
      directories: [place],
      log: `${place}.log`,
      env: { DENO_NO_UPDATE_CHECK: "1" },
    }),
  };
}

/** The file is whole, and the next run leaves nothing but it. */
async function requireWhole(
  place: string,
  expected: readonly string[],
  context: string,
): Promise<void> {
  const content = await Deno.readTextFile(`${place}/a.der`);
  assert(expected.includes(content), `torn: ${context}`);
  assertEquals(modeOf(`${place}/a.der`), "644", context);
  await writeOne(`${place}/a.der`, NEW);
  assertEquals(namesIn(place), ["a.der"], context);
}

Deno.test({
  ...TRACED,
  name: "write() killed before or after any call leaves the old or new content",
  async fn() {
    await using dir = await tempDir();
    const { points, code, stdout } = await traced(dir, "first");
    assertEquals(code, 0, stdout);
    assert(points.length > 5);
    await inParallel(
      points.flatMap(({ point }) =>
        (["kill-before", "kill-after"] as const)
          .map((action) => ({ point, action }))
      ),
      async ({ point, action }) => {
        const run = await traced(dir, `${point}-${action}`, { point, action });
        const context = `${action} ${describe(run.hit)}`;
        assertEquals(run.hit?.hit, action, context);
        await requireWhole(run.place, [OLD, NEW], context);
      },
    );
  },
});

Deno.test({
  ...TRACED,
  name:
    "write() that fails at any call says so, and leaves the old content and nothing else",
  async fn() {
    await using dir = await tempDir();
    const { points } = await traced(dir, "first");
    const renamed = points.findIndex(({ call, second = "" }) =>
      call.startsWith("rename") && second.endsWith("/a.der")
    );
    assert(renamed > 0);
    // A lock that cannot be made is another matter, and has its own tests.
    const own = points.slice(0, renamed + 1).filter(({ path }) =>
      !path.includes("rekey-lock")
    );
    await inParallel(
      own.flatMap(({ point }) =>
        [ERRNO.EIO, ERRNO.ENOSPC].map((number) => ({
          point,
          action: `fail:${number}:once` as const,
        }))
      ),
      async ({ point, action }) => {
        const run = await traced(
          dir,
          `${point}-${action.replaceAll(":", "-")}`,
          { point, action },
        );
        const context = `${action} ${describe(run.hit)}: ${run.stdout}`;
        assertEquals(run.hit?.hit, action, context);
        if (run.code === 0) {
          // What only probes, or tidies, may fail.
          await requireWhole(run.place, [NEW], context);
          return;
        }
        assertEquals(run.code, 73, context + run.stderr);
        await requireWhole(run.place, [OLD], context);
      },
    );
  },
});

function describe(point: Point | undefined): string {
  return point === undefined ? "not hit" : describePoint(point);
}

Deno.test("openSingleFile() takes a name without a folder", async () => {
  await using dir = await tempDir();
  const child = new URL("../support/single_file_child.ts", import.meta.url);
  await runOk(Deno.execPath(), [
    ...["run", "-A", "--no-check", "--no-config", child.href, "a.der", NEW],
  ], { cwd: dir.path });
  assertEquals(await Deno.readTextFile(dir.file("a.der")), NEW);
});
