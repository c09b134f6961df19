/**
 * Databases that give no certain answer: each is refused with the file and a
 * way out, and none of them is written to.
 */
import {
  readCertificateRecord,
} from "../../../../src/ca/offline/database/ca_database.ts";
import type { DatabaseSettings } from "../../../../src/ca/offline/database/database_settings.ts";
import { RekeyError } from "../../../../src/errors.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../../support/assert.ts";
import { goTest } from "../../../support/go_program.ts";
import { runOk } from "../../../support/run.ts";
import { tempDir } from "../../../support/temp_dir.ts";
import {
  type GoDatabase,
  goDatabase,
  type GoDatabaseOptions,
  type Kind,
} from "./go_database.ts";

const ROWS = 3000;

/** Waits for nothing. */
const options = {
  clock: { now: () => new Date(), sleep: () => Promise.resolve() },
  signal: new AbortController().signal,
};

function ask(settings: DatabaseSettings, serial: string) {
  return readCertificateRecord(settings, BigInt(serial).toString(16), options);
}

interface Case {
  readonly what: string;
  readonly kind: Kind;
  readonly ways?: GoDatabaseOptions["ways"];
  /** Names of files of the database, sorted. */
  spoil(
    file: (name: string) => string,
    names: readonly string[],
  ): Promise<unknown>;
  readonly message: RegExp;
}

async function edit(
  path: string,
  change: (content: Uint8Array) => Uint8Array | void,
): Promise<void> {
  const content = await Deno.readFile(path);
  await Deno.writeFile(path, change(content) ?? content);
}

function flip(content: Uint8Array, at: number): void {
  content[at] = (content[at] ?? 0) ^ 1;
}

function last(names: readonly string[], suffix: string): string {
  const name = names.filter((name) => name.endsWith(suffix)).at(-1);
  assert(name !== undefined);
  return name;
}

