/**
 * What the owner of a folder prepares must not become a right that he had not.
 */
import { journalName } from "../../src/files/disk/hidden_names.ts";
import { formatJournal } from "../../src/files/plain/journal.ts";
import { sha256 } from "../../src/base/bytes.ts";
import { discard, sortedNames } from "../../src/files/disk/disk.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../support/assert.ts";
import { CAN_CHANGE_USER } from "../support/as_nobody.ts";
import { tempDir } from "../support/temp_dir.ts";
import {
  generation,
  modeOf,
  type PairFixture,
  pairFixture,
  writePair,
} from "./pair_fixture.ts";
import {
  changePairLayout,
  prepareInstall,
  recoverInstall,
} from "./pair_steps.ts";

const NOBODY = 65534;
const AS_ROOT = { ignore: !CAN_CHANGE_USER } as const;
const TAG = "1234567890abcdef";

async function digest(text: string): Promise<string> {
  return await sha256(new TextEncoder().encode(text));
}

/** An interrupted install in place, as the owner of the folder would like it. */
async function forge(
  { dir, targets, hidden }: PairFixture,
  wish: Readonly<Record<string, unknown>>,
  owner = NOBODY,
): Promise<void> {
  writePair({ targets } as PairFixture, generation(1));
  const { certificate } = generation(1);
  const evil = "#!/bin/sh\n";
  const journal = {
    tag: TAG,
    targets: [{
      role: "certificate" as const,
      name: "internal.crt",
      oldDigest: await digest(certificate),
      newDigest: await digest(evil),
      inPlace: true as const,
      ...wish,
    }],
  };
  const files = {
    [`tls/${journalName("internal.crt")}`]: formatJournal(journal),
    [`tls/.internal.crt.${TAG}.new`]: evil,
    [`tls/.internal.crt.${TAG}.old`]: certificate,
  };
  for (const [name, text] of Object.entries(files)) {
    await Deno.writeTextFile(dir.file(name), text, { mode: 0o600 });
    await Deno.chown(dir.file(name), owner, owner);
  }
  await Deno.chown(targets.certificate, NOBODY, NOBODY);
  assertEquals(hidden().length, 3);
}

Deno.test({
  ...AS_ROOT,
  name: "a journal cannot say whose a file becomes (needs root)",
  async fn() {
    await using pair = await pairFixture();
    await Deno.chown(pair.dir.file("tls"), NOBODY, NOBODY);
    await forge(pair, {
      mode: 0o755,
      attributes: { mode: 0o4755, uid: 0, gid: 0 },
    });
    assertEquals(await recoverInstall(pair.targets), { kind: "finished" });
    const { uid, gid } = Deno.statSync(pair.targets.certificate);
    assertEquals([uid, gid], [NOBODY, NOBODY]);
    assertEquals(modeOf(pair.targets.certificate), "755");
  },
});

Deno.test({
  ...AS_ROOT,
  name: "a journal that asks for a setuid bit is refused (needs root)",
  async fn() {
    await using pair = await pairFixture();
    await Deno.chown(pair.dir.file("tls"), NOBODY, NOBODY);
    await forge(pair, { mode: 0o4755 });
    await assertRejects(
      () => recoverInstall(pair.targets),
      "install",
      /has a damaged journal/,
    );
    assertEquals(modeOf(pair.targets.certificate), "600");
    assertEquals(pair.read(), generation(1));
  },
});

Deno.test({
  ...AS_ROOT,
  name:
    "a journal of a user whose folder it is not is refused by name (needs root)",
  async fn() {
    await using pair = await pairFixture();
    await Deno.chown(pair.dir.file("tls"), 0, NOBODY);
    await Deno.chmod(pair.dir.file("tls"), 0o775);
    await forge(pair, { mode: 0o644 });
    const error = await assertRejects(
      () => recoverInstall(pair.targets),
      "install",
      /has a journal of another user/,
    );
    assertMatch(error.message, /tls\/\.internal\.crt\.rekey, uid 65534/);
    assertEquals(pair.read(), generation(1));
  },
});

for (const bits of [0o4000, 0o2000, 0o1000]) {
  Deno.test(`no layout hands on the bit ${bits.toString(8)} of a file`, async () => {
    for (
      const options of [
        {},
        { inPlace: true },
        { layout: "versioned" },
      ] as const
    ) {
      await using pair = await pairFixture();
      writePair(pair, generation(1));
      for (const file of Object.values(pair.targets)) {
        await Deno.chmod(file, 0o640 | bits);
      }
      await using install = await prepareInstall(pair.targets, options);
      await install.commit(generation(2));
      for (const file of Object.values(pair.targets)) {
        assertEquals(modeOf(await Deno.realPath(file)), "640");
      }
    }
  });
}

