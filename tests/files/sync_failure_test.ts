/**
 * An fsync that fails: no success is reported, and nothing old is removed. The
 * failing calls are the tracer's; the dying disk is a real one.
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { open } from "../support/install_child.ts";
import {
  childCommand,
  filesOf,
  LOSS_LAYOUTS,
  type LossLayout,
  makePairs,
  prepare,
  textOf,
  type TextPairs,
  textsBelow,
} from "../support/key_loss.ts";
import { diskMissing, mountDisk, SHUTDOWN } from "../support/dying_disk.ts";
import { run } from "../support/run.ts";
import { inParallel, sample } from "../support/sweep.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";
import {
  describePoint,
  type Point,
  trace,
  tracerMissing,
} from "../support/tracer/tracer.ts";

const LAYOUTS = LOSS_LAYOUTS.filter(({ isThere = true }) => isThere);

function isSync({ call }: Point): boolean {
  return call === "fsync" || call === "fdatasync";
}

/** From here on only hidden files of what is done are removed. */
function firstTidying(points: readonly Point[]): number {
  return points.find(({ call, path, second = "" }) =>
    call.startsWith("unlink") &&
      /(\.rekey(-layout)?|\.old\/.*)$/.test(path) ||
    call.startsWith("rename") && second.endsWith(".old")
  )?.point ?? Infinity;
}

/** Which pair stands, and that no other was lost that has to be there. */
async function judge(
  place: string,
  layout: LossLayout,
  { pairs, isDone, context, isPowerCut = false }: {
    readonly pairs: TextPairs;
    readonly isDone: boolean;
    /** Then a repair may finish what the disk has the old names of. */
    readonly isPowerCut?: boolean;
    readonly context: string;
  },
): Promise<void> {
  const { certificate, key } = filesOf(place, layout);
  const pairNow = () =>
    (["backup", "old", "fresh"] as const).find((owner) =>
      textOf(certificate) === pairs[owner].certificate &&
      textOf(key) === pairs[owner].key
    );
  if (!isDone) {
    const texts = textsBelow(place);
    for (const text of Object.values(pairs.old)) {
      assert(texts.has(text), `the old pair is gone: ${context}`);
    }
  }
  const before = pairNow();
  {
    using _repaired = await open({ certificate, key });
  }
  const after = pairNow();
  assert(after !== undefined, `no pair: ${context}`);
  if (before !== undefined && !isPowerCut) {
    assertEquals(after, before, `another pair after a repair: ${context}`);
  }
  const left: string[] = [];
  for await (const { name } of Deno.readDir(`${place}/tls`)) {
    if (/^\..*(?<!versions|-lock)$/.test(name)) left.push(name);
  }
  assertEquals(left, [], context);
}

/** What a message says is kept has to be there. */
async function assertKept(text: string): Promise<void> {
  const kept = /are kept in (\S+)/.exec(text)?.[1];
  if (kept === undefined) return;
  await Deno.lstat(kept).catch((error) => {
    throw new Error(`it is not: ${text}`, { cause: error });
  });
}

for (const layout of LAYOUTS) {
  Deno.test({
    name:
      `no success is reported, and nothing old removed, when an fsync fails: ${layout.name}${
        tracerMissing === undefined ? "" : ` (ignored: ${tracerMissing})`
      }`,
    ignore: tracerMissing !== undefined,
    async fn() {
      await using dir = await tempDir();
      const pairs = await makePairs(dir);
      const traced = async (place: string, point?: Point) =>
        await trace(childCommand(layout, place, dir), {
          directories: ["tls", "private"].map((name) => `${place}/${name}`),
          log: `${place}.log`,
          ...(point && { point: point.point, action: "fail:5:once" }),
        });
      const first = dir.file("first");
      await prepare(layout, pairs, first);
      const { points, code, stdout } = await traced(first);
      assertEquals(code, 0, stdout);
      const tidying = firstTidying(points);
      const syncs = points.filter(isSync);
      assert(syncs.length > 0);
      await inParallel(
        sample(`failing fsyncs, ${layout.name}`, syncs, 3),
        async (point) => {
          const place = dir.file(`at-${point.point}`);
          await prepare(layout, pairs, place);
          const run = await traced(place, point);
          const context = `${describePoint(point)}: ${run.stdout}${run.stderr}`;
          assertEquals(run.hit?.hit, "fail:5:once", context);
          const isDone = run.code === 0;
          if (isDone) {
            assert(point.point > tidying, `it is believed: ${context}`);
          } else {
            assertEquals(run.code, 73, context);
            assertMatch(run.stdout, /input\/output error/);
            await assertKept(run.stdout);
          }
          await judge(place, layout, { pairs, isDone, context });
        },
      );
    },
  });
}

