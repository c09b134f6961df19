/**
 * Files that are overwritten where they are: what stays, and what a copy that
 * was interrupted at any byte ends in.
 */
import fc from "fast-check";
import { lockPair } from "../../../src/files/lock/pair_lock.ts";
import { isInterruptedCopy } from "../../../src/files/plain/in_place.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../support/assert.ts";
import { CAN_CHANGE_USER, runAsNobody } from "../../support/as_nobody.ts";
import { CAN_MOUNT, mount, mountTmpfs } from "../../support/mounts.ts";
import {
  generation,
  modeOf,
  type PairFixture,
  pairFixture,
  writePair,
} from "../pair_fixture.ts";
import { prepareInstall, recoverInstall } from "../pair_steps.ts";

const OLD = generation(1);
const NEW = generation(2);

async function installInPlace(
  pair: PairFixture,
  contents = NEW,
): Promise<void> {
  await using install = await prepareInstall(pair.targets, { inPlace: true });
  await install.commit(contents);
}

for (const layout of ["one directory", "two directories"] as const) {
  Deno.test(`commit() in place keeps the files and changes their content, in ${layout}`, async () => {
    await using pair = await pairFixture(layout);
    writePair(pair, OLD);
    await Deno.chmod(pair.targets.certificate, 0o664);
    const inodes = () =>
      [pair.targets.certificate, pair.targets.key].map((file) =>
        Deno.statSync(file).ino
      );
    const before = inodes();
    await installInPlace(pair);
    assertEquals(pair.read(), NEW);
    assertEquals(inodes(), before);
    assertEquals(modeOf(pair.targets.certificate), "664");
    assertEquals(pair.hidden(), []);
  });
}

Deno.test("commit() in place leaves nothing of a longer old content", async () => {
  await using pair = await pairFixture();
  writePair(pair, { certificate: "c".repeat(9000), key: "k".repeat(9000) });
  await installInPlace(pair);
  assertEquals(pair.read(), NEW);
});

Deno.test("commit() in place makes files that are not there", async () => {
  await using pair = await pairFixture();
  await installInPlace(pair);
  assertEquals(pair.read(), NEW);
  assertEquals(modeOf(pair.targets.key), "600");
});

Deno.test("commit() in place closes the key before it writes it, with a mode", async () => {
  await using pair = await pairFixture();
  writePair(pair, OLD);
  await Deno.chmod(pair.targets.key, 0o644);
  await using install = await prepareInstall(pair.targets, {
    inPlace: true,
    attributes: { keyMode: 0o600 },
  });
  assertEquals(install.warnings, []);
  await install.commit(NEW);
  assertEquals(modeOf(pair.targets.key), "600");
});

Deno.test({
  name: "commit() in place writes bind-mounted single files (needs mount)",
  ignore: !CAN_MOUNT,
  async fn() {
    await using pair = await pairFixture();
    writePair(pair, { certificate: "", key: "" });
    await using host = await pairFixture();
    writePair(host, OLD);
    await using _certificate = await mount(pair.targets.certificate, [
      "--bind",
      host.targets.certificate,
    ]);
    await using _key = await mount(pair.targets.key, [
      "--bind",
      host.targets.key,
    ]);
    await assertRejects(
      () => prepareInstall(pair.targets),
      "install",
      /mount point of its own/,
    );
    await installInPlace(pair);
    assertEquals(host.read(), NEW);
    assertEquals(pair.hidden(), []);
  },
});