const CASES: readonly Case[] = [
  ...(["badgerv1", "badgerv2"] as const).flatMap((kind): Case[] => [
    {
      what: "without MANIFEST",
      kind,
      spoil: (file) => Deno.remove(file("MANIFEST")),
      message: /MANIFEST" is missing, but the folder is not empty$/,
    },
    {
      what: "with an empty MANIFEST",
      kind,
      spoil: (file) => Deno.truncate(file("MANIFEST")),
      message: /MANIFEST" has a structure that points outside/,
    },
    {
      what: "with a MANIFEST that lost its end",
      kind,
      spoil: (file) =>
        edit(file("MANIFEST"), (content) => content.subarray(0, -3)),
      message: /MANIFEST" is truncated$/,
    },
    {
      what: "with a flipped bit in MANIFEST",
      kind,
      spoil: (file) =>
        edit(file("MANIFEST"), (content) => flip(content, content.length - 1)),
      message: /MANIFEST" has a wrong checksum$/,
    },
    {
      what: "with a MANIFEST of another program",
      kind,
      spoil: (file) => edit(file("MANIFEST"), (content) => flip(content, 0)),
      message: /MANIFEST" is not a manifest of badger$/,
    },
    {
      what: "with a pipe for MANIFEST",
      kind,
      spoil: async (file) => {
        await Deno.remove(file("MANIFEST"));
        await runOk("mkfifo", [file("MANIFEST")]);
      },
      message: /MANIFEST" is not a regular file$/,
    },
    {
      what: "with a table that is gone",
      kind,
      spoil: (file, names) => Deno.remove(file(last(names, ".sst"))),
      message: /\.sst" is missing, but MANIFEST names it$/,
    },
    {
      what: "with a table that lost its end",
      kind,
      spoil: (file, names) =>
        edit(file(last(names, ".sst")), (content) => content.subarray(0, -9)),
      message: /\.sst" /,
    },
    {
      what: "with a table of no name",
      kind,
      spoil: (file) => Deno.writeTextFile(file("x.sst"), ""),
      message: /x\.sst" has a name without a number$/,
    },
    {
      what: "with a table that is no table, not in MANIFEST",
      kind,
      spoil: (file) => Deno.writeTextFile(file("009999.sst"), "x"),
      message: /009999\.sst" is not named in MANIFEST/,
    },
    {
      what: "without value logs",
      kind,
      spoil: async (file, names) => {
        for (const name of names) {
          if (name.endsWith(".vlog")) await Deno.remove(file(name));
        }
      },
      message: /\.vlog" is missing$/,
    },
    {
      what: "with a value log that lost its end, which is in a table",
      kind,
      spoil: (file, names) =>
        edit(file(last(names, ".vlog")), (content) => content.subarray(0, -1)),
      message: /\.vlog" is truncated: \d+ bytes of it are in use/,
    },
    ...([["zeros", new Uint8Array(64)], [
      "text",
      new TextEncoder().encode("torn entry at the end of a value log"),
    ]] as const).map(([what, bytes]): Case => ({
      what: `with a value log that ends with ${what}`,
      kind,
      ways: ["crash"],
      spoil: (file, names) =>
        edit(
          file(last(names, ".vlog")),
          (content) => new Uint8Array([...content, ...bytes]),
        ),
      message: /\.vlog" has an entry|\.vlog" ends in the middle/,
    })),
    {
      what: "with an entry that is cut off",
      kind,
      ways: ["crash"],
      spoil: (file, names) =>
        edit(file(last(names, ".vlog")), (content) => content.subarray(0, -70)),
      message: /\.vlog" (ends in the middle of an entry|has an unfinished)/,
    },
    {
      what: "with a transaction that lacks its end",
      kind,
      ways: ["crash"],
      // The end of a transaction is its last entry.
      spoil: (file, names) =>
        edit(file(last(names, ".vlog")), (content) => {
          const end = new TextDecoder("latin1").decode(content)
            .lastIndexOf("!badger!txn");
          return content.subarray(0, end - (kind === "badgerv1" ? 18 : 5));
        }),
      message: /\.vlog" has an unfinished transaction$/,
    },
    {
      what: "with a flipped bit in an entry that no table has",
      kind,
      ways: ["crash"],
      spoil: (file, names) =>
        edit(
          file(last(names, ".vlog")),
          (content) => flip(content, content.length - 5000),
        ),
      message: /\.vlog" has an entry with a wrong checksum$/,
    },
  ]),
  {
    what: "with a flipped bit in a table",
    kind: "badgerv1",
    spoil: (file, names) =>
      edit(file(last(names, ".sst")), (content) => flip(content, 100)),
    message: /\.sst" has another checksum than MANIFEST says$/,
  },
  {
    what: "with a flipped bit in the index of a table",
    kind: "badgerv2",
    spoil: (file, names) =>
      edit(
        file(last(names, ".sst")),
        (content) => flip(content, content.length - 40),
      ),
    message: /\.sst" has a wrong checksum$/,
  },
  {
    what: "with flipped bits in all blocks of a table",
    kind: "badgerv2",
    spoil: (file, names) =>
      edit(file(last(names, ".sst")), (content) => {
        // Blocks have 4 KB or less.
        const end = content.length - 40_000;
        for (let at = 100; at < end; at += 500) flip(content, at);
      }),
    message: /\.sst" has a wrong checksum$/,
  },
  {
    what: "with compressed tables",
    kind: "badgerv2",
    ways: ["compressed"],
    spoil: () => Promise.resolve(),
    message: /MANIFEST" names a compressed table$/,
  },
  {
    what: "that is encrypted",
    kind: "badgerv2",
    ways: ["encrypted"],
    spoil: () => Promise.resolve(),
    message: /MANIFEST" names an encrypted table$/,
  },
  {
    what: "whose value log is encrypted",
    kind: "badgerv2",
    spoil: (file, names) =>
      edit(file(last(names, ".vlog")), (content) => flip(content, 7)),
    message: /\.vlog" is encrypted$/,
  },
  {
    what: "that is empty",
    kind: "bbolt",
    spoil: (file) => Deno.truncate(file("step.db")),
    message: /step\.db" is truncated/,
  },
  {
    what: "that is a text",
    kind: "bbolt",
    spoil: (file) =>
      Deno.writeTextFile(file("step.db"), "no database ".repeat(1000)),
    message: /step\.db" (is not a bbolt database|has a number)/,
  },
  {
    what: "that lost its end",
    kind: "bbolt",
    spoil: (file) => Deno.truncate(file("step.db"), 40_000),
    message: /step\.db" is truncated: \d+ pages of 4096 bytes are in use/,
  },
  {
    what: "with a damaged first meta page",
    kind: "bbolt",
    spoil: (file) => edit(file("step.db"), (content) => flip(content, 40)),
    message: /step\.db" has a meta page with a wrong checksum$/,
  },
  {
    what: "with a damaged second meta page",
    kind: "bbolt",
    spoil: (file) =>
      edit(file("step.db"), (content) => flip(content, 4096 + 40)),
    message: /step\.db" has a meta page with a wrong checksum$/,
  },
  {
    what: "of another version",
    kind: "bbolt",
    spoil: (file) => edit(file("step.db"), (content) => flip(content, 20)),
    message: /step\.db" has unsupported version: 3 \(bbolt has 2\)$/,
  },
  {
    what: "without the table of revocations",
    kind: "bbolt",
    spoil: (file) =>
      edit(file("step.db"), (content) => rename(content, "revoked_x509_certs")),
    message: /step\.db" has (no table revoked_x509_certs|a page whose)/,
  },
];

/** Changes the last letter of a name wherever it stands. */
function rename(content: Uint8Array, name: string): void {
  const text = new TextDecoder("latin1").decode(content);
  for (
    let at = text.indexOf(name);
    at >= 0;
    at = text.indexOf(name, at + 1)
  ) {
    content[at + name.length - 1] = 0x74;
  }
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
      assertMatch(error.hint ?? "", /--ignore-database rekeys without asking/);
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
