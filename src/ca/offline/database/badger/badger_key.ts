/**
 * Keys of badger: what nosql makes of table and key, and the version behind it
 * (smallstep/nosql badger/v2/badger.go, dgraph-io/badger y/y.go).
 */
import { type ByteCursor, compareBytes } from "../file/byte_cursor.ts";

/** Bytes of the version behind a user key. */
export const VERSION_BYTES = 8;

/** Where a replay of the value log begins (badger db.go). */
export const HEAD_KEY: Uint8Array = ascii("!badger!head");

/** In front of keys whose values were moved to another log (badger db.go). */
const MOVE_PREFIX: Uint8Array = ascii("!badger!move");

/** Lengths, two bytes each, little endian, in front of table and key. */
export function rowKey(table: string, key: Uint8Array): Uint8Array {
  const name = ascii(table);
  const bytes = new Uint8Array(4 + name.length + key.length);
  const view = new DataView(bytes.buffer);
  view.setUint16(0, name.length, true);
  bytes.set(name, 2);
  view.setUint16(2 + name.length, key.length, true);
  bytes.set(key, 4 + name.length);
  return bytes;
}

export function movedKey(key: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(MOVE_PREFIX.length + key.length);
  bytes.set(MOVE_PREFIX);
  bytes.set(key, MOVE_PREFIX.length);
  return bytes;
}

/** The first internal key of a user key: its newest version comes first. */
export function newestOf(userKey: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(userKey.length + VERSION_BYTES);
  bytes.set(userKey);
  return bytes;
}

/** The part of an internal key in front of the version. */
export function userKeyOf(internalKey: Uint8Array): Uint8Array {
  return internalKey.subarray(0, internalKey.length - VERSION_BYTES);
}

/**
 * The version of an internal key, which is stored as 2^64-1 less itself.
 *
 * @throws {CorruptDatabaseError} for one above 2^53, which is out of reach
 */
export function versionOf(internalKey: Uint8Array, at: ByteCursor): number {
  const start = internalKey.length - VERSION_BYTES;
  if (start < 0) throw at.corrupt("has a key without a version");
  const view = new DataView(internalKey.buffer, internalKey.byteOffset + start);
  const high = ~view.getUint32(0) >>> 0;
  const version = high * 2 ** 32 + (~view.getUint32(4) >>> 0);
  if (Number.isSafeInteger(version)) return version;
  throw at.corrupt("has a version that is too large");
}

/** The order of a table: by user key, newer versions first. */
export function compareInternalKeys(a: Uint8Array, b: Uint8Array): number {
  return compareBytes(userKeyOf(a), userKeyOf(b)) ||
    compareBytes(
      a.subarray(a.length - VERSION_BYTES),
      b.subarray(b.length - VERSION_BYTES),
    );
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