Deno.test("a key of a version that is a link gives the next one no mode", async () => {
  await using pair = await pairFixture();
  writePair(pair, generation(1));
  await changePairLayout(pair.targets, "versioned");
  const key = await Deno.realPath(pair.targets.key);
  await Deno.rename(key, pair.dir.file("elsewhere.key"));
  await Deno.symlink(pair.dir.file("elsewhere.key"), key);
  await using install = await prepareInstall(pair.targets);
  await install.commit(generation(2));
  assertEquals(modeOf(await Deno.realPath(pair.targets.key)), "600");
});

for (const kind of ["new", "old", "journal", "reload"]) {
  Deno.test(`a file of the user's that is called like one of ours (${kind}) is refused, and stays`, async () => {
    await using pair = await pairFixture();
    writePair(pair, generation(1));
    const { certificate, key } = pair.targets;
    const odd = pair.dir.file(`tls/.internal.key.${TAG}.${kind}`);
    await Deno.writeTextFile(odd, "mine");
    for (
      const act of [
        () => prepareInstall({ certificate, key: odd }),
        () => prepareInstall({ certificate: odd, key }),
        () => prepareInstall({ certificate }, { givenKeyFile: odd }),
        async () => {
          await Deno.symlink(odd, pair.dir.file("tls/link.key"));
          await prepareInstall({
            certificate,
            key: pair.dir.file("tls/link.key"),
          });
        },
      ]
    ) {
      await assertRejects(act, "usage", /hidden files of step-rekey/);
    }
    assertEquals(await Deno.readTextFile(odd), "mine");
  });
}

Deno.test("a layout is not plain before the earlier keys are gone", async () => {
  await using pair = await pairFixture();
  writePair(pair, generation(1));
  await changePairLayout(pair.targets, "versioned");
  const version = (await Deno.realPath(pair.targets.key)).replace(
    /\/[^/]+$/,
    "",
  );
  await Deno.mkdir(`${version}/mine`);
  for (const _again of [1, 2]) {
    await assertRejects(
      () => changePairLayout(pair.targets, "plain"),
      "install",
      /is a plain file now, but what stood with earlier versions is still in .*\.old: remove failed: directory not empty$/,
    );
  }
  assertEquals(pair.read(), generation(1));
});

Deno.test("a layout is plain where a network file system keeps our lock that is open", async () => {
  await using pair = await pairFixture();
  writePair(pair, generation(1));
  await changePairLayout(pair.targets, "versioned");
  const versions = pair.dir.file("tls/.internal.crt.versions");
  for (const name of [".nfs00000000012c04a700000001", ".fuse_hidden00a1"]) {
    await Deno.writeTextFile(`${versions}/${name}`, "");
  }
  assertEquals(await changePairLayout(pair.targets, "plain"), true);
  const [kept = ""] = pair.hidden();
  await Deno.writeTextFile(
    pair.dir.file(`tls/${kept}/.nfs00000000012c04a700000001`),
    "a key",
  );
  await assertRejects(
    () => changePairLayout(pair.targets, "plain"),
    "install",
    /directory not empty$/,
  );
});

Deno.test("discard() removes what we make, and nothing else", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.file("versions/1"), { recursive: true });
  await Deno.mkdir(dir.file("elsewhere"));
  await Deno.writeTextFile(dir.file("elsewhere/key.pem"), "precious");
  await Deno.writeTextFile(dir.file("versions/1/key.pem"), "");
  await Deno.writeTextFile(dir.file("versions/1/notes.txt"), "mine");
  await Deno.symlink(dir.file("elsewhere"), dir.file("versions/2"));
  let failure: unknown;
  try {
    discard(dir.file("versions"));
  } catch (error) {
    failure = error;
  }
  assert(failure instanceof Error);
  assertEquals(
    await Deno.readTextFile(dir.file("elsewhere/key.pem")),
    "precious",
  );
  assertEquals(
    sortedNames(dir.file("versions")),
    ["1"],
  );
  assertEquals(
    sortedNames(dir.file("versions/1")),
    ["notes.txt"],
  );
});

for (const form of ["PEM", "DER"]) {
  Deno.test(`a certificate in ${form} that becomes PEM is ${form === "DER" ? "" : "not "}told`, async () => {
    for (
      const options of [{}, { inPlace: true }, { layout: "versioned" }] as const
    ) {
      await using pair = await pairFixture();
      writePair(pair, generation(1));
      if (form === "DER") {
        await Deno.writeFile(
          pair.targets.certificate,
          Uint8Array.of(0x30, 3, 2, 1, 1),
        );
      }
      await using install = await prepareInstall(pair.targets, options);
      assertEquals(
        install.warnings,
        form === "DER"
          ? [
            `the certificate ${pair.targets.certificate} is DER, and the new one will be PEM`,
          ]
          : [],
      );
    }
  });
}