Deno.test({
  name: `the last fsync may fail: the folder and the reason are said${
    tracerMissing === undefined ? "" : ` (ignored: ${tracerMissing})`
  }`,
  ignore: tracerMissing !== undefined,
  async fn() {
    await using dir = await tempDir();
    const pairs = await makePairs(dir);
    const [layout] = LAYOUTS;
    if (layout === undefined) throw new Error("no layout");
    const [first, second] = [dir.file("first"), dir.file("second")];
    for (const place of [first, second]) await prepare(layout, pairs, place);
    const options = (place: string) => ({
      directories: [`${place}/tls`],
      log: `${place}.log`,
    });
    const { points } = await trace(
      childCommand(layout, first, dir),
      options(first),
    );
    const last = points.findLast(isSync)?.point ?? 0;
    const { code, stdout } = await trace(childCommand(layout, second, dir), {
      ...options(second),
      point: last,
      action: "fail:5:once",
    });
    assertEquals(code, 0, stdout);
    assertStringIncludes(stdout, "done sync the directory of ");
    assertStringIncludes(stdout, "input/output error");
    assertStringIncludes(stdout, ` be in ${second}/tls again`);
  },
});

/** Syncs of the longest run; later ones are never reached. */
const MOST_SYNCS = 20;

for (const layout of LAYOUTS) {
  Deno.test({
    name: `a disk that dies at an fsync loses no pair: ${layout.name}${
      diskMissing === undefined ? "" : ` (ignored: ${diskMissing})`
    }`,
    ignore: diskMissing !== undefined,
    async fn() {
      await using dir = await tempDir();
      const pairs = await makePairs(dir);
      const cases = Array.from({ length: MOST_SYNCS }, (_, index) => index + 1);
      for (const at of sample(`dying disk, ${layout.name}`, cases, 1)) {
        await dieAt(at, layout, { dir, pairs });
      }
    },
  });
}

async function dieAt(
  at: number,
  layout: LossLayout,
  { dir, pairs }: { readonly dir: TempDir; readonly pairs: TextPairs },
): Promise<void> {
  const place = dir.file(`disk-${at}`);
  const image = `${place}.img`;
  await Deno.mkdir(place);
  let result;
  {
    await using _disk = await mountDisk(image, place, { isNew: true });
    await prepare(layout, pairs, place);
    await run("sync", ["-f", place]);
    const [command = "", ...args] = childCommand(layout, place, dir);
    result = await run(command, args, {
      env: { DISK_DIES_AT: String(at), DISK_DIES_BY: `${SHUTDOWN} ${place}` },
    });
  }
  const context = `${layout.name}, fsync ${at}: ${result.stdout}`;
  const isDone = result.code === 0;
  if (!isDone) assertEquals(result.code, 73, context + result.stderr);
  // A copy: the kernel may not have let go of the dead one yet.
  await Deno.copyFile(image, `${image}.copy`);
  await using _again = await mountDisk(`${image}.copy`, place);
  // A success is one, also after the power went.
  if (isDone && layout.what === "{}") {
    assertEquals(
      textOf(filesOf(place, layout).key),
      pairs.fresh.key,
      context,
    );
  }
  await judge(place, layout, { pairs, isDone, context, isPowerCut: true });
}
