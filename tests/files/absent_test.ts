/**
 * What is not there proves nothing: a volume that is away, a name that somebody
 * removed, a folder that has another path by now.
 */
import { RekeyError } from "../../src/base/errors.ts";
import type { LogEvent } from "../../src/base/runtime.ts";
import { openPair } from "../../src/files/open_pair.ts";
import {
  assert,
  assertEquals,
  assertRejects,
  assertStringIncludes,
} from "../support/assert.ts";
import { makePairs, type TextPair } from "../support/key_loss.ts";
import { CAN_MOUNT, mountTmpfs } from "../support/mounts.ts";
import { tempDir } from "../support/temp_dir.ts";
import { generation, pairFixture, writePair } from "./pair_fixture.ts";
import { changePairLayout, recoverInstall } from "./pair_steps.ts";

type Role = "certificate" | "key";

/** The names in a folder, but for locks. */
function namesIn(folder: string): readonly string[] {
  return [...Deno.readDirSync(folder)].map(({ name }) => name)
    .filter((name) => !name.endsWith("-lock")).sort();
}

function folderOf(file: string): string {
  return file.replace(/\/[^/]*$/, "");
}

/** An empty mount point in place of the folder, for one call. */
async function whileAway(
  folder: string,
  call: () => Promise<void>,
): Promise<void> {
  if (CAN_MOUNT) {
    await using _mount = await mountTmpfs(folder, "64k");
    await call();
    return;
  }
  await Deno.rename(folder, `${folder}-away`);
  await Deno.mkdir(folder);
  await call();
  await Deno.remove(folder, { recursive: true });
  await Deno.rename(`${folder}-away`, folder);
}

for (const role of ["certificate", "key"] as const) {
  Deno.test(`openPair() leaves the links of versions while the folder of the ${role} is not mounted`, async () => {
    await using pair = await pairFixture("two directories");
    writePair(pair, generation(1));
    await changePairLayout(pair.targets, "versioned");
    const other: Role = role === "key" ? "certificate" : "key";
    const before = namesIn(folderOf(pair.targets[other]));
    await whileAway(folderOf(pair.targets[role]), async () => {
      const error = await assertRejects(
        () => recoverInstall(pair.targets),
        "install",
        /is not there, and .* is a link to a version .*not mounted\?$/,
      );
      assertStringIncludes(error.message, pair.targets[role]);
      assertEquals(namesIn(folderOf(pair.targets[other])), before);
    });
    assertEquals(await recoverInstall(pair.targets), { kind: "none" });
    assertEquals(pair.read(), generation(1));
  });
}

/** A change to plain files that was killed at its very beginning. */
async function noteOfPlain(
  { certificate, key }: TextPair,
): Promise<void> {
  const keyName = key.replace(/^.*\/([^/]*\/[^/]*)$/, "../$1");
  await Deno.writeTextFile(
    `${folderOf(certificate)}/.internal.crt.rekey-layout`,
    `plain\n${keyName}\n.internal.crt.versions\n`,
  );
}

for (const how of ["not mounted", "removed"] as const) {
  for (const role of ["certificate", "key"] as const) {
    Deno.test(`openPair() finishes no change to plain files while the name of the ${role} is ${how}`, async () => {
      await using pair = await pairFixture("two directories");
      writePair(pair, generation(1));
      await changePairLayout(pair.targets, "versioned");
      await noteOfPlain(pair.targets);
      const refused = async () => {
        const error = await assertRejects(
          () => recoverInstall(pair.targets),
          "install",
          /is not there(:|, and).*is a file system not mounted\?$/,
        );
        assertStringIncludes(error.message, pair.targets[role]);
      };
      const versions = pair.dir.file("tls/.internal.crt.versions/current");
      if (how === "not mounted") {
        await whileAway(folderOf(pair.targets[role]), refused);
      } else {
        const link = await Deno.readLink(pair.targets[role]);
        await Deno.remove(pair.targets[role]);
        await refused();
        assertEquals(
          await Deno.readTextFile(`${versions}/key.pem`),
          generation(1).key,
        );
        await Deno.symlink(link, pair.targets[role]);
      }
      assertEquals(await recoverInstall(pair.targets), {
        kind: "layout changed",
      });
      assertEquals(pair.read(), generation(1));
      assertEquals(pair.hidden(), []);
    });
  }
}

Deno.test("changePairLayout() removes no versions of which a key is needed", async () => {
  await using dir = await tempDir();
  const pairs = await makePairs(dir);
  await using pair = await pairFixture("two directories");
  writePair(pair, pairs.old);
  await changePairLayout(pair.targets, "versioned");
  await noteOfPlain(pair.targets);
  await Deno.remove(pair.targets.key);
  await Deno.writeTextFile(pair.targets.key, pairs.other.key);
  const { warnings, recovery } = await repair(pair.targets);
  assertEquals(recovery, "layout changed");
  const kept = pair.dir.file("tls/.internal.crt.versions/1/key.pem");
  assertEquals(await Deno.readTextFile(kept), pairs.old.key);
  assert(
    warnings.some(({ message, hint }) =>
      message.startsWith(`${kept} stays: it is the private key of `) &&
      JSON.stringify(hint) === JSON.stringify({
          remedy: "put the key back",
          from: kept,
          to: pair.targets.key,
        })
    ),
    JSON.stringify(warnings),
  );
});

