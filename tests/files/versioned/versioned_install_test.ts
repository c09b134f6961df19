/**
 * The versioned layout: what is on disk, what is kept, and the ways into it,
 * out of it and back.
 */
import { lockPair } from "../../../src/files/lock/pair_lock.ts";
import type { InstallOptions } from "../../../src/files/transaction.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { CAN_CHANGE_USER } from "../../support/as_nobody.ts";
import { runOk } from "../../support/run.ts";
import { CAN_MOUNT, mountTmpfs } from "../../support/mounts.ts";
import {
  generation,
  modeOf,
  type PairFixture,
  pairFixture,
  writePair,
} from "../pair_fixture.ts";
import {
  changePairLayout,
  prepareInstall,
  recoverInstall,
  rollBack,
} from "../pair_steps.ts";

const VERSIONS = ".internal.crt.versions";

async function install(
  pair: PairFixture,
  number: number,
  options: InstallOptions = {},
): Promise<void> {
  await using transaction = await prepareInstall(pair.targets, options);
  await transaction.commit(generation(number));
}

async function versionedPair(
  layout?: "one directory" | "two directories",
): Promise<PairFixture> {
  const pair = await pairFixture(layout);
  writePair(pair, generation(0));
  await changePairLayout(pair.targets, "versioned");
  return pair;
}

function lstat(file: string): Deno.FileInfo {
  return Deno.lstatSync(file);
}

function stat(file: string): Deno.FileInfo {
  return Deno.statSync(file);
}

function linkText(link: string): string {
  return Deno.readLinkSync(link);
}

function realPath(file: string): string {
  return Deno.realPathSync(file);
}

function numbers(pair: PairFixture): readonly string[] {
  return [...Deno.readDirSync(pair.dir.file(`tls/${VERSIONS}`))]
    .map(({ name }) => name).sort();
}

for (const layout of ["one directory", "two directories"] as const) {
  Deno.test(`changePairLayout() keeps contents and modes, there and back, in ${layout}`, async () => {
    await using pair = await pairFixture(layout);
    writePair(pair, generation(1));
    await Deno.chmod(pair.targets.certificate, 0o644);
    const { certificate, key } = pair.targets;
    assert(await changePairLayout(pair.targets, "versioned"));
    assertEquals(pair.read(), generation(1));
    assertEquals(pair.hidden(), [VERSIONS]);
    assert(lstat(certificate).isSymlink);
    assert(lstat(key).isSymlink);
    assertEquals(
      [stat(certificate).mode, stat(key).mode],
      [0o100644, 0o100600],
    );
    assert(!await changePairLayout(pair.targets, "versioned"));

    assert(await changePairLayout(pair.targets, "plain"));
    assertEquals(pair.read(), generation(1));
    assertEquals(pair.hidden(), []);
    assertEquals([modeOf(certificate), modeOf(key)], ["644", "600"]);
    assert(!await changePairLayout(pair.targets, "plain"));
  });

  Deno.test(`commit() puts a new version in force, in ${layout}`, async () => {
    await using pair = await versionedPair(layout);
    const link = linkText(pair.targets.key);
    await install(pair, 1);
    assertEquals(pair.read(), generation(1));
    assertEquals(linkText(pair.targets.key), link);
    assertEquals(numbers(pair), ["1", "2", "current"]);
    assertEquals(pair.hidden(), [VERSIONS]);
  });

  Deno.test(`commit() makes a new pair in versions, in ${layout}`, async () => {
    await using pair = await pairFixture(layout);
    await install(pair, 1, { layout: "versioned" });
    assertEquals(pair.read(), generation(1));
    assertEquals(numbers(pair), ["1", "current"]);
    assertEquals(stat(pair.targets.key).mode, 0o100600);
  });
}

Deno.test("commit() keeps the last five pairs, and modes and owner with them", async () => {
  await using pair = await versionedPair();
  const { key } = pair.targets;
  await Deno.chmod(realPath(key), 0o640);
  for (let number = 1; number <= 7; number++) await install(pair, number);
  assertEquals(numbers(pair), ["4", "5", "6", "7", "8", "current"]);
  assertEquals(modeOf(realPath(key)), "640");
  for (let number = 6; number >= 3; number--) {
    await rollBack(pair.targets);
    assertEquals(pair.read(), generation(number));
  }
  await assertRejects(
    () => rollBack(pair.targets),
    "pair",
    /no pair before the current one is kept/,
  );
});

