/**
 * What a key of badger has: a value, a pointer into a value log, or a note
 * that it was deleted (dgraph-io/badger y/iterator.go, structs.go, value.go).
 */
import type { BadgerVersion } from "./badger_files.ts";
import { ByteCursor } from "../file/byte_cursor.ts";

export interface VersionedValue {
  readonly version: number;
  readonly meta: number;
  /** Seconds since 1970; zero: never. */
  readonly expiresAt: number;
  /** The value itself, or the pointer when `meta` says so. */
  readonly value: Uint8Array;
}

/** Where an entry stands in the value logs. */
export interface ValuePointer {
  readonly log: number;
  /** Of the whole entry, checksum included. */
  readonly length: number;
  readonly offset: number;
}

export const Meta = {
  deleted: 0x01,
  pointer: 0x02,
  /** Part of a transaction that is complete only with its end. */
  inTransaction: 0x40,
  endOfTransaction: 0x80,
} as const;

export function decodeValue(
  at: ByteCursor,
  version: number,
): VersionedValue {
  const meta = at.u8();
  at.u8(); // The user's own byte, which step-ca does not use.
  const expiresAt = at.uvarint();
  return { version, meta, expiresAt, value: at.take(at.left) };
}

export function decodePointer(
  bytes: Uint8Array,
  place: { readonly version: BadgerVersion; readonly file: string },
): ValuePointer {
  const at = new ByteCursor(bytes, place.file);
  if (bytes.length !== 12) {
    throw at.corrupt(
      "has a pointer into a value log that is not 12 bytes long",
    );
  }
  // Version 2 writes them as the machine has them in memory.
  const next = () => place.version === 1 ? at.u32be() : at.u32le();
  return { log: next(), length: next(), offset: next() };
}

/** Whether badger would not find it. */
export function isGone(
  { meta, expiresAt }: VersionedValue,
  now: Date,
): boolean {
  if ((meta & Meta.deleted) !== 0) return true;
  return expiresAt !== 0 && expiresAt <= Math.floor(now.getTime() / 1000);
}

export function newer<T extends { readonly version: number }>(
  one: T | undefined,
  other: T | undefined,
): T | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return other.version > one.version ? other : one;
}
