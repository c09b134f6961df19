/**
 * Tables of badger v1 (dgraph-io/badger v1.6.2 table/builder.go, table.go).
 *
 * Its blocks have no checksum. The whole file has one, in MANIFEST, and that
 * is verified before anything else in the file is read.
 */
import type { ListedTable } from "./badger_manifest.ts";
import { type BadgerTable, readKey, type TableEntry } from "./badger_table.ts";
import { VERSION_BYTES } from "./badger_key.ts";
import { ByteCursor } from "../file/byte_cursor.ts";
import type { DatabaseFile } from "../file/database_file.ts";
import { equalBytes } from "../../../../base/bytes.ts";

/** Bytes of one read while hashing. */
const HASHED_AT_ONCE = 1024 * 1024;
/** Prefix length, key length, value length: 2 bytes each; previous entry: 4. */
const ENTRY_HEADER_BYTES = 10;

/** Verifies the file first. */
export async function readTableV1(
  file: DatabaseFile,
  { sha256 }: ListedTable,
): Promise<BadgerTable> {
  await verify(file, sha256);
  return new TableV1(file, await readBlockEnds(file));
}

async function verify(
  file: DatabaseFile,
  expected: Uint8Array | undefined,
): Promise<void> {
  if (expected?.length !== 32) {
    throw file.corrupt("has no checksum in MANIFEST");
  }
  // Web Crypto wants it whole, and a table has 64 MB.
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  const buffer = new Uint8Array(Math.min(HASHED_AT_ONCE, file.size));
  for (let offset = 0; offset < file.size; offset += buffer.length) {
    const part = buffer.subarray(0, file.size - offset);
    await file.readInto(part, offset);
    hash.update(part);
  }
  if (equalBytes(new Uint8Array(hash.digest()), expected)) return;
  // Badger empties a table before it removes it.
  const mayPass = file.size === 0;
  throw file.corrupt("has another checksum than MANIFEST says", { mayPass });
}

/** From the end: filter and its length, ends of blocks and their number. */
async function readBlockEnds(file: DatabaseFile): Promise<Uint32Array> {
  const u32 = async (offset: number) => (await file.cursor(offset, 4)).u32be();
  const filterAt = file.size - 4 - await u32(file.size - 4);
  const count = await u32(filterAt - 4);
  const start = filterAt - 4 - 4 * count;
  const at = await file.cursor(start, 4 * count);
  const ends = Uint32Array.from({ length: count }, () => at.u32be());
  if (
    ends.length === 0 || ends.at(-1) !== start ||
    ends.some((end, index) => end <= (ends[index - 1] ?? 0))
  ) {
    throw file.corrupt("has blocks that are out of order");
  }
  return ends;
}

class TableV1 implements BadgerTable {
  readonly blockCount: number;
  readonly #file: DatabaseFile;
  readonly #ends: Uint32Array;

  constructor(file: DatabaseFile, ends: Uint32Array) {
    this.#file = file;
    this.#ends = ends;
    this.blockCount = ends.length;
  }

  async firstKey(block: number): Promise<Uint8Array> {
    const start = this.#ends[block - 1] ?? 0;
    const at = await this.#file.cursor(start, ENTRY_HEADER_BYTES);
    const [shared, length] = [at.u16be(), at.u16be()];
    if (shared !== 0 || length < VERSION_BYTES) {
      throw at.corrupt("has a block without a first key");
    }
    return await this.#file.read(start + ENTRY_HEADER_BYTES, length);
  }

  async entries(block: number): Promise<Iterable<TableEntry>> {
    const start = this.#ends[block - 1] ?? 0;
    const length = (this.#ends[block] ?? 0) - start;
    return readEntries(await this.#file.read(start, length), this.#file.path);
  }
}

function* readEntries(
  block: Uint8Array,
  path: string,
): Generator<TableEntry> {
  const at = new ByteCursor(block, path);
  let base: Uint8Array = new Uint8Array(0);
  while (at.left > 0) {
    const [shared, rest, valueLength] = [at.u16be(), at.u16be(), at.u16be()];
    at.u32be(); // The previous entry, for reading backwards.
    if (shared === 0 && rest === 0) return;
    const key = readKey(at, base, { shared, rest });
    if (base.length === 0) base = key;
    yield { key, value: new ByteCursor(at.take(valueLength), path) };
  }
  throw at.corrupt("has a block without an end");
}
