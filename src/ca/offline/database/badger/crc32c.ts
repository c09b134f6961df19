/**
 * CRC-32C (Castagnoli, RFC 3720 appendix B.4), the checksum of badger.
 *
 * Not cryptography, and in no part of the runtime: `node:zlib` has only the
 * CRC-32 of zip. Eight bytes a step, so that a log of 100 MB takes a fraction
 * of a second.
 */

/** Bit-reversed polynomial 0x1EDC6F41. */
const POLYNOMIAL = 0x82f63b78;

/** Table `n`, at `n * 256`, is for a byte with `n` bytes behind it. */
const TABLES: Uint32Array = makeTables();

/** The checksum of bytes; `before`: of those in front of them. */
export function crc32c(bytes: Uint8Array, before = 0): number {
  const t = TABLES;
  let crc = ~before;
  let at = 0;
  const { length } = bytes;
  const view = new DataView(bytes.buffer, bytes.byteOffset, length);
  for (; at + 8 <= length; at += 8) {
    const low = view.getInt32(at, true) ^ crc;
    const high = view.getInt32(at + 4, true);
    // Indexes are below 2048 by their masks; `?? 0` is for the type alone.
    crc = (t[1792 + (low & 255)] ?? 0) ^
      (t[1536 + (low >>> 8 & 255)] ?? 0) ^
      (t[1280 + (low >>> 16 & 255)] ?? 0) ^
      (t[1024 + (low >>> 24)] ?? 0) ^
      (t[768 + (high & 255)] ?? 0) ^
      (t[512 + (high >>> 8 & 255)] ?? 0) ^
      (t[256 + (high >>> 16 & 255)] ?? 0) ^
      (t[high >>> 24] ?? 0);
  }
  for (; at < length; at++) {
    crc = (t[(crc ^ (bytes[at] ?? 0)) & 255] ?? 0) ^ crc >>> 8;
  }
  return ~crc >>> 0;
}

function makeTables(): Uint32Array {
  const tables = new Uint32Array(8 * 256);
  for (let index = 0; index < 256; index++) {
    let value = index;
    for (let bit = 0; bit < 8; bit++) {
      value = value & 1 ? value >>> 1 ^ POLYNOMIAL : value >>> 1;
    }
    tables[index] = value;
  }
  for (let index = 256; index < tables.length; index++) {
    const below = tables[index - 256] ?? 0;
    tables[index] = (tables[below & 255] ?? 0) ^ below >>> 8;
  }
  return tables;
}
