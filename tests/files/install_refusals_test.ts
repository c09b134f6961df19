/**
 * What cannot work is refused before the CA is asked, and leaves no trace.
 */
import { hintOf } from "../support/hint.ts";
import type { Pair } from "../../src/files/transaction.ts";
import { RekeyError } from "../../src/base/errors.ts";
import { assertEquals, assertMatch, assertRejects } from "../support/assert.ts";
import { CAN_MOUNT, mount, mountTmpfs } from "../support/mounts.ts";
import { CAN_CHANGE_USER, runAsNobody } from "../support/as_nobody.ts";
import { run, runOk } from "../support/run.ts";
import {
  generation,
  type PairFixture,
  pairFixture,
  writePair,
} from "./pair_fixture.ts";
import { prepareInstall } from "./pair_steps.ts";

const OLD = generation(1);

async function assertRefused(
  pair: PairFixture,
  targets: Pair<string>,
  pattern: RegExp,
): Promise<RekeyError> {
  const before = pair.read();
  const error = await assertRejects(
    () => prepareInstall(targets),
    "install",
    pattern,
  );
  assertEquals(pair.read(), before);
  assertEquals(pair.hidden(), []);
  if (!(error instanceof RekeyError)) throw error;
  return error;
}

Deno.test("prepareInstall() refuses a directory as target", async () => {
  await using pair = await pairFixture();
  await Deno.mkdir(pair.targets.certificate);
  await using other = await pairFixture();
  await assertRefused(
    other,
    { ...other.targets, certificate: pair.targets.certificate },
    /internal\.crt failed: is a directory$/,
  );
});

Deno.test("prepareInstall() refuses a target that is no regular file", async () => {
  await using pair = await pairFixture();
  await runOk("mkfifo", [pair.dir.file("fifo")]);
  await assertRefused(
    pair,
    { ...pair.targets, key: pair.dir.file("fifo") },
    /fifo failed: not a regular file$/,
  );
});

Deno.test("prepareInstall() refuses a missing directory", async () => {
  await using pair = await pairFixture();
  await assertRefused(
    pair,
    { ...pair.targets, key: pair.dir.file("missing/x.key") },
    /^open .*missing\/x\.key failed: no such file or directory$/,
  );
});

Deno.test("prepareInstall() refuses one name for both files", async () => {
  await using pair = await pairFixture();
  const { certificate } = pair.targets;
  await assertRefused(
    pair,
    { certificate, key: certificate },
    /are the same file$/,
  );
});

Deno.test("prepareInstall() refuses two links to one file", async () => {
  await using pair = await pairFixture();
  writePair(pair, OLD);
  await Deno.symlink("internal.crt", pair.dir.file("tls/link.key"));
  await assertRefused(
    pair,
    { ...pair.targets, key: pair.dir.file("tls/link.key") },
    /are the same file$/,
  );
});

Deno.test("prepareInstall() refuses two hard links of one file", async () => {
  await using pair = await pairFixture();
  await Deno.writeTextFile(pair.targets.certificate, "both");
  await Deno.link(pair.targets.certificate, pair.targets.key);
  await assertRefused(pair, pair.targets, /are the same file$/);
});

Deno.test("prepareInstall() takes the longest name that a file can have", async () => {
  await using pair = await pairFixture();
  const key = pair.dir.file(`tls/${"k".repeat(255)}`);
  {
    await using install = await prepareInstall({ ...pair.targets, key });
    await install.commit({ certificate: "certificate", key: "key" });
  }
  assertEquals(await Deno.readTextFile(key), "key");
  assertEquals(pair.hidden(), []);
});

Deno.test("prepareInstall() refuses a name that is too long", async () => {
  await using pair = await pairFixture();
  await assertRefused(
    pair,
    { ...pair.targets, key: pair.dir.file(`tls/${"k".repeat(256)}`) },
    /file name too long$/,
  );
});

const MOUNTED = { ignore: !CAN_MOUNT } as const;

Deno.test({
  ...MOUNTED,
  name: "prepareInstall() refuses a read-only file system (needs mount)",
  async fn() {
    await using pair = await pairFixture("two directories");
    writePair(pair, OLD);
    const directory = pair.dir.file("private");
    await using _bind = await mount(directory, ["--bind", directory]);
    await runOk("mount", ["-o", "remount,ro,bind", directory]);
    const error = await assertRefused(
      pair,
      pair.targets,
      /^cannot replace .*internal\.key: its folder .*private is on a read-only file system$/,
    );
    assertMatch(hintOf(error), /--out-key/);
  },
});

