/**
 * Ways to damage a database, and the words that each is refused with.
 */
import { assert } from "../../../support/assert.ts";
import { runOk } from "../../../support/run.ts";
import type { GoDatabaseOptions, Kind } from "./go_database.ts";

/** A way to damage a database. */
export interface Case {
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

/** All of them. */
export const CASES: readonly Case[] = [
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
          (content) => {
            // In its key, since a length that is wrong gives another reason.
            const name = new TextDecoder("latin1").decode(content)
              .lastIndexOf("x509_certs", content.length - 5000);
            assert(name > 0);
            flip(content, name);
          },
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
