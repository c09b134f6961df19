/**
 * Tables of badger v2 (dgraph-io/badger v2.2007.4 table/builder.go, table.go).
 *
 * The index and each block have a checksum. The original verifies none of the
 * blocks by default, and so issues for a revoked certificate after one flipped
 * bit; here each is verified before it is used.
 */
import { VERSION_BYTES } from "./badger_key.ts";
import { type BadgerTable, readKey, type TableEntry } from "./badger_table.ts";
import { ByteCursor } from "../file/byte_cursor.ts";
import { crc32c } from "./crc32c.ts";
import type { DatabaseFile } from "../file/database_file.ts";
import { protobufFields } from "./protobuf_fields.ts";
import { equalBytes } from "../../../../base/bytes.ts";

interface BlockPlace {
  readonly key: Uint8Array;
  readonly offset: number;
  readonly length: number;
}

/** A checksum is two small numbers. */
const MOST_CHECKSUM_BYTES = 32;

/**
 * Verifies the index, and each block when it is read.
 *
 * @throws {CorruptDatabaseError} also for compression and encryption
 */
export async function readTableV2(file: DatabaseFile): Promise<BadgerTable> {
  return new TableV2(file, await readIndex(file));
}

/** From the end: checksum and its length, index and its length. */
async function readIndex(file: DatabaseFile): Promise<readonly BlockPlace[]> {
  const u32 = async (offset: number) => (await file.cursor(offset, 4)).u32be();
  const sumLength = await u32(file.size - 4);
  if (sumLength > MOST_CHECKSUM_BYTES) {
    throw file.corrupt("has no checksum at its end");
  }
  const sumAt = file.size - 4 - sumLength;
  const length = await u32(sumAt - 4);
  const start = sumAt - 4 - length;
  const index = await file.read(start, length);
  verify(index, await file.read(sumAt, sumLength), file.path);
  const places: BlockPlace[] = [];
  const fields = protobufFields(new ByteCursor(index, file.path));
  for (const { number, bytes } of fields) {
    if (number !== 1 || bytes === undefined) continue;
    places.push(readPlace(bytes, file.path));
  }
  const ends = places.map(({ offset, length }) => offset + length);
  if (
    ends.length === 0 || ends.at(-1) !== start ||
    places.some(({ offset }, block) => offset !== (ends[block - 1] ?? 0))
  ) {
    throw file.corrupt("has blocks that are out of order");
  }
  return places;
}

function readPlace(bytes: Uint8Array, path: string): BlockPlace {
  let key = new Uint8Array(0);
  let [offset, length] = [0, 0];
  const at = new ByteCursor(bytes, path);
  for (const { number, bytes, value } of protobufFields(at)) {
    if (number === 1 && bytes !== undefined) key = new Uint8Array(bytes);
    if (number === 2) offset = value;
    if (number === 3) length = value;
  }
  if (key.length < VERSION_BYTES) {
    throw at.corrupt("has a block without a first key");
  }
  return { key, offset, length };
}

/** `checksum` is a message: 1 the algorithm (0 is CRC-32C), 2 the sum. */
function verify(data: Uint8Array, checksum: Uint8Array, path: string): void {
  const at = new ByteCursor(checksum, path);
  let [algorithm, sum] = [0, 0];
  for (const { number, bytes, value } of protobufFields(at)) {
    if (bytes !== undefined) throw at.corrupt("has an unknown checksum");
    if (number === 1) algorithm = value;
    if (number === 2) sum = value;
  }
  if (algorithm !== 0) throw at.corrupt("has an unknown kind of checksum");
  if (crc32c(data) !== sum) throw at.corrupt("has a wrong checksum");
}

class TableV2 implements BadgerTable {
  readonly blockCount: number;
  readonly #file: DatabaseFile;
  readonly #places: readonly BlockPlace[];

  constructor(file: DatabaseFile, places: readonly BlockPlace[]) {
    this.#file = file;
    this.#places = places;
    this.blockCount = places.length;
  }

  firstKey(block: number): Promise<Uint8Array> {
    return Promise.resolve(this.#place(block).key);
  }

  async entries(block: number): Promise<Iterable<TableEntry>> {
    const { offset, length, key } = this.#place(block);
    const { path } = this.#file;
    const bytes = await this.#file.read(offset, length);
    const offsets = verifiedOffsets(bytes, path);
    return readEntries(bytes, { offsets, key, path });
  }

  #place(block: number): BlockPlace {
    const place = this.#places[block];
    if (place === undefined) throw new RangeError(`no block ${block}`);
    return place;
  }
}

/**
 * From the end: checksum and its length, number of entries, their offsets.
 *
 * @returns the offsets, with the end of the last entry behind them
 */
function verifiedOffsets(block: Uint8Array, path: string): readonly number[] {
  const tail = new ByteCursor(block, path, block.length - 4);
  const sumLength = tail.u32be();
  const sumAt = block.length - 4 - sumLength;
  const sum = new ByteCursor(block, path, sumAt).take(sumLength);
  verify(block.subarray(0, sumAt), sum, path);
  const count = new ByteCursor(block, path, sumAt - 4).u32be();
  const end = sumAt - 4 - 4 * count;
  // The one number here that is little endian.
  const at = new ByteCursor(block, path, end);
  const offsets = Array.from({ length: count }, () => at.u32le());
  return [...offsets, end];
}

function* readEntries(
  block: Uint8Array,
  { offsets, key: first, path }: {
    readonly offsets: readonly number[];
    readonly key: Uint8Array;
    readonly path: string;
  },
): Generator<TableEntry> {
  let base: Uint8Array = new Uint8Array(0);
  for (const [index, start] of offsets.entries()) {
    const end = offsets[index + 1];
    if (end === undefined) return;
    const at = new ByteCursor(block.subarray(0, end), path, start);
    const [shared, rest] = [at.u16le(), at.u16le()];
    const key = readKey(at, base, { shared, rest });
    if (index === 0) {
      base = key;
      if (!equalBytes(key, first)) {
        throw at.corrupt("has a block that is not the one of its index");
      }
    }
    yield { key, value: new ByteCursor(at.take(at.left), path) };
  }
}
