/**
 * A table of badger: sorted keys in blocks, found by an index.
 *
 * The two versions differ in layout and checksums; how a key is found is the
 * same.
 */
import {
  compareInternalKeys,
  newestOf,
  userKeyOf,
  VERSION_BYTES,
  versionOf,
} from "./badger_key.ts";
import { decodeValue, type VersionedValue } from "./badger_value.ts";
import { type ByteCursor, compareBytes } from "../file/byte_cursor.ts";

/** A table, valid as long as its file is open. */
export interface BadgerTable {
  readonly blockCount: number;
  /** With the version. */
  firstKey(block: number): Promise<Uint8Array>;
  /** The entries of a block in their order, verified. */
  entries(block: number): Promise<Iterable<TableEntry>>;
}

export interface TableEntry {
  /** With the version; only valid until the next entry. */
  readonly key: Uint8Array;
  /** At the start of the value's structure, which ends with the bytes. */
  readonly value: ByteCursor;
}

/** The newest version of a key in this table, or undefined. */
export async function findInTable(
  table: BadgerTable,
  userKey: Uint8Array,
): Promise<VersionedValue | undefined> {
  const wanted = newestOf(userKey);
  const after = await firstBlockAfter(table, wanted);
  // It may be behind the last key of the block before, and so in the next.
  for (const block of [after - 1, after]) {
    if (block < 0 || block >= table.blockCount) continue;
    for (const { key, value } of await table.entries(block)) {
      if (compareInternalKeys(key, wanted) < 0) continue;
      return compareBytes(userKeyOf(key), userKey) === 0
        ? decodeValue(value, versionOf(key, value))
        : undefined;
    }
  }
  return undefined;
}

/**
 * The next key of a block: its first bytes are those of the block's first key.
 *
 * @param base the first key of the block; empty where this is it
 * @param lengths how many bytes it shares, and how many follow at the cursor
 */
export function readKey(
  at: ByteCursor,
  base: Uint8Array,
  { shared, rest }: { readonly shared: number; readonly rest: number },
): Uint8Array {
  if (shared > base.length || shared + rest < VERSION_BYTES) {
    throw at.corrupt("has a key that shares more than there is");
  }
  const key = new Uint8Array(shared + rest);
  key.set(base.subarray(0, shared));
  key.set(at.take(rest), shared);
  return key;
}

/** The first block that begins above a key, by bisection. */
async function firstBlockAfter(
  table: BadgerTable,
  wanted: Uint8Array,
): Promise<number> {
  let [low, high] = [0, table.blockCount];
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    const first = await table.firstKey(middle);
    if (compareInternalKeys(first, wanted) > 0) high = middle;
    else low = middle + 1;
  }
  return low;
}
