/**
 * The readers beside the libraries that step-ca reads with, on databases with
 * several levels, deletions, lifetimes, moved and large values.
 *
 * `deno task sweep` takes databases of 200,000 rows instead of 20,000.
 */
import { assert, assertEquals } from "../../../support/assert.ts";
import { goTest } from "../../../support/go_program.ts";
import { howMany, sample } from "../../../support/sweep.ts";
import {
  copyDirectory,
  goDatabase,
  type GoDatabaseOptions,
  judge,
  KINDS,
  readRowsOf,
  type Row,
  TABLES,
} from "./go_database.ts";

const ROWS = howMany(20_000, 200_000);
const SAMPLE = 600;

const WAYS: readonly GoDatabaseOptions["ways"][] = [
  ["small"],
  ["small", "crash"],
  ["crash"],
];

const DATABASES = KINDS.flatMap((kind) => WAYS.map((ways) => ({ kind, ways })));

for (const { kind, ways } of sample("go databases", DATABASES, 4)) {
  goTest(
    `the reader of ${kind} finds what nosql finds (${ways.join(", ")})`,
    async () => {
      await using database = await goDatabase(kind, { rows: ROWS, ways });
      const rows = rowsOf(database.serials);
      const before = await listing(database.directory);
      const ours = await readRowsOf(kind, database.directory, rows);
      assertEquals(await listing(database.directory), before);
      const copy = database.file("copy");
      await copyDirectory(database.directory, copy);
      const theirs = await judge(kind, copy, rows);
      assertEquals(ours, theirs);
      const found = ours.filter((value) => value !== undefined).length;
      assert(found > SAMPLE / 4 && found < SAMPLE, `${found} found`);
    },
  );
}

for (const kind of KINDS) {
  goTest(
    `the reader of ${kind} finds a row each time that one call asks for it`,
    async () => {
      await using database = await goDatabase(kind, {
        rows: 1000,
        ways: ["crash"],
      });
      // From the tables of the first writer, and from the end of the last log.
      const serials = [database.serials[0], database.serials[450]];
      const rows = serials.flatMap((key = "") =>
        TABLES.map((table): Row => ({ table, key }))
      );
      const twice = await readRowsOf(kind, database.directory, [
        ...rows,
        ...rows,
      ]);
      const once = await judge(kind, database.directory, rows);
      assertEquals(twice, [...once, ...once]);
      const revoked = once.filter((_, index) => index % TABLES.length === 2);
      assert(!revoked.includes(undefined), "both are revoked");
    },
  );
}

/** Rows of all tables, spread over all serial numbers, and some of nobody. */
function rowsOf(serials: readonly string[]): readonly Row[] {
  return Array.from({ length: SAMPLE }, (_, index) => {
    const table = TABLES[index % TABLES.length] ?? "x509_certs";
    // A step that meets every remainder, so deleted and revoked ones as well.
    const serial = serials[index * 7919 % serials.length] ?? "0";
    const revoked = serials[index * 50 % serials.length] ?? "0";
    if (index % 20 === 19) return { table, key: serial.slice(0, -1) };
    return { table, key: index % 6 === 5 ? revoked : serial };
  });
}

async function listing(directory: string): Promise<readonly string[]> {
  const names = [];
  for await (const { name } of Deno.readDir(directory)) {
    const { size, mtime } = await Deno.stat(`${directory}/${name}`);
    names.push(`${name} ${size} ${mtime?.getTime()}`);
  }
  return names.sort();
}