Deno.test("rollBack() goes back to what was in force, not to what was left", async () => {
  await using pair = await versionedPair();
  await install(pair, 1);
  await install(pair, 2);
  await rollBack(pair.targets);
  assertEquals(pair.read(), generation(1));
  await install(pair, 3);
  assertEquals(pair.read(), generation(3));
  await rollBack(pair.targets);
  assertEquals(pair.read(), generation(1));
});

Deno.test("rollBack() refuses plain files", async () => {
  await using pair = await pairFixture();
  writePair(pair, generation(1));
  await assertRejects(
    () => rollBack(pair.targets),
    "pair",
    /does not stand in the versioned layout/,
  );
  assertEquals(pair.hidden(), []);
});

Deno.test("disposing without commit() leaves the versions as they were", async () => {
  await using pair = await versionedPair();
  {
    await using _install = await prepareInstall(pair.targets);
  }
  assertEquals(pair.read(), generation(0));
  assertEquals(numbers(pair), ["1", "current"]);
});

Deno.test("disposing without commit() leaves nothing of a new pair", async () => {
  await using pair = await pairFixture();
  {
    await using _install = await prepareInstall(pair.targets, {
      layout: "versioned",
    });
  }
  assertEquals(pair.hidden(), []);
  assertEquals(pair.read(), { certificate: undefined, key: undefined });
});

Deno.test("recoverInstall() removes a version that never came into force", async () => {
  await using pair = await versionedPair();
  const directory = pair.dir.file(`tls/${VERSIONS}`);
  await Deno.symlink("2", `${directory}/.current.0123456789abcdef.new`);
  await Deno.mkdir(`${directory}/2`);
  await Deno.writeTextFile(`${directory}/2/key.pem`, "half of a key");
  await recoverInstall(pair.targets);
  assertEquals(numbers(pair), ["1", "current"]);
  assertEquals(pair.read(), generation(0));
});

Deno.test("recoverInstall() keeps the version that an interrupted rollback leads to", async () => {
  await using pair = await versionedPair();
  await install(pair, 1);
  const directory = pair.dir.file(`tls/${VERSIONS}`);
  await Deno.symlink("1", `${directory}/.current.0123456789abcdef.old`);
  await recoverInstall(pair.targets);
  assertEquals(numbers(pair), ["1", "2", "current"]);
  await rollBack(pair.targets);
  assertEquals(pair.read(), generation(0));
});

Deno.test("recoverInstall() leaves what it does not know beside the versions", async () => {
  await using pair = await versionedPair();
  const directory = pair.dir.file(`tls/${VERSIONS}`);
  await Deno.writeTextFile(`${directory}/notes.txt`, "ours");
  await recoverInstall(pair.targets);
  await install(pair, 1);
  assertEquals(numbers(pair), ["1", "2", "current", "notes.txt"]);
});

Deno.test("recoverInstall() finishes a change that had replaced one name", async () => {
  await using pair = await versionedPair("two directories");
  const { key } = pair.targets;
  // As it is between the two renames.
  await Deno.remove(key);
  await Deno.writeTextFile(key, generation(0).key, { mode: 0o600 });
  await Deno.writeTextFile(
    pair.dir.file("tls/.internal.crt.rekey-layout"),
    `versioned\n../private/internal.key\n${VERSIONS}\n`,
  );
  const { kind } = await recoverInstall(pair.targets);
  assertEquals(kind, "layout changed");
  assert(lstat(key).isSymlink);
  assertEquals(pair.read(), generation(0));
  assertEquals(numbers(pair), ["1", "current"]);
  assertEquals(pair.hidden(), [VERSIONS]);
});

Deno.test("recoverInstall() acts on no note that is not ours", async () => {
  await using pair = await pairFixture();
  writePair(pair, generation(0));
  const note = pair.dir.file("tls/.internal.crt.rekey-layout");
  await Deno.writeTextFile(note, "round\n");
  await assertRejects(
    () => recoverInstall(pair.targets),
    "install",
    /is not a note of step-rekey$/,
  );
});

