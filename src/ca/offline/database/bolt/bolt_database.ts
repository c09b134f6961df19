/**
 * A bbolt database: one file, one bucket for each table.
 *
 * One attempt on the file as it is now. No lock is taken: pages of the tree
 * that is read are written to only after a later transaction has ended, so the
 * answer holds when none has ended meanwhile; `settled.ts` tries again then.
 */
import { ByteCursor, compareBytes } from "../file/byte_cursor.ts";
import { type BoltMeta, readBoltMeta } from "./bolt_meta.ts";
import { type LeafElement, parseInlineLeaf } from "./bolt_page.ts";
import { BoltTree } from "./bolt_tree.ts";
import type { CorruptDatabaseError } from "../file/corrupt_database_error.ts";
import { DatabaseFile } from "../file/database_file.ts";

export interface BoltRow {
  readonly table: string;
  readonly key: Uint8Array;
  /** Whether a table that is missing is damage; else it has no rows. */
  readonly isTableRequired: boolean;
  /**
   * Whether a row of the table is whole: asked for all rows beside the one that
   * is looked for, since nothing else proves their keys.
   */
  isWhole(key: Uint8Array, value: Uint8Array): boolean;
  /**
   * A table with the same keys at least, if there is one: where the row is not
   * found, it proves those that could be it with another key.
   */
  readonly keysOf?: string;
}

/** In front of the rows of a small table, and instead of those of a large one. */
const BUCKET_BYTES = 16;

/** The values of rows, undefined where there are none. */
export async function readBolt(
  path: string,
  rows: readonly BoltRow[],
): Promise<readonly (Uint8Array | undefined)[]> {
  using file = await DatabaseFile.open(path);
  const meta = await readBoltMeta(file);
  try {
    return await readRows(file, meta, rows);
  } finally {
    // What looked like damage may be the work of a later transaction.
    await requireUnchanged(file, meta);
  }
}

async function requireUnchanged(
  file: DatabaseFile,
  { transaction }: BoltMeta,
): Promise<void> {
  if ((await readBoltMeta(file)).transaction === transaction) return;
  throw file.corrupt("is written to all the time", { mayPass: true });
}

async function readRows(
  file: DatabaseFile,
  meta: BoltMeta,
  rows: readonly BoltRow[],
): Promise<readonly (Uint8Array | undefined)[]> {
  const tree = await BoltTree.open(file, meta);
  const place = { file, tree, root: meta.root };
  const values = [];
  for (const row of rows) values.push(await readRow(place, row));
  return values;
}

interface Place {
  readonly file: DatabaseFile;
  readonly tree: BoltTree;
  readonly root: number;
}

async function readRow(
  place: Place,
  row: BoltRow,
): Promise<Uint8Array | undefined> {
  const leaf = await leafInTable(place, row);
  for (const { key, value, isBucket } of leaf) {
    if (isBucket || !row.isWhole(key, value)) throw damagedRow(place, row);
  }
  const found = find(leaf, row.key);
  if (found === undefined) await requireKeys(place, row, leaf);
  return found?.value;
}

/** @throws {CorruptDatabaseError} when a row has a key that the other table does not have */
async function requireKeys(
  place: Place,
  row: BoltRow,
  leaf: readonly LeafElement[],
): Promise<void> {
  if (row.keysOf === undefined) return;
  for (const { key } of leaf) {
    const other = { ...row, key, table: row.keysOf, isTableRequired: true };
    if (find(await leafInTable(place, other), key) === undefined) {
      throw damagedRow(place, row);
    }
  }
}

function find(
  leaf: readonly LeafElement[],
  key: Uint8Array,
): LeafElement | undefined {
  return leaf.find((element) => compareBytes(element.key, key) === 0);
}

function damagedRow({ file }: Place, { table }: BoltRow): CorruptDatabaseError {
  return file.corrupt(`has a damaged row in ${table}`);
}

async function leafInTable(
  { file, tree, root }: Place,
  { table, key, isTableRequired }: BoltRow,
): Promise<readonly LeafElement[]> {
  const name = new TextEncoder().encode(table);
  const tables = await tree.leafOf(root, name);
  const bucket = find(tables, name);
  if (bucket === undefined) {
    if (!isTableRequired && !tables.some(({ key }) => isAlmost(key, name))) {
      return [];
    }
    throw file.corrupt(`has no table ${table}`);
  }
  const at = new ByteCursor(bucket.value, file.path);
  const page = at.u64le();
  at.position = BUCKET_BYTES;
  const isInline = page === 0;
  if (!bucket.isBucket || isInline === (at.left === 0)) {
    throw at.corrupt(`has a damaged table ${table}`);
  }
  return isInline
    ? parseInlineLeaf(bucket.value.subarray(BUCKET_BYTES), file.path)
    : await tree.leafOf(page, key);
}

/** Whether one letter is another: no table of step-ca is called like that. */
function isAlmost(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length &&
    one.filter((byte, index) => byte !== other[index]).length === 1;
}
