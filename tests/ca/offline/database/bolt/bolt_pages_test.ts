/**
 * What replaces the checksums that pages of bbolt do not have: every changed
 * bit on the way to a revocation is noticed, or changes nothing.
 */
import { readRows } from "../../../../../src/ca/offline/database/ca_database.ts";
import { readBoltMeta } from "../../../../../src/ca/offline/database/bolt/bolt_meta.ts";
import { parseBoltPage } from "../../../../../src/ca/offline/database/bolt/bolt_page.ts";
import { BoltTree } from "../../../../../src/ca/offline/database/bolt/bolt_tree.ts";
import { ByteCursor } from "../../../../../src/ca/offline/database/file/byte_cursor.ts";
import { CorruptDatabaseError } from "../../../../../src/ca/offline/database/file/corrupt_database_error.ts";
import { DatabaseFile } from "../../../../../src/ca/offline/database/file/database_file.ts";
import { assert } from "../../../../support/assert.ts";
import { goTest } from "../../../../support/go_program.ts";
import { sample, spread } from "../../../../support/sweep.ts";
import { type GoDatabase, goDatabase } from "../go_database.ts";

const PAGE_BYTES = 4096;
const PAGE_HEADER_BYTES = 16;
const ELEMENT_BYTES = 16;

/** A database with several leaves of revocations below one branch. */
interface Fixture {
  readonly database: GoDatabase;
  readonly revoked: readonly string[];
  readonly content: Uint8Array;
  readonly pageCount: number;
  /** Number of the branch. */
  readonly branch: number;
  /** Numbers of its leaves. */
  readonly leaves: readonly number[];
}

async function fixture(): Promise<Fixture> {
  const database = await goDatabase("bbolt", { rows: 3000, ways: [] });
  const path = database.settings.dataSource;
  const content = await Deno.readFile(path);
  using file = await DatabaseFile.open(path);
  const meta = await readBoltMeta(file);
  const tree = await BoltTree.open(file, meta);
  const name = new TextEncoder().encode("revoked_x509_certs");
  const bucket = (await tree.leafOf(meta.root, name)).find(({ key }) =>
    key.toHex() === name.toHex()
  );
  assert(bucket !== undefined);
  const branch = new ByteCursor(bucket.value, path).u64le();
  const page = parseBoltPage(
    content.subarray(branch * PAGE_BYTES, (branch + 1) * PAGE_BYTES),
    path,
  );
  assert(page.kind === "branch" && page.elements.length > 2);
  return {
    database,
    revoked: database.serials.filter((_, index) => index % 50 === 0),
    content,
    pageCount: meta.pageCount,
    branch,
    leaves: page.elements.map(({ page }) => page),
  };
}

/** Writes bytes of a page, asks for one revocation after the other, and undoes it. */
async function assertNothingHidden(
  { database, content }: Fixture,
  { page, change, serials }: {
    readonly page: number;
    change(bytes: Uint8Array): void;
    readonly serials: readonly string[];
  },
): Promise<void> {
  const offset = page * PAGE_BYTES;
  const original = content.subarray(offset, offset + PAGE_BYTES);
  const changed = original.slice();
  change(changed);
  await overwrite(database, offset, changed);
  for (const serial of serials) {
    const [revocation] = await readRows(database.settings, serial, new Date())
      .catch((error) => {
        if (error instanceof CorruptDatabaseError) return [error];
        throw error;
      });
    assert(revocation !== undefined, `page ${page} hides ${serial}`);
  }
  await overwrite(database, offset, original);
}

async function overwrite(
  { settings: { dataSource } }: GoDatabase,
  offset: number,
  bytes: Uint8Array,
): Promise<void> {
  using file = await Deno.open(dataSource, { write: true });
  await file.seek(offset, Deno.SeekMode.Start);
  const written = await file.write(bytes);
  assert(written === bytes.length);
}

function flip(bit: number): (bytes: Uint8Array) => void {
  return (bytes) => {
    const at = Math.floor(bit / 8);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << bit % 8);
  };
}

goTest("no flipped bit in a branch of bbolt hides a revocation", async () => {
  const bolt = await fixture();
  await using _ = bolt.database;
  const bits = 8 *
    (PAGE_HEADER_BYTES + bolt.leaves.length * (ELEMENT_BYTES + 40));
  const serials = some(bolt.revoked, 4);
  for (const bit of spread({ end: bits }, 15)) {
    await assertNothingHidden(bolt, {
      page: bolt.branch,
      change: flip(bit),
      serials: [serials[bit % serials.length] ?? ""],
    });
  }
});

goTest("no flipped bit in a leaf of bbolt hides a revocation", async () => {
  const bolt = await fixture();
  await using _ = bolt.database;
  const [leaf] = bolt.leaves;
  assert(leaf !== undefined);
  const serials = bolt.revoked.toSorted().slice(0, 4);
  for (const bit of spread({ end: 8 * PAGE_BYTES }, 205)) {
    await assertNothingHidden(bolt, {
      page: leaf,
      change: flip(bit),
      serials: [serials[bit % serials.length] ?? ""],
    });
  }
});

goTest(
  "no other page in the place of a leaf of bbolt hides a revocation",
  async () => {
    const bolt = await fixture();
    await using _ = bolt.database;
    for (const [index, leaf] of bolt.leaves.entries()) {
      // What an older copy of the leaf, on a page that is free now, lacks.
      const keys = keysOf(bolt, leaf);
      const newest = bolt.revoked.findLast((serial) => keys.includes(serial));
      assert(newest !== undefined);
      for (const page of spread({ end: bolt.pageCount + 2 }, 12)) {
        await assertNothingHidden(bolt, {
          page: bolt.branch,
          change: (bytes) =>
            new DataView(bytes.buffer).setBigUint64(
              PAGE_HEADER_BYTES + index * ELEMENT_BYTES + 8,
              BigInt(page),
              true,
            ),
          serials: [newest],
        });
      }
    }
  },
);

function keysOf({ content }: Fixture, page: number): readonly string[] {
  const start = page * PAGE_BYTES;
  const { elements } = parseBoltPage(
    content.subarray(start, start + PAGE_BYTES),
    "",
  );
  return elements.map(({ key }) => new TextDecoder().decode(key));
}

goTest(
  "no smaller number of elements in a page of bbolt hides a revocation",
  async () => {
    const bolt = await fixture();
    await using _ = bolt.database;
    const pages = [bolt.branch, ...sample("pages with fewer", bolt.leaves, 3)];
    for (const page of pages) {
      for (const count of spread({ end: 20 }, 4)) {
        await assertNothingHidden(bolt, {
          page,
          change: (bytes) =>
            new DataView(bytes.buffer).setUint16(10, count, true),
          serials: some(bolt.revoked, 6),
        });
      }
    }
  },
);

/** About `count` of them, spread. */
function some(serials: readonly string[], count: number): readonly string[] {
  const step = Math.ceil(serials.length / count);
  return serials.toSorted().filter((_, index) => index % step === 0);
}