for (const layout of [undefined, "plain", "versioned"] as const) {
  Deno.test(`a pair of which one is a link to a version is left alone, --layout ${layout}`, async () => {
    await using pair = await versionedPair();
    const other = pair.dir.file("tls/other.key");
    await Deno.writeTextFile(other, generation(5).key);
    const targets = { ...pair.targets, key: other };
    await assertRejects(
      () => prepareInstall(targets, layout === undefined ? {} : { layout }),
      "install",
      /do not stand in the same layout/,
    );
    if (layout !== undefined) {
      await assertRejects(() => changePairLayout(targets, layout), "install");
    }
    await assertRejects(() => rollBack(targets), "install");
    assertEquals(pair.read(), generation(0));
    assertEquals(await Deno.readTextFile(other), generation(5).key);
    assertEquals(pair.hidden(), [VERSIONS]);
  });
}

Deno.test("changePairLayout() removes no versions to which another key leads", async () => {
  await using pair = await versionedPair();
  const { certificate } = pair.targets;
  for (const key of ["typo.key", "tls/typo.key"]) {
    await assertRejects(
      () => changePairLayout({ certificate, key: pair.dir.file(key) }, "plain"),
      "install",
    );
  }
  await assertRejects(
    () => prepareInstall({ certificate }, { layout: "plain" }),
    "install",
    /changes only together with its key/,
  );
  assertEquals(pair.read(), generation(0));
});

Deno.test("changePairLayout() refuses files that are not there, and those that are no files", async () => {
  await using pair = await pairFixture();
  for (const layout of ["plain", "versioned"] as const) {
    const missing = () => changePairLayout(pair.targets, layout);
    if (layout === "versioned") await assertRejects(missing, "install");
    else assert(!await missing());
  }
  writePair(pair, generation(1));
  await Deno.remove(pair.targets.key);
  await runOk("mkfifo", [pair.targets.key]);
  await assertRejects(
    () => changePairLayout(pair.targets, "versioned"),
    "install",
    /not a regular file$/,
  );
  assertEquals(pair.hidden(), []);
});

Deno.test("changePairLayout() that fails leaves the pair as it was", async () => {
  await using pair = await pairFixture();
  writePair(pair, generation(1));
  // Nothing can be made in there.
  await Deno.writeTextFile(pair.dir.file(`tls/${VERSIONS}`), "somebody's");
  await assertRejects(
    () => changePairLayout(pair.targets, "versioned"),
    "install",
    /is not a directory$/,
  );
  await Deno.remove(pair.dir.file(`tls/${VERSIONS}`));
  await install(pair, 2);
  assertEquals(pair.read(), generation(2));
  assertEquals(pair.hidden(), []);
});

Deno.test("recoverInstall() finishes a change of layout in a folder that was moved", async () => {
  await using pair = await pairFixture();
  writePair(pair, generation(0));
  await Deno.writeTextFile(
    pair.dir.file("tls/.internal.crt.rekey-layout"),
    `versioned\ninternal.key\n${VERSIONS}\n`,
  );
  await Deno.rename(pair.dir.file("tls"), pair.dir.file("moved"));
  const targets = {
    certificate: pair.dir.file("moved/internal.crt"),
    key: pair.dir.file("moved/internal.key"),
  };
  assertEquals((await recoverInstall(targets)).kind, "layout changed");
  assertEquals(await Deno.readTextFile(targets.key), generation(0).key);
});

Deno.test({
  name:
    "versions belong to the folder's user and group, or to nobody else's (needs root)",
  ignore: !CAN_CHANGE_USER,
  async fn() {
    await using pair = await pairFixture();
    writePair(pair, generation(0));
    await Deno.chown(pair.dir.file("tls"), 65534, 4242);
    await Deno.chmod(pair.dir.file("tls"), 0o2770);
    await changePairLayout(pair.targets, "versioned");
    const { uid, gid, mode } = lstat(pair.dir.file(`tls/${VERSIONS}`));
    assertEquals([uid, gid, mode], [65534, 4242, 0o042770]);
  },
});

Deno.test("prepareInstall() refuses the versioned layout without a key, in place, or half of a pair", async () => {
  await using pair = await versionedPair();
  const { certificate, key } = pair.targets;
  await assertRejects(
    () => prepareInstall({ certificate }),
    "install",
    /would have its key elsewhere$/,
  );
  await assertRejects(
    () => prepareInstall(pair.targets, { inPlace: true }),
    "install",
    /cannot overwrite .* in place: it is a link to a version$/,
  );
  await using other = await pairFixture();
  writePair(other, generation(1));
  await Deno.remove(other.targets.key);
  await assertRejects(
    () => prepareInstall(other.targets, { layout: "versioned" }),
    "install",
    /internal\.key does not exist$/,
  );
  assertEquals(other.hidden(), []);
  await using _install = await prepareInstall({ certificate }, {
    givenKeyFile: key,
  });
});

