/**
 * Badger has checksums: no flipped bit in MANIFEST, in what a table ends with
 * or in the header of an entry of a value log leads past them.
 *
 * The suite flips a sample, `deno task sweep` every bit of all files.
 */
import { parseLogEntry } from "../../../../../src/ca/offline/database/badger/log_entry.ts";
import { assert } from "../../../../support/assert.ts";
import { goTest } from "../../../../support/go_program.ts";
import { IS_WHOLE } from "../../../../support/sweep.ts";
import { assertNoBitHides, type Extent } from "../flipped_bits.ts";
import { type GoDatabase, goDatabase } from "../go_database.ts";

const FILE_HEADER_BYTES = 20;
/** Of version 2, whose numbers are short here: meta, user meta, numbers. */
const HEADER_BYTES = { "badger v1": 18, "badger v2": 6 } as const;
/** In front of the checksum, at most, at the end of a table. */
const TABLE_END_BYTES = 160;

for (const kind of ["badgerv1", "badgerv2"] as const) {
  for (const ways of [["revoked"], ["revoked", "crash"]] as const) {
    goTest(
      `no flipped bit in ${kind} hides one of 4 revocations (${ways})`,
      async () => {
        await using database = await goDatabase(kind, { rows: 8, ways });
        for (const { every, extents } of await extentsOf(database)) {
          if (extents.length > 0) {
            await assertNoBitHides(database, extents, every);
          }
        }
      },
    );
  }
}

/** What is flipped, and how much of it. */
async function extentsOf(
  { directory, settings: { type } }: GoDatabase,
): Promise<readonly { extents: Extent[]; every: number }[]> {
  assert(type !== "bbolt");
  const [structure, rest]: [Extent[], Extent[]] = [[], []];
  for await (const { name } of Deno.readDir(directory)) {
    const file = `${directory}/${name}`;
    const content = await Deno.readFile(file);
    const end = content.length;
    if (name === "MANIFEST") structure.push({ file, start: 0, end });
    if (name.endsWith(".sst")) {
      structure.push({ file, start: Math.max(0, end - TABLE_END_BYTES), end });
      rest.push({ file, start: 0, end });
    }
    if (!name.endsWith(".vlog")) continue;
    rest.push({ file, start: 0, end });
    if (type === "badger v2") {
      // Behind it comes an IV, which nothing uses without encryption.
      structure.push({ file, start: 0, end: 8 });
    }
    for (
      let start = type === "badger v1" ? 0 : FILE_HEADER_BYTES;
      start < end;
    ) {
      structure.push({ file, start, end: start + HEADER_BYTES[type] });
      const parsed = parseLogEntry(content.subarray(start), {
        version: type === "badger v1" ? 1 : 2,
        file,
        available: end - start,
      });
      assert("entry" in parsed);
      start += parsed.entry.length;
    }
  }
  assert(structure.length > 0);
  return IS_WHOLE
    ? [{ extents: rest.concat(structure), every: 1 }]
    : [{ extents: structure, every: 31 }, { extents: rest, every: 3001 }];
}