/** Opens the pair, and says what was said. */
async function repair(files: TextPair): Promise<{
  readonly recovery: string | undefined;
  readonly warnings: readonly Extract<LogEvent, { event: "warning" }>[];
}> {
  const events: LogEvent[] = [];
  const pair = await openPair(files, {
    lockTimeoutMs: 0,
    clock: { now: () => new Date(), sleep: () => Promise.resolve() },
    log: { write: (event) => void events.push(event) },
    signal: new AbortController().signal,
  });
  pair[Symbol.dispose]();
  return {
    recovery:
      events.flatMap((event) =>
        event.event === "repaired" ? [event.recovery.kind] : []
      )[0],
    warnings: events.filter((event) => event.event === "warning"),
  };
}

/** The state between the two renames. */
async function betweenRenames(
  files: TextPair,
  { old, fresh }: { readonly old: TextPair; readonly fresh: TextPair },
): Promise<void> {
  const [tls, key] = [folderOf(files.certificate), folderOf(files.key)];
  const tag = "0123456789abcdef";
  const digest = async (text: string) =>
    new Uint8Array(
      await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)),
    ).toHex();
  const targets = await Promise.all(
    (["key", "certificate"] as const).map(async (role) => ({
      role,
      directory: role === "key" ? "../private" : undefined,
      name: `internal.${role === "key" ? "key" : "crt"}`,
      oldDigest: await digest(old[role]),
      newDigest: await digest(fresh[role]),
    })),
  );
  await Deno.writeTextFile(
    `${tls}/.internal.crt.rekey`,
    `step-rekey install journal 1\n${JSON.stringify({ tag, targets })}\nend\n`,
  );
  await Deno.writeTextFile(files.certificate, old.certificate);
  await Deno.writeTextFile(
    `${tls}/.internal.crt.${tag}.new`,
    fresh.certificate,
  );
  await Deno.writeTextFile(`${tls}/.internal.crt.${tag}.old`, old.certificate);
  await Deno.writeTextFile(files.key, fresh.key);
  await Deno.writeTextFile(`${key}/.internal.key.${tag}.old`, old.key);
}

Deno.test("openPair() keeps the journal while the folder of the key is not mounted", async () => {
  await using pair = await pairFixture("two directories");
  const [old, fresh] = [generation(1), generation(2)];
  await betweenRenames(pair.targets, { old, fresh });
  const before = pair.hidden().filter((name) => name.includes(".crt"));
  await whileAway(folderOf(pair.targets.key), async () => {
    const error = await assertRejects(
      () => recoverInstall(pair.targets),
      "install",
      /nothing of .*internal\.key is there: is a file system not mounted\?$/,
    );
    assert(error instanceof RekeyError);
    assertStringIncludes(String(error.hint), ".internal.crt.rekey");
    assertEquals(
      pair.hidden().filter((name) => name.includes(".crt")),
      before,
    );
  });
  assertEquals(await recoverInstall(pair.targets), { kind: "finished" });
  assertEquals(pair.read(), fresh);
  assertEquals(pair.hidden(), []);
});

Deno.test("openPair() removes no key while the folder of the certificate is not mounted", async () => {
  await using dir = await tempDir();
  const pairs = await makePairs(dir);
  await using pair = await pairFixture("two directories");
  await betweenRenames(pair.targets, pairs);
  const before = namesIn(folderOf(pair.targets.key));
  await whileAway(folderOf(pair.targets.certificate), async () => {
    // Its tag is of another certificate, so that nothing is said about it.
    await repair(pair.targets);
    assertEquals(namesIn(folderOf(pair.targets.key)), before);
  });
  assertEquals(await recoverInstall(pair.targets), { kind: "finished" });
  assertEquals(pair.read(), pairs.fresh);
});

Deno.test("openPair() repairs a pair whose key has another path by now", async () => {
  for (const moved of ["keys", "mnt/deeper"]) {
    await using pair = await pairFixture("two directories");
    const [old, fresh] = [generation(1), generation(2)];
    await betweenRenames(pair.targets, { old, fresh });
    const key = pair.dir.file(`${moved}/internal.key`);
    await Deno.mkdir(folderOf(folderOf(key)), { recursive: true });
    await Deno.rename(folderOf(pair.targets.key), folderOf(key));
    const files = { ...pair.targets, key };
    assertEquals(await recoverInstall(files), { kind: "finished" });
    assertEquals(await Deno.readTextFile(key), fresh.key);
    assertEquals(
      await Deno.readTextFile(files.certificate),
      fresh.certificate,
    );
    assertEquals(namesIn(folderOf(key)), ["internal.key"]);
    assertEquals(namesIn(pair.dir.file("tls")), ["internal.crt"]);
  }
});

for (const layout of ["plain", "versioned"] as const) {
  Deno.test(`openPair() finishes a change to ${layout} whose key has another path by now`, async () => {
    await using pair = await pairFixture("two directories");
    writePair(pair, generation(1));
    if (layout === "plain") await changePairLayout(pair.targets, "versioned");
    await noteOfPlain(pair.targets);
    const note = pair.dir.file("tls/.internal.crt.rekey-layout");
    await Deno.writeTextFile(
      note,
      (await Deno.readTextFile(note)).replace("plain", layout),
    );
    const key = pair.dir.file("keys/internal.key");
    await Deno.rename(folderOf(pair.targets.key), folderOf(key));
    const files = { ...pair.targets, key };
    assertEquals(await recoverInstall(files), { kind: "layout changed" });
    assertEquals(await Deno.readTextFile(key), generation(1).key);
    assertEquals((await Deno.lstat(key)).isSymlink, layout === "versioned");
  });
}
