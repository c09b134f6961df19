/**
 * Databases that give no certain answer: each is refused with the file and a
 * way out, and none of them is written to.
 */
import { hintOf } from "../../../support/hint.ts";
import {
  readCertificateRecord,
} from "../../../../src/ca/offline/database/ca_database.ts";
import type { DatabaseSettings } from "../../../../src/ca/offline/config/database_settings.ts";
import { RekeyError } from "../../../../src/base/errors.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../../support/assert.ts";
import { goTest } from "../../../support/go_program.ts";
import { tempDir } from "../../../support/temp_dir.ts";
import { CASES } from "./damaged_databases.ts";
import { type GoDatabase, goDatabase } from "./go_database.ts";

const ROWS = 3000;

/** How much faster than the real one the clock of the tests runs. */
const HASTE = 50;

/** Waits for nothing: each pause is over at once, and time goes on. */
function ask(settings: DatabaseSettings, serial: string) {
  let passedMs = 0;
  const clock = {
    now: () => new Date(Date.now() + passedMs),
    sleep: (ms: number) => {
      passedMs += HASTE * ms;
      return Promise.resolve();
    },
  };
  const { signal } = new AbortController();
  return readCertificateRecord(settings, BigInt(serial).toString(16), {
    clock,
    signal,
  });
}

for (const { what, kind, ways = [], spoil, message } of CASES) {
  goTest(
    `readCertificateRecord() refuses a ${kind} database ${what}`,
    async () => {
      await using database = await goDatabase(kind, { rows: ROWS, ways });
      const names = await list(database);
      const file = (name: string) => `${database.directory}/${name}`;
      await spoil(file, names);
      const before = await list(database);
      const { settings, serials } = database;
      const error = await assertRejects(
        () => ask(settings, serials[0] ?? ""),
        "config",
        message,
      );
      assert(error instanceof RekeyError);
      assertMatch(error.message, /^the CA's database does not say whether/);
      assertMatch(hintOf(error), /--ignore-database rekeys without asking/);
      assertEquals(await list(database), before);
    },
  );
}

async function list({ directory }: GoDatabase): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(directory));
  return entries.map(({ name }) => name).sort();
}

for (
  const [kind, type, message] of [
    [
      "badgerv1",
      "badger v2",
      /MANIFEST" has unsupported version: 4 \(badger v2 has 7\)$/,
    ],
    [
      "badgerv2",
      "badger v1",
      /MANIFEST" has unsupported version: 7 \(badger v1 has 4\)$/,
    ],
    ["badgerv2", "bbolt", /" is not a regular file$/],
    ["bbolt", "badger v2", /step\.db" cannot be read: not a directory/],
  ] as const
) {
  goTest(
    `readCertificateRecord() refuses ${kind} under the name of ${type}`,
    async () => {
      await using database = await goDatabase(kind, { rows: 100, ways: [] });
      const { settings, serials } = database;
      await assertRejects(
        () => ask({ ...settings, type }, serials[0] ?? ""),
        "config",
        message,
      );
    },
  );
}

for (const type of ["badger v1", "badger v2", "bbolt"] as const) {
  Deno.test(`readCertificateRecord() refuses a ${type} database that is not there, and makes none`, async () => {
    await using dir = await tempDir();
    const settings = { type, dataSource: dir.file("none"), valueDir: "" };
    await assertRejects(
      () => ask(settings, "1"),
      "config",
      /none" cannot be read: no such file or directory$/,
    );
    assertEquals(await Array.fromAsync(Deno.readDir(dir.path)), []);
  });
}

for (const type of ["badger v1", "badger v2"] as const) {
  Deno.test(`readCertificateRecord() finds nothing in the empty folder of a new ${type} database`, async () => {
    await using dir = await tempDir();
    const settings = { type, dataSource: dir.path, valueDir: "" };
    assertEquals(await ask(settings, "1"), {
      isRevoked: false,
      provisionerId: undefined,
      emptyFolder: dir.path,
    });
    assertEquals(await Array.fromAsync(Deno.readDir(dir.path)), []);
  });

  Deno.test(`readCertificateRecord() refuses a folder of something else as ${type}`, async () => {
    await using dir = await tempDir();
    await Deno.writeTextFile(dir.file("step.db"), "");
    const settings = { type, dataSource: dir.path, valueDir: "" };
    await assertRejects(
      () => ask(settings, "1"),
      "config",
      /MANIFEST" is missing, but the folder is not empty$/,
    );
  });
}

goTest(
  "readCertificateRecord() reads value logs in a folder of their own",
  async () => {
    await using database = await goDatabase("badgerv2", {
      rows: ROWS,
      ways: ["crash"],
    });
    const valueDir = database.file("logs");
    await Deno.mkdir(valueDir);
    for (const name of await list(database)) {
      if (!name.endsWith(".vlog")) continue;
      await Deno.rename(`${database.directory}/${name}`, `${valueDir}/${name}`);
    }
    const settings = { ...database.settings, valueDir };
    const [newest] = database.serials.slice(-50);
    assertEquals((await ask(settings, newest ?? "")).isRevoked, true);
    await assertRejects(
      () => ask(database.settings, newest ?? ""),
      "config",
      /\.vlog" is missing$/,
    );
  },
);
