/**
 * Files that may be written in a folder that may not: overwritten in place, with
 * their safety copies in a folder of who runs.
 */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import {
  CAN_CHANGE_USER,
  type NobodyCommand,
  prepareNobody,
} from "../support/as_nobody.ts";
import { run } from "../support/run.ts";
import { sample } from "../support/sweep.ts";
import { trace, tracerMissing } from "../support/tracer/tracer.ts";
import { open } from "../support/install_child.ts";
import { generation, modeOf, pairFixture, writePair } from "./pair_fixture.ts";

const NOBODY = 65534;
const AS_ROOT = { ignore: !CAN_CHANGE_USER } as const;

/** A pair of nobody's in a folder of root's, and how nobody installs in it. */
async function place() {
  const pair = await pairFixture();
  const { dir, targets } = pair;
  const command = await prepareNobody(dir);
  const state = dir.file("home/state");
  await Deno.mkdir(dir.file("home"));
  await Deno.chown(dir.file("home"), NOBODY, NOBODY);
  const write = () => {
    writePair(pair, generation(1));
    Deno.chownSync(targets.certificate, NOBODY, NOBODY);
    Deno.chownSync(targets.key, NOBODY, NOBODY);
  };
  write();
  const install = (
    stateFolders: readonly string[] = [state],
    first = 2,
  ): NobodyCommand =>
    command("tests/support/install_child.ts", [
      targets.certificate,
      targets.key,
      String(first),
      "1",
      JSON.stringify({ stateFolders }),
    ]);
  return {
    ...pair,
    pair,
    state,
    write,
    install,
    /** All that is in the folder of safety copies. */
    copies: () =>
      [...Deno.readDirSync(state)].flatMap(({ name }) =>
        [...Deno.readDirSync(`${state}/${name}`)].map((entry) => entry.name)
      ),
    async run({ words: [first, ...words], env }: NobodyCommand) {
      return await run(first, words, { env, stdin: "\n", cwd: "/" });
    },
    [Symbol.asyncDispose]: () => pair[Symbol.asyncDispose](),
  };
}

Deno.test({
  ...AS_ROOT,
  name:
    "files in a folder that cannot be written are overwritten where they are (needs root)",
  async fn() {
    await using it = await place();
    const before = Deno.statSync(it.targets.key);
    const { stdout, stderr } = await it.run(it.install());
    assert(/^installed 2$/m.test(stdout), stdout + stderr);
    assertMatch(
      stdout,
      /^warned the folder .*\/tls cannot be written, so .*internal\.crt is overwritten where it is/m,
    );
    assertEquals(it.read(), generation(2));
    const after = Deno.statSync(it.targets.key);
    assertEquals([after.ino, after.uid], [before.ino, NOBODY]);
    assertEquals([...it.hidden(), ...it.locks(), ...it.copies()], []);
    assertEquals(modeOf(it.state), "700");
    const [folder] = [...Deno.readDirSync(it.state)];
    assertEquals(
      decodeURIComponent(folder?.name ?? ""),
      it.dir.file("tls"),
    );
    assertEquals(modeOf(`${it.state}/${folder?.name}`), "700");
  },
});