Deno.test({
  ...MOUNTED,
  name: "prepareInstall() refuses a bind-mounted single file (needs mount)",
  async fn() {
    await using pair = await pairFixture();
    writePair(pair, OLD);
    Deno.writeTextFileSync(pair.dir.file("outside.key"), OLD.key);
    const { key } = pair.targets;
    await using _bind = await mount(key, [
      "--bind",
      pair.dir.file("outside.key"),
    ]);
    const error = await assertRefused(
      pair,
      pair.targets,
      /^cannot replace .*internal\.key: it is a mount point/,
    );
    assertMatch(hintOf(error), /mount the directory/);
  },
});

for (const free of [0, 8, 24]) {
  Deno.test({
    ...MOUNTED,
    name:
      `prepareInstall() refuses a file system with ${free} KiB left (needs mount)`,
    async fn() {
      await using pair = await pairFixture();
      const directory = pair.dir.file("tls");
      await using _tmpfs = await mountTmpfs(directory, "128k");
      writePair(pair, OLD);
      await fill(pair.dir.file("tls/filler"), free * 1024);
      const error = await assertRefused(
        pair,
        pair.targets,
        /^write .* failed: no space left on device$/,
      );
      assertMatch(hintOf(error), /free some space/);
    },
  });
}

/** Fills the file system and gives `leave` bytes back. */
async function fill(file: string, leave: number): Promise<void> {
  await run("dd", ["if=/dev/zero", `of=${file}`, "bs=4k"]);
  await Deno.truncate(file, Math.max(0, (await Deno.stat(file)).size - leave));
}

Deno.test({
  ...MOUNTED,
  name: "prepareInstall() works over two file systems (needs mount)",
  async fn() {
    await using pair = await pairFixture("two directories");
    await using _tmpfs = await mountTmpfs(pair.dir.file("private"), "128k");
    writePair(pair, OLD);
    await using transaction = await prepareInstall(pair.targets);
    await transaction.commit(generation(2));
    assertEquals(pair.read(), generation(2));
    assertEquals(pair.hidden(), []);
  },
});

Deno.test({
  ...MOUNTED,
  name: "prepareInstall() refuses an immutable file (needs chattr)",
  async fn() {
    await using pair = await pairFixture();
    writePair(pair, OLD);
    const { certificate } = pair.targets;
    const { code } = await run("chattr", ["+i", certificate]);
    // Not every file system knows the attribute; nothing to refuse there.
    if (code !== 0) return;
    try {
      await assertRefused(pair, pair.targets, /immutable or append-only$/);
    } finally {
      await runOk("chattr", ["-i", certificate]);
    }
  },
});

/** What the child says when nobody (uid 65534) runs it. */
async function installAsNobody({ dir, targets }: PairFixture): Promise<string> {
  const { stdout, stderr } = await runAsNobody(
    dir,
    "tests/support/install_child.ts",
    [targets.certificate, targets.key, "2", "1"],
  );
  return stdout + stderr;
}

const AS_NOBODY = { ignore: !CAN_CHANGE_USER } as const;

Deno.test({
  ...AS_NOBODY,
  name: "prepareInstall() refuses when it cannot keep the owner (needs root)",
  async fn() {
    await using pair = await pairFixture();
    writePair(pair, OLD);
    const { certificate, key } = pair.targets;
    Deno.chownSync(pair.dir.file("tls"), 65534, 65534);
    Deno.chownSync(key, 65534, 65534);
    Deno.chmodSync(certificate, 0o644);
    assertMatch(
      await installAsNobody(pair),
      /^failed install: keep the owner of .*internal\.crt failed: operation not permitted \(it belongs to uid 0, gid 0\)$/m,
    );
    assertEquals(pair.read(), OLD);
    assertEquals(pair.hidden(), []);
  },
});

Deno.test({
  ...AS_NOBODY,
  name:
    "prepareInstall() refuses a directory that it may not write (needs root)",
  async fn() {
    await using pair = await pairFixture();
    writePair(pair, OLD);
    Deno.chmodSync(pair.targets.certificate, 0o644);
    Deno.chmodSync(pair.targets.key, 0o644);
    assertMatch(
      await installAsNobody(pair),
      /^failed install: cannot replace .*internal\.key: its folder .*tls belongs to uid 0 with mode 0755 and cannot be written by uid 65534$/m,
    );
    assertEquals(pair.read(), OLD);
    assertEquals(pair.hidden(), []);
  },
});

Deno.test({
  ...AS_NOBODY,
  name:
    "prepareInstall() refuses another user's file in a sticky directory (needs root)",
  async fn() {
    await using pair = await pairFixture();
    writePair(pair, OLD);
    Deno.chmodSync(pair.dir.file("tls"), 0o1777);
    Deno.chmodSync(pair.targets.certificate, 0o666);
    Deno.chmodSync(pair.targets.key, 0o666);
    assertMatch(
      await installAsNobody(pair),
      /^failed install: cannot replace .*: it belongs to uid 0, and its directory is sticky$/m,
    );
    assertEquals(pair.read(), OLD);
    assertEquals(pair.hidden(), []);
  },
});
