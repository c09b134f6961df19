/**
 * Owner and mode of new files, as chosen, and in directories that somebody else
 * may change at any moment.
 */
import { setMode, setOwner } from "../../../src/files/disk/attributes.ts";
import type { InstallOptions } from "../../../src/files/transaction.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertThrows,
} from "../../support/assert.ts";
import { CAN_CHANGE_USER } from "../../support/as_nobody.ts";
import { tempDir } from "../../support/temp_dir.ts";
import {
  generation,
  modeOf,
  type PairFixture,
  pairFixture,
  writePair,
} from "../pair_fixture.ts";
import { prepareInstall } from "../pair_steps.ts";

const NOBODY = 65534;

async function install(
  pair: PairFixture,
  options: InstallOptions,
): Promise<readonly string[]> {
  await using transaction = await prepareInstall(pair.targets, options);
  await transaction.commit(generation(2));
  return transaction.warnings;
}

Deno.test("commit() gives new files the modes that were chosen", async () => {
  await using pair = await pairFixture();
  const attributes = { keyMode: 0o640, certificateMode: 0o644 };
  const warnings = await install(pair, { attributes });
  assertEquals(modeOf(pair.targets.key), "640");
  assertEquals(modeOf(pair.targets.certificate), "644");
  assertEquals(warnings.length, 1);
  assert(warnings[0]?.includes("will be open to others (mode 0640)"));
});

Deno.test("commit() closes an open key by --key-mode, without a warning", async () => {
  await using pair = await pairFixture();
  writePair(pair, generation(1));
  await Deno.chmod(pair.targets.key, 0o644);
  const warnings = await install(pair, { attributes: { keyMode: 0o600 } });
  assertEquals(warnings, []);
  assertEquals(modeOf(pair.targets.key), "600");
});

for (const owner of ["nobody", String(NOBODY)]) {
  Deno.test({
    name: `commit() gives both files to --owner ${owner} (needs root)`,
    ignore: !CAN_CHANGE_USER,
    async fn() {
      await using pair = await pairFixture();
      await install(pair, { attributes: { owner, group: "0" } });
      for (const file of [pair.targets.certificate, pair.targets.key]) {
        const { uid, gid } = Deno.statSync(file);
        assertEquals([uid, gid], [NOBODY, 0]);
        assertEquals(modeOf(file), "600");
      }
    },
  });
}

for (
  const [flag, attributes] of [
    ["--owner", { owner: "no-such-user" }],
    ["--group", { group: "no-such-group" }],
  ] as const
) {
  Deno.test(`prepareInstall() refuses an unknown name of ${flag} and leaves nothing`, async () => {
    await using pair = await pairFixture();
    writePair(pair, generation(1));
    await assertRejects(
      () => prepareInstall(pair.targets, { attributes }),
      "usage",
      new RegExp(`${flag} names "no-such-(user|group)", which is not in /etc/`),
    );
    assertEquals(pair.hidden(), []);
    assertEquals(pair.read(), generation(1));
  });
}

for (
  const [what, change] of [
    [
      "setOwner()",
      (own: Parameters<typeof setOwner>[0]) =>
        setOwner(own, { mode: 0o600, uid: NOBODY, gid: NOBODY }),
    ],
    ["setMode()", (own: Parameters<typeof setMode>[0]) => setMode(own, 0o666)],
  ] as const
) {
  Deno.test({
    name:
      `${what} follows no link that the owner of the directory swapped in (needs root)`,
    ignore: !CAN_CHANGE_USER,
    async fn() {
      await using hostile = await tempDir();
      await Deno.chown(hostile.path, NOBODY, NOBODY);
      await using own = await tempDir();
      const victim = own.file("shadow");
      await Deno.writeTextFile(victim, "", { mode: 0o600 });
      const path = hostile.file("staged");
      using file = await Deno.open(path, {
        write: true,
        createNew: true,
        mode: 0o600,
      });
      const target = { path, file, shownPath: "site.key" };
      change(target);
      assertEquals(Deno.statSync(path).ino, file.statSync().ino);
      // The mode has to differ again, or there would be nothing to do.
      await Deno.chmod(path, 0o600);
      await Deno.chown(path, 0, 0);
      await Deno.remove(path);
      await Deno.symlink(victim, path);
      assertThrows(() => change(target), "install");
      const { uid } = Deno.statSync(victim);
      assertEquals([uid, modeOf(victim)], [0, "600"]);
    },
  });
}