Deno.test({
  ignore: !CAN_CHANGE_USER || tracerMissing !== undefined,
  name:
    "an overwriting with safety copies elsewhere is repaired wherever it was killed (needs root)",
  async fn() {
    await using it = await place();
    const traced = async (point = 0) => {
      it.write();
      const { words, env } = it.install();
      return await trace(["sh", "-c", 'echo | exec "$@"', "sh", ...words], {
        log: it.dir.file("trace.log"),
        directories: [it.dir.file("tls"), it.dir.file("home")],
        env: { ...env },
        ...(point > 0 && { point, action: "kill-before" as const }),
      });
    };
    // The first one makes the folder of copies.
    await traced();
    const { points } = await traced();
    assert(points.length > 40, `only ${points.length} points`);
    // In the middle of the certificate: the key is new by then.
    const middle = points.filter(({ call, path }) =>
      call === "write" && path === it.targets.certificate
    ).slice(-1);
    const states = new Set<string>();
    const chosen = new Set([
      ...sample("stand-in kills", points, 6),
      ...middle,
    ]);
    for (const { point } of chosen) {
      const { hit } = await traced(point);
      assertEquals(hit?.point, point);
      const { stdout, stderr } = await it.run(it.install([it.state], 3));
      const context = `${point}: ${stdout}${stderr}`;
      assert(/^installed 3$/m.test(stdout), context);
      states.add(/^recovered \w+$/m.exec(stdout)?.[0] ?? "");
      assertEquals(it.read(), generation(3), context);
      assertEquals(
        [...it.hidden(), ...it.locks(), ...it.copies()],
        [],
        context,
      );
    }
    assert(states.has("recovered finished"));
  },
});

Deno.test({
  ...AS_ROOT,
  name:
    "what was interrupted with safety copies elsewhere is repaired in a folder that can be written by now (needs root)",
  ignore: !CAN_CHANGE_USER || tracerMissing !== undefined,
  async fn() {
    await using it = await place();
    const { words, env } = it.install();
    const options = {
      log: it.dir.file("trace.log"),
      directories: [it.dir.file("tls"), it.dir.file("home")],
      env: { ...env },
    };
    const command = ["sh", "-c", 'echo | exec "$@"', "sh", ...words];
    const { points } = await trace(command, options);
    it.write();
    // In the middle of the certificate: the key is new by then.
    const point = points.findLast(({ call, path }) =>
      call === "write" && path === it.targets.certificate
    )?.point ?? 0;
    await trace(command, { ...options, point, action: "kill-before" });
    assertEquals(it.read().key, generation(2).key);
    Deno.chownSync(it.dir.file("tls"), NOBODY, NOBODY);
    const { stdout, stderr } = await it.run(it.install([it.state], 3));
    assertMatch(stdout + stderr, /^recovered finished\n(.*\n)*installed 3$/m);
    assertEquals(it.read(), generation(3));
  },
});

Deno.test({
  ...AS_ROOT,
  name:
    "a pair that nobody can replace is refused with its folder, its owner and what was tried (needs root)",
  async fn() {
    await using it = await place();
    await Deno.mkdir(it.dir.file("open"));
    Deno.chownSync(it.dir.file("open"), NOBODY, NOBODY);
    Deno.chmodSync(it.dir.file("open"), 0o777);
    const { stdout } = await it.run(
      it.install(["/proc/state", it.dir.file("open/state")]),
    );
    assertMatch(
      stdout,
      /^failed install: cannot replace .*internal\.key: its folder .*\/tls belongs to uid 0 with mode 0755 and cannot be written by uid 65534; and no folder for safety copies can be had: \/proc\/state: .*; .*\/open\/state: another user can replace it$/m,
    );
    assertEquals(it.read(), generation(1));
  },
});

Deno.test({
  ...AS_ROOT,
  name: "two users meet at one pair, though each has his own lock (needs root)",
  async fn() {
    await using it = await place();
    {
      using _held = await open(it.targets);
      const { stdout } = await it.run(it.install());
      assertMatch(stdout, /^failed busy: /m);
    }
    const { stdout } = await it.run(it.install());
    assertMatch(stdout, /^installed 2$/m);
  },
});

Deno.test({
  ...AS_ROOT,
  name:
    "what root began in his folder is not overwritten by another user (needs root)",
  async fn() {
    await using it = await place();
    await Deno.writeTextFile(it.dir.file("tls/.internal.crt.rekey"), "");
    const { stdout } = await it.run(it.install());
    assertMatch(
      stdout,
      /^failed install: an interrupted install of .* has to be repaired first, in .*\/tls, which cannot be written$/m,
    );
  },
});
