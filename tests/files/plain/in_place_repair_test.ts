/**
 * The repair of files that were overwritten in place, after a kill at each call
 * that touches them.
 */
import { assert, assertEquals } from "../../support/assert.ts";
import { recoverPair } from "../../support/install_child.ts";
import {
  childCommand,
  filesOf,
  LOSS_LAYOUTS,
  makePairs,
  prepare,
  textOf,
} from "../../support/key_loss.ts";
import { inParallel, sample } from "../../support/sweep.ts";
import { tempDir } from "../../support/temp_dir.ts";
import {
  describePoint,
  type Point,
  trace,
  tracerMissing,
} from "../../support/tracer/tracer.ts";
import { modeOf } from "../pair_fixture.ts";

const because = tracerMissing === undefined
  ? ""
  : ` (ignored: ${tracerMissing})`;

Deno.test({
  name:
    `a repair in place syncs what is complete, and restores the mode${because}`,
  ignore: tracerMissing !== undefined,
  async fn() {
    await using dir = await tempDir();
    const pairs = await makePairs(dir);
    const layout = LOSS_LAYOUTS.find(({ name }) => name === "in place");
    assert(layout !== undefined);
    const made = async (name: string): Promise<string> => {
      const place = dir.file(name);
      await prepare(layout, pairs, place);
      const { key } = filesOf(place, layout);
      await Deno.chmod(key, 0o440);
      if (Deno.uid() === 0) await Deno.chown(key, 2, 3);
      return place;
    };
    const traced = (place: string, point?: Point) =>
      trace(childCommand(layout, place, dir), {
        directories: ["tls", "private"].map((name) => `${place}/${name}`),
        log: `${place}.log`,
        ...(point && { point: point.point, action: "kill-after" }),
      });
    const isOverwritten = ({ path }: Point) => /\/host\.(crt|key)$/.test(path);
    const { points, code, stdout } = await traced(await made("first"));
    assertEquals(code, 0, stdout);
    const begun = points.findIndex(({ path, call }) =>
      path.endsWith("/host.key") && call.startsWith("write")
    );
    const kills = points.filter((point, index) =>
      isOverwritten(point) && index >= begun
    );
    assert(begun > 0 && kills.length > 4);
    await inParallel(sample("in place", kills, 6), async (point) => {
      const place = await made(`at-${point.point}`);
      const killed = await traced(place, point);
      const context = describePoint(point);
      assertEquals(killed.code, 128 + 9, context);
      const { key } = filesOf(place, layout);
      // The next run, whole, for what it syncs of what it found.
      const next = await traced(place);
      assertEquals(next.code, 0, context);
      const repair = next.points.slice(
        0,
        next.points.findIndex(({ path, call }) =>
          call.startsWith("unlink") && path.endsWith(".rekey")
        ),
      );
      for (const name of ["host.key", "host.crt"]) {
        assert(
          repair.some(({ call, path }) =>
            call === "fsync" && path.endsWith(`/${name}`)
          ),
          `${name} is not synced, ${context}`,
        );
      }
      await recoverPair(filesOf(place, layout));
      assertEquals([textOf(key), modeOf(key)], [pairs.fresh.key, "440"]);
      const { uid, gid } = await Deno.stat(key);
      if (Deno.uid() === 0) assertEquals([uid, gid], [2, 3]);
    });
  },
});
