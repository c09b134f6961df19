/**
 * The two first pages of a bbolt file: which tree is the current one
 * (etcd-io/bbolt internal/common/meta.go).
 */
import type { ByteCursor } from "../file/byte_cursor.ts";
import type { DatabaseFile } from "../file/database_file.ts";

export interface BoltMeta {
  /** In bytes. */
  readonly pageSize: number;
  /** Page of the bucket of buckets. */
  readonly root: number;
  /** Page of the list of free pages; undefined when none is kept. */
  readonly freelist: number | undefined;
  /** The number of the first page that was never used. */
  readonly pageCount: number;
  readonly transaction: number;
}

const MAGIC = 0xed0cdaed;
const VERSION = 2;
/** Bytes of the header in front of the contents of any page. */
export const PAGE_HEADER_BYTES = 16;
const META_BYTES = 64;
const META_PAGE = 4;
/** Written for "no list is kept", 2^64-1. */
const NO_FREELIST = 0xffff_ffff_ffff_ffffn;
/** A page is as large as one of the system's memory. */
const LEAST_PAGE_BYTES = 1024;
const MOST_PAGE_BYTES = 65_536;

/**
 * The newer of the two.
 *
 * Bbolt takes the older one where the newer is damaged, and so forgets the last
 * transaction, which may be a revocation. Here both have to be right.
 */
export async function readBoltMeta(file: DatabaseFile): Promise<BoltMeta> {
  const first = await readMeta(file, 0, 0);
  const second = await readMeta(file, 1, first.pageSize);
  if (first.pageSize !== second.pageSize) {
    throw file.corrupt("has two sizes of pages");
  }
  const newest = first.transaction > second.transaction ? first : second;
  if (newest.pageCount * newest.pageSize > file.size) {
    throw file.corrupt(
      `is truncated: ${newest.pageCount} pages of ${newest.pageSize} bytes are in use, but it has ${file.size} bytes`,
      { mayPass: true },
    );
  }
  return newest;
}

async function readMeta(
  file: DatabaseFile,
  page: 0 | 1,
  offset: number,
): Promise<BoltMeta> {
  const at = await file.cursor(offset, PAGE_HEADER_BYTES + META_BYTES);
  const [id, flags] = [at.u64le(), at.u16le()];
  at.position = PAGE_HEADER_BYTES;
  const magic = at.u32le();
  if (id !== page || flags !== META_PAGE || magic !== MAGIC) {
    throw file.corrupt("is not a bbolt database", { mayPass: true });
  }
  const version = at.u32le();
  if (version !== VERSION) {
    throw at.corrupt(
      `has unsupported version: ${version} (bbolt has ${VERSION})`,
    );
  }
  const pageSize = at.u32le();
  at.u32le(); // Flags, which nothing uses.
  const root = at.u64le();
  at.take(8); // A sequence, which the bucket of buckets does not use.
  const freelist = bigU64(at);
  const pageCount = at.u64le();
  const transaction = at.u64le();
  const checked = at.bytes.subarray(PAGE_HEADER_BYTES, at.position);
  if (bigU64(at) !== fnv1a64(checked)) {
    // Half of it may be written at this moment.
    throw file.corrupt("has a meta page with a wrong checksum", {
      mayPass: true,
    });
  }
  if (
    pageSize < LEAST_PAGE_BYTES || pageSize > MOST_PAGE_BYTES ||
    Math.log2(pageSize) % 1 !== 0 || transaction % 2 !== page
  ) {
    throw at.corrupt("has an impossible meta page");
  }
  return {
    pageSize,
    root,
    freelist: freelist === NO_FREELIST ? undefined : Number(freelist),
    pageCount,
    transaction,
  };
}

function bigU64(at: ByteCursor): bigint {
  const bytes = at.take(8);
  return new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
}

/** FNV-1a of 64 bits (hash/fnv of Go). */
function fnv1a64(bytes: Uint8Array): bigint {
  let hash = 0xcbf29ce484222325n;
  for (const byte of bytes) {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * 0x100000001b3n);
  }
  return hash;
}