Deno.test({
  name:
    "commit() in place puts the old pair back when the disk is full (needs mount)",
  ignore: !CAN_MOUNT,
  async fn() {
    await using pair = await pairFixture("two directories");
    await using host = await pairFixture();
    const small = host.dir.file("tls");
    await using _small = await mountTmpfs(small, "8k");
    const files = {
      certificate: `${small}/internal.crt`,
      key: `${small}/internal.key`,
    };
    for (const role of ["certificate", "key"] as const) {
      Deno.writeTextFileSync(files[role], OLD[role], { mode: 0o600 });
      Deno.writeTextFileSync(pair.targets[role], "");
    }
    await using _certificate = await mount(pair.targets.certificate, [
      "--bind",
      files.certificate,
    ]);
    await using _key = await mount(pair.targets.key, ["--bind", files.key]);
    const error = await assertRejects(
      () => installInPlace(pair, { ...NEW, certificate: "x".repeat(9000) }),
      "install",
      /internal\.crt failed: no space left on device/,
    );
    assert(error instanceof Error);
    assertEquals(pair.read(), OLD);
    assertEquals(pair.hidden(), []);
  },
});

Deno.test({
  name:
    "prepareInstall() in place refuses a file that may not be written (needs root)",
  ignore: !CAN_CHANGE_USER,
  async fn() {
    await using pair = await pairFixture();
    writePair(pair, OLD);
    await Deno.chmod(pair.targets.certificate, 0o644);
    await Deno.chmod(pair.targets.key, 0o644);
    await Deno.chmod(pair.dir.file("tls"), 0o777);
    await Deno.chmod(pair.dir.path, 0o755);
    const { stdout } = await runAsNobody(
      pair.dir,
      "tests/support/install_child.ts",
      [
        pair.targets.certificate,
        pair.targets.key,
        "2",
        "1",
        JSON.stringify({ inPlace: true }),
      ],
    );
    assertMatch(
      stdout,
      /^failed install: open .*internal\.(crt|key) failed: permission denied \(it belongs to uid 0 and gid 0 with mode 0644, and this program runs as uid 65534\)$/m,
    );
    assertEquals(pair.read(), OLD);
  },
});

const BYTES = fc.uint8Array({ maxLength: 80 });

Deno.test("isInterruptedCopy() knows every prefix of the new content over the old", () => {
  fc.assert(
    fc.property(BYTES, BYTES, fc.nat(80), fc.nat(80), (old, fresh, k, cut) => {
      const written = fresh.subarray(0, k);
      const torn = new Uint8Array(Math.max(old.length, written.length));
      torn.set(old);
      torn.set(written);
      const options = { old, fresh };
      assert(isInterruptedCopy(torn, options));
      // The power takes pages, from anywhere.
      torn.fill(0, cut, cut + 8);
      assert(isInterruptedCopy(torn, options));
      assert(isInterruptedCopy(torn.subarray(0, cut), options));
    }),
    { numRuns: 2000 },
  );
});

Deno.test("isInterruptedCopy() takes nothing of somebody else's", () => {
  const old = new TextEncoder().encode(OLD.key);
  const fresh = new TextEncoder().encode(NEW.key);
  for (const text of [generation(3).key, `${OLD.key}x`.repeat(2), "foreign"]) {
    const content = new TextEncoder().encode(text);
    assert(!isInterruptedCopy(content, { old, fresh }), text.slice(0, 20));
  }
});

Deno.test("recoverInstall() mends a copy that ended at any byte", async () => {
  await using pair = await pairFixture();
  for (const role of ["key", "certificate"] as const) {
    for (const at of [0, 1, 7, OLD[role].length - 1, OLD[role].length]) {
      writePair(pair, OLD);
      const state = await interrupted(pair);
      // The key is written first.
      const key = role === "key" ? torn("key", at) : NEW.key;
      const certificate = role === "key" ? OLD.certificate : torn(role, at);
      writePair(pair, { key, certificate });
      state.restoreHidden();
      assertEquals((await recoverInstall(pair.targets)).kind, "finished");
      assertEquals(pair.read(), NEW, `${role} at ${at}`);
      assertEquals(pair.hidden(), []);
    }
  }
});

function torn(role: "key" | "certificate", at: number): string {
  return NEW[role].slice(0, at) + OLD[role].slice(at);
}

