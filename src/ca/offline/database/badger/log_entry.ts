/**
 * An entry of a value log (dgraph-io/badger structs.go, both versions): header,
 * key with version, value, CRC-32C of all of it.
 */
import type { BadgerVersion } from "./badger_files.ts";
import { userKeyOf, VERSION_BYTES, versionOf } from "./badger_key.ts";
import type { VersionedValue } from "./badger_value.ts";
import { ByteCursor } from "../file/byte_cursor.ts";
import { crc32c } from "./crc32c.ts";

/** One verified entry; its bytes are only valid until the log is read on. */
export interface LogEntry extends VersionedValue {
  /** Without the version. */
  readonly userKey: Uint8Array;
  /** Of the whole entry. */
  readonly length: number;
}

/** An entry, or how many bytes from its start have to be there to read it. */
export type ParsedEntry =
  | { readonly entry: LogEntry }
  | { readonly needed: number };

/** Badger takes no longer keys (value.go). */
const MOST_KEY_BYTES = 65_536;

/** Meta, user meta and three numbers of 5, 5 and 10 bytes at most; v1: 18. */
const MOST_HEADER_BYTES = 22;

/**
 * The entry at the start of `bytes`, verified.
 *
 * @param available how many bytes the file has from here on
 * @throws {CorruptDatabaseError} when no more bytes would make an entry of it
 */
export function parseLogEntry(
  bytes: Uint8Array,
  place: {
    readonly version: BadgerVersion;
    readonly file: string;
    readonly available: number;
  },
): ParsedEntry {
  const { version, file, available } = place;
  if (bytes.length < Math.min(MOST_HEADER_BYTES, available)) {
    return { needed: Math.min(MOST_HEADER_BYTES, available) };
  }
  const at = new ByteCursor(bytes, file);
  const header = version === 1 ? readHeaderV1(at) : readHeaderV2(at);
  const { meta, keyLength, valueLength, expiresAt } = header;
  if (keyLength > MOST_KEY_BYTES || keyLength < VERSION_BYTES) {
    throw at.corrupt("has an entry with a key of impossible length");
  }
  const length = at.position + keyLength + valueLength + 4;
  if (length > bytes.length) return { needed: length };
  const key = at.take(keyLength);
  const value = at.take(valueLength);
  const sum = crc32c(bytes.subarray(0, at.position));
  if (at.u32be() !== sum) {
    throw at.corrupt("has an entry with a wrong checksum");
  }
  return {
    entry: {
      userKey: userKeyOf(key),
      version: versionOf(key, at),
      meta,
      expiresAt,
      value,
      length,
    },
  };
}

interface Header {
  readonly meta: number;
  readonly keyLength: number;
  readonly valueLength: number;
  readonly expiresAt: number;
}

function readHeaderV1(at: ByteCursor): Header {
  const [keyLength, valueLength] = [at.u32be(), at.u32be()];
  const expiresAt = at.u32be() * 2 ** 32 + at.u32be();
  const meta = at.u8();
  at.u8(); // The user's own byte.
  return { meta, keyLength, valueLength, expiresAt };
}

function readHeaderV2(at: ByteCursor): Header {
  const meta = at.u8();
  at.u8(); // The user's own byte.
  const [keyLength, valueLength] = [at.uvarint(), at.uvarint()];
  return { meta, keyLength, valueLength, expiresAt: at.uvarint() };
}
