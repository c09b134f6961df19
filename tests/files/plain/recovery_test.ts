import { RekeyError } from "../../../src/base/errors.ts";
import {
  formatJournal,
  type JournalTarget,
} from "../../../src/files/plain/journal.ts";
import { sha256 } from "../../../src/base/bytes.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../support/assert.ts";
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
const TAG = "0123456789abcdef";
const JOURNAL = ".internal.crt.rekey";

type Role = "key" | "certificate";

function digest(text: string): Promise<string> {
  return sha256(new TextEncoder().encode(text));
}

function hidden(pair: PairFixture, role: Role, kind: "new" | "old"): string {
  const file = pair.targets[role];
  const slash = file.lastIndexOf("/") + 1;
  return `${file.slice(0, slash)}.${file.slice(slash)}.${TAG}.${kind}`;
}

async function journalText(pair: PairFixture): Promise<string> {
  const entry = async (role: Role): Promise<JournalTarget> => {
    const name = pair.targets[role].replace(/.*\//, "");
    const directory = pair.targets[role].replace(/\/[^/]*$/, "");
    return {
      role,
      directory: directory === pair.dir.file("tls") ? undefined : "../private",
      name,
      oldDigest: await digest(OLD[role]),
      newDigest: await digest(NEW[role]),
    };
  };
  return formatJournal({
    tag: TAG,
    targets: [await entry("key"), await entry("certificate")],
  });
}

/** The state right after the commit point: nothing is renamed yet. */
async function committed(
  layout?: "one directory" | "two directories",
): Promise<PairFixture> {
  const pair = await pairFixture(layout);
  writePair(pair, OLD);
  for (const role of ["key", "certificate"] as const) {
    await Deno.link(pair.targets[role], hidden(pair, role, "old"));
    await Deno.writeTextFile(hidden(pair, role, "new"), NEW[role], {
      mode: 0o640,
    });
  }
  await Deno.writeTextFile(
    pair.dir.file(`tls/${JOURNAL}`),
    await journalText(pair),
  );
  return pair;
}

function renameKey(pair: PairFixture): void {
  Deno.renameSync(hidden(pair, "key", "new"), pair.targets.key);
}

for (const layout of ["one directory", "two directories"] as const) {
  Deno.test(`recoverInstall() finishes what was decided, in ${layout}`, async () => {
    await using pair = await committed(layout);
    assertEquals(await recoverInstall(pair.targets), { kind: "finished" });
    assertEquals(pair.read(), NEW);
    assertEquals(pair.hidden(), []);
    assertEquals(modeOf(pair.targets.key), "640");
  });

  Deno.test(`recoverInstall() finishes between the two renames, in ${layout}`, async () => {
    await using pair = await committed(layout);
    renameKey(pair);
    assertEquals(await recoverInstall(pair.targets), { kind: "finished" });
    assertEquals(pair.read(), NEW);
    assertEquals(pair.hidden(), []);
  });

  Deno.test(`recoverInstall() goes back when the new key was lost, in ${layout}`, async () => {
    await using pair = await committed(layout);
    renameKey(pair);
    await Deno.remove(pair.targets.key);
    await Deno.rename(
      hidden(pair, "certificate", "new"),
      pair.targets.certificate,
    );
    assertEquals(await recoverInstall(pair.targets), { kind: "undone" });
    assertEquals(pair.read(), OLD);
    assertEquals(pair.hidden(), []);
    assertEquals(modeOf(pair.targets.key), "600");
  });
}

Deno.test("recoverInstall() goes back when the staged certificate was lost", async () => {
  await using pair = await committed();
  renameKey(pair);
  await Deno.truncate(hidden(pair, "certificate", "new"), 0);
  assertEquals(await recoverInstall(pair.targets), { kind: "undone" });
  assertEquals(pair.read(), OLD);
  assertEquals(pair.hidden(), []);
});

Deno.test("recoverInstall() only tidies up when both files are new", async () => {
  await using pair = await committed();
  renameKey(pair);
  await Deno.rename(
    hidden(pair, "certificate", "new"),
    pair.targets.certificate,
  );
  await Deno.remove(hidden(pair, "key", "old"));
  assertEquals(await recoverInstall(pair.targets), { kind: "finished" });
  assertEquals(pair.read(), NEW);
  assertEquals(pair.hidden(), []);
});

Deno.test("recoverInstall() has nothing to do the second time", async () => {
  await using pair = await committed();
  await recoverInstall(pair.targets);
  assertEquals(await recoverInstall(pair.targets), { kind: "none" });
  assertEquals(pair.read(), NEW);
});

Deno.test("recoverInstall() removes leftovers from before the commit point", async () => {
  await using pair = await committed();
  await Deno.remove(pair.dir.file(`tls/${JOURNAL}`));
  await Deno.writeTextFile(
    pair.dir.file(`tls/.internal.crt.${TAG}.journal`),
    "",
  );
  assertEquals(await recoverInstall(pair.targets), { kind: "none" });
  assertEquals(pair.read(), OLD);
  assertEquals(pair.hidden(), []);
});

Deno.test("recoverInstall() leaves other hidden files alone", async () => {
  await using pair = await committed();
  const others = [
    ".other.crt.0123456789abcdef.new",
    ".internal.crt.swp",
    ".internal.crt.0123456789abcdef.bak",
  ];
  for (const name of others) {
    await Deno.writeTextFile(pair.dir.file(`tls/${name}`), "");
  }
  await recoverInstall(pair.targets);
  assertEquals(pair.hidden().toSorted(), others.toSorted());
});

Deno.test("recoverInstall() keeps the owner's directory usable after a move", async () => {
  await using pair = await committed();
  renameKey(pair);
  await Deno.rename(pair.dir.file("tls"), pair.dir.file("moved"));
  const targets = {
    certificate: pair.dir.file("moved/internal.crt"),
    key: pair.dir.file("moved/internal.key"),
  };
  assertEquals(await recoverInstall(targets), { kind: "finished" });
  assertEquals(await Deno.readTextFile(targets.certificate), NEW.certificate);
  assertEquals(await Deno.readTextFile(targets.key), NEW.key);
});

Deno.test("recoverInstall() finds both directories when they were moved together", async () => {
  await using pair = await committed("two directories");
  renameKey(pair);
  await Deno.mkdir(pair.dir.file("mounted"));
  for (const name of ["tls", "private"]) {
    await Deno.rename(pair.dir.file(name), pair.dir.file(`mounted/${name}`));
  }
  const targets = {
    certificate: pair.dir.file("mounted/tls/internal.crt"),
    key: pair.dir.file("mounted/private/internal.key"),
  };
  assertEquals(await recoverInstall(targets), { kind: "finished" });
  assertEquals(await Deno.readTextFile(targets.certificate), NEW.certificate);
  assertEquals(await Deno.readTextFile(targets.key), NEW.key);
});

for (const role of ["key", "certificate"] as const) {
  Deno.test(`recoverInstall() touches nothing when somebody wrote the ${role}`, async () => {
    await using pair = await committed();
    await Deno.writeTextFile(pair.targets[role], "somebody else's");
    const before = pair.read();
    assertEquals(await recoverInstall(pair.targets), {
      kind: "foreign",
      file: pair.targets[role],
      savedKey: undefined,
    });
    assertEquals(pair.read(), before);
    assertEquals(pair.hidden(), []);
  });
}

Deno.test("recoverInstall() saves the old key when its certificate was written by somebody else", async () => {
  await using pair = await committed();
  renameKey(pair);
  await Deno.writeTextFile(pair.targets.certificate, "somebody else's");
  const recovery = await recoverInstall(pair.targets);
  assert(recovery.kind === "foreign" && recovery.savedKey !== undefined);
  assertEquals(await Deno.readTextFile(recovery.savedKey), OLD.key);
  assertEquals(modeOf(recovery.savedKey), "600");
  assertMatch(recovery.savedKey, /internal\.key\.[0-9a-f]{16}\.saved$/);
  assertEquals(pair.read().key, NEW.key);
  assertEquals(pair.hidden(), []);
});

Deno.test("recoverInstall() takes a torn journal for one that never came into force", async () => {
  await using pair = await committed();
  const file = pair.dir.file(`tls/${JOURNAL}`);
  await Deno.truncate(file, (await Deno.stat(file)).size - 1);
  assertEquals(await recoverInstall(pair.targets), { kind: "none" });
  assertEquals(pair.read(), OLD);
  assertEquals(pair.hidden(), []);
});

Deno.test("recoverInstall() takes an emptied journal for one that never came into force", async () => {
  await using pair = await committed();
  await Deno.truncate(pair.dir.file(`tls/${JOURNAL}`), 0);
  assertEquals(await recoverInstall(pair.targets), { kind: "none" });
  assertEquals(pair.hidden(), []);
});

async function assertRefused(
  pair: PairFixture,
  pattern: RegExp,
  targets: { readonly certificate: string; readonly key?: string } =
    pair.targets,
): Promise<void> {
  const before = [pair.read(), pair.hidden()];
  const error = await assertRejects(
    () => recoverInstall(targets),
    "install",
    pattern,
  );
  assert(error instanceof RekeyError && error.hint !== undefined);
  assertEquals([pair.read(), pair.hidden()], before);
}

const REFUSED:
  readonly (readonly [string, (text: string) => string, RegExp])[] = [
    [
      "a newer version",
      (text) => text.replace("journal 1", "journal 2"),
      /\.internal\.crt\.rekey, in version 2 of its format, and this one knows version 1$/,
    ],
    [
      "somebody else",
      () => "not ours\n",
      /is not a journal of step-rekey$/,
    ],
    [
      "a name outside of the directory",
      (text) => text.replaceAll("internal.key", "../internal.key"),
      /damaged journal/,
    ],
    [
      "another key",
      (text) => text.replaceAll("internal.key", "other.key"),
      /includes .*other\.key$/,
    ],
    [
      "another directory",
      (text) =>
        text.replace(
          '"role":"key"',
          '"role":"key","directory":"../../../../../../etc"',
        ).replaceAll(/"(old|new)Digest":"../g, '"$1Digest":"00'),
      /includes \/etc\/internal\.key$/,
    ],
  ];

for (const [what, change, pattern] of REFUSED) {
  Deno.test(`recoverInstall() acts on no journal of ${what}`, async () => {
    await using pair = await committed();
    const file = pair.dir.file(`tls/${JOURNAL}`);
    const text = await Deno.readTextFile(file);
    const changed = change(text);
    assert(changed !== text);
    await Deno.writeTextFile(file, changed);
    await assertRefused(pair, pattern);
  });
}

Deno.test("recoverInstall() acts on no journal that includes a key which was not named", async () => {
  await using pair = await committed();
  const { certificate } = pair.targets;
  await assertRefused(pair, /includes .*internal\.key$/, { certificate });
});

Deno.test("recoverInstall() acts on no journal that is a link", async () => {
  await using pair = await committed();
  const file = pair.dir.file(`tls/${JOURNAL}`);
  await Deno.rename(file, pair.dir.file("journal"));
  await Deno.symlink(pair.dir.file("journal"), file);
  await assertRefused(pair, /is not a journal of step-rekey$/);
});

Deno.test({
  name: "recoverInstall() acts on no journal of another user (needs root)",
  ignore: Deno.build.os === "windows" || Deno.uid() !== 0,
  async fn() {
    await using pair = await committed();
    Deno.chownSync(pair.dir.file(`tls/${JOURNAL}`), 1234, 1234);
    await assertRefused(pair, /journal of another user/);
  },
});

Deno.test("recoverInstall() works for a certificate alone", async () => {
  await using pair = await pairFixture();
  const { certificate } = pair.targets;
  writePair(pair, OLD);
  {
    await using transaction = await prepareInstall({ certificate });
    await transaction.commit({ certificate: NEW.certificate });
  }
  assertEquals(await recoverInstall({ certificate }), { kind: "none" });
  assertEquals(pair.read(), { ...OLD, certificate: NEW.certificate });
});

Deno.test("recoverInstall() refuses a missing directory", async () => {
  await using pair = await pairFixture();
  await assertRejects(
    () => recoverInstall({ certificate: pair.dir.file("missing/a.crt") }),
    "install",
    /no such file or directory$/,
  );
});