/** The hidden files of an install in place, as they are while it copies. */
async function interrupted(
  pair: PairFixture,
  attributes: { readonly keyMode?: number } = {},
): Promise<{ restoreHidden(): void }> {
  const hidden = new Map<string, string>();
  await using install = await prepareInstall(pair.targets, {
    inPlace: true,
    attributes,
  });
  {
    using _spy = collectHidden(pair, hidden);
    await install.commit(NEW);
  }
  assert([...hidden.keys()].some((name) => name.endsWith(".rekey")));
  return { restoreHidden: () => writeHidden(pair, hidden) };
}

function writeHidden(
  { dir }: PairFixture,
  hidden: ReadonlyMap<string, string>,
): void {
  for (const [name, text] of hidden) {
    Deno.writeTextFileSync(dir.file(`tls/${name}`), text, { mode: 0o600 });
  }
}

function readHidden(directory: string, hidden: Map<string, string>): void {
  for (const { name, isFile } of Deno.readDirSync(directory)) {
    if (!isFile || !name.startsWith(".")) continue;
    hidden.set(name, Deno.readTextFileSync(`${directory}/${name}`));
  }
}

/** Reads all hidden files when the key is opened to be overwritten. */
function collectHidden(
  { dir, targets }: PairFixture,
  hidden: Map<string, string>,
): Disposable {
  const directory = dir.file("tls");
  const open = Deno.openSync;
  Deno.openSync = (path, options) => {
    if (String(path) === targets.key && options?.write === true) {
      readHidden(directory, hidden);
    }
    return open(path, options);
  };
  return {
    [Symbol.dispose]() {
      Deno.openSync = open;
    },
  };
}

Deno.test("recoverInstall() leaves a file that somebody else wrote meanwhile", async () => {
  await using pair = await pairFixture();
  writePair(pair, OLD);
  const state = await interrupted(pair);
  const foreign = { key: generation(3).key, certificate: OLD.certificate };
  writePair(pair, foreign);
  state.restoreHidden();
  assertEquals((await recoverInstall(pair.targets)).kind, "foreign");
  assertEquals(pair.read(), foreign);
});

Deno.test("recoverInstall() gives a file the mode that the interrupted copy was asked for", async () => {
  await using pair = await pairFixture();
  writePair(pair, OLD);
  await Deno.chmod(pair.targets.key, 0o644);
  const state = await interrupted(pair, { keyMode: 0o400 });
  writePair(pair, { ...OLD, key: torn("key", 9) });
  await Deno.chmod(pair.targets.key, 0o644);
  state.restoreHidden();
  await recoverInstall(pair.targets);
  assertEquals(pair.read(), NEW);
  assertEquals(modeOf(pair.targets.key), "400");
});

Deno.test("recoverInstall() of another certificate leaves the copies of a key that is torn", async () => {
  await using pair = await pairFixture();
  writePair(pair, OLD);
  const state = await interrupted(pair);
  writePair(pair, { ...OLD, key: torn("key", 9) });
  state.restoreHidden();
  const other = pair.dir.file("tls/other.crt");
  await recoverInstall({ certificate: other, key: pair.targets.key });
  assertEquals((await recoverInstall(pair.targets)).kind, "finished");
  assertEquals(pair.read(), NEW);
  assertEquals(pair.hidden(), []);
});

Deno.test({
  name:
    "lockPair() sees one file that is mounted under two names (needs mount)",
  ignore: !CAN_MOUNT,
  async fn() {
    await using pair = await pairFixture();
    writePair(pair, OLD);
    await using other = await pairFixture();
    writePair(other, { certificate: "", key: "" });
    await using _certificate = await mount(other.targets.certificate, [
      "--bind",
      pair.targets.certificate,
    ]);
    const options = {
      timeoutMs: 0,
      clock: { now: () => new Date(), sleep: () => Promise.resolve() },
      signal: new AbortController().signal,
      inPlace: true,
    };
    await using _lock = await lockPair(pair.targets, options);
    await assertRejects(() => lockPair(other.targets, options), "busy");
  },
});