Deno.test("commit() of a certificate alone goes on with the key of its version", async () => {
  await using pair = await versionedPair();
  const { certificate, key } = pair.targets;
  await using transaction = await prepareInstall({ certificate }, {
    givenKeyFile: key,
  });
  await transaction.commit({ certificate: generation(1).certificate });
  assertEquals(pair.read(), {
    certificate: generation(1).certificate,
    key: generation(0).key,
  });
});

Deno.test("changePairLayout() moves no key that only its directory hides", async () => {
  await using pair = await pairFixture("two directories");
  writePair(pair, generation(1));
  await Deno.chmod(pair.targets.key, 0o644);
  await Deno.chmod(pair.dir.file("private"), 0o700);
  await Deno.chmod(pair.dir.file("tls"), 0o755);
  await assertRejects(
    () => changePairLayout(pair.targets, "versioned"),
    "install",
    /only its directory keeps others away$/,
  );
  assertEquals(pair.hidden(), []);
  await Deno.chmod(pair.targets.key, 0o600);
  assert(await changePairLayout(pair.targets, "versioned"));
});

Deno.test("lockPair() sees one pair behind two names of its links", async () => {
  await using pair = await versionedPair();
  const versions = pair.dir.file(`tls/${VERSIONS}/current`);
  const alias = {
    certificate: pair.dir.file("alias.crt"),
    key: pair.dir.file("alias.key"),
  };
  await Deno.symlink(`${versions}/certificate.pem`, alias.certificate);
  await Deno.symlink(`${versions}/key.pem`, alias.key);
  await using _lock = await lockPair(pair.targets);
  await assertRejects(() => lockPair(alias), "busy");
});

Deno.test({
  name:
    "changePairLayout() takes the key from another file system, and back (needs mount)",
  ignore: !CAN_MOUNT,
  async fn() {
    await using pair = await pairFixture("two directories");
    await using _other = await mountTmpfs(pair.dir.file("private"), "64k");
    writePair(pair, generation(1));
    assert(await changePairLayout(pair.targets, "versioned"));
    await install(pair, 2);
    assertEquals(pair.read(), generation(2));
    assert(await changePairLayout(pair.targets, "plain"));
    assertEquals(pair.read(), generation(2));
    assertEquals(pair.hidden(), []);
    assertEquals(modeOf(pair.targets.key), "600");
  },
});

for (const isHalf of [false, true]) {
  Deno.test(`recoverInstall() finishes a change to plain files${isHalf ? " that had replaced one name" : ""}, and keeps them`, async () => {
    await using pair = await versionedPair();
    const { certificate, key } = pair.targets;
    await Deno.writeTextFile(
      pair.dir.file("tls/.internal.crt.rekey-layout"),
      `plain\ninternal.key\n${VERSIONS}\n`,
    );
    if (isHalf) {
      await Deno.remove(key);
      await Deno.writeTextFile(key, generation(0).key, { mode: 0o600 });
    }
    const { kind } = await recoverInstall(pair.targets);
    assertEquals(kind, "layout changed");
    assertEquals(pair.read(), generation(0));
    assertEquals(pair.hidden(), []);
    assert(!lstat(certificate).isSymlink);
    await recoverInstall(pair.targets);
    assertEquals(pair.read(), generation(0));
  });
}

Deno.test({
  name:
    "lockPair() does not meet itself where nothing can be written (needs mount)",
  ignore: !CAN_MOUNT,
  async fn() {
    await using pair = await pairFixture();
    await using _small = await mountTmpfs(pair.dir.file("tls"), "64k");
    writePair(pair, generation(1));
    await changePairLayout(pair.targets, "versioned");
    await runOk("mount", ["-o", "remount,ro", pair.dir.file("tls")]);
    // Both are links, so for both the directory is what can be locked.
    await using _lock = await lockPair(pair.targets);
    await assertRejects(() => lockPair(pair.targets), "busy");
  },
});
