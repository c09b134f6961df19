/**
 * The service's user owns two files in a folder of root's, as roles for
 * configuration management lay them: it works without a flag, as with the
 * original.
 */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { CAN_CHANGE_USER, prepareNobody } from "../support/as_nobody.ts";
import { publicKeyOf } from "../support/openssl_reads.ts";
import { run } from "../support/run.ts";
import { startStepCa, stepCaMissing } from "../support/step_ca.ts";
import { tempDir } from "../support/temp_dir.ts";

const NOBODY = 65534;

async function place() {
  await using undo = new AsyncDisposableStack();
  const dir = undo.use(await tempDir());
  await Deno.mkdir(dir.file("ca"));
  await Deno.mkdir(dir.file("ssl"));
  const ca = undo.use(await startStepCa(dir.file("ca")));
  const issued = await ca.issue("host", "admin");
  const [certificate, key] = [
    dir.file("ssl/host.crt"),
    dir.file("ssl/host.key"),
  ];
  await Deno.writeTextFile(certificate, issued.certificate);
  await Deno.writeTextFile(key, issued.key, { mode: 0o600 });
  for (const file of [certificate, key]) await Deno.chown(file, NOBODY, NOBODY);
  await Deno.copyFile(ca.rootFile, dir.file("root.crt"));
  await Deno.chmod(dir.file("root.crt"), 0o644);
  const command = await prepareNobody(dir);
  const held = undo.move();
  return {
    dir,
    ca,
    certificate,
    key,
    async rekey(env: Readonly<Record<string, string>> = {}) {
      const { words: [first, ...words], env: own } = command("main.ts", [
        ...["ca", "rekey", "--force", "--ca-url", ca.url],
        ...["--root", dir.file("root.crt"), certificate, key],
      ]);
      return await run(first, words, { env: { ...own, ...env }, cwd: "/" });
    },
    [Symbol.asyncDispose]: () => held.disposeAsync(),
  };
}

const OPTIONS = { ignore: !CAN_CHANGE_USER || stepCaMissing !== undefined };

Deno.test({
  ...OPTIONS,
  name:
    "ca rekey replaces files of one's own in a folder of root's, without a flag (needs root)",
  async fn() {
    await using it = await place();
    const before = await Deno.readTextFile(it.key);
    const { code, stderr } = await it.rekey();
    assertEquals(code, 0, stderr);
    assertMatch(
      stderr,
      /the folder .*\/ssl cannot be written, so .*host\.key is overwritten where it is/,
    );
    assertMatch(stderr, /as the owner of the folder or as root/);
    const [certificate, key] = [
      await Deno.readTextFile(it.certificate),
      await Deno.readTextFile(it.key),
    ];
    assert(key !== before);
    assertEquals(await publicKeyOf(certificate), await publicKeyOf(key));
    assertEquals(
      (await Array.fromAsync(Deno.readDir(it.dir.file("ssl")))).length,
      2,
    );
  },
});

Deno.test({
  ...OPTIONS,
  name:
    "ca rekey refuses them before the CA is asked where no folder can be had (needs root)",
  async fn() {
    await using it = await place();
    const before = await Deno.readTextFile(it.key);
    const { code, stderr } = await it.rekey({ STEP_STATE_DIR: "/proc/none" });
    assertEquals(code, 73, stderr);
    assertMatch(
      stderr,
      /^cannot replace .*host\.key: its folder .*\/ssl belongs to uid 0 with mode 0755 and cannot be written by uid 65534; and no folder for safety copies can be had: \/proc\/none: /,
    );
    assertMatch(stderr, /\nhint: .*--state-dir/);
    assertEquals(await Deno.readTextFile(it.key), before);
  },
});
