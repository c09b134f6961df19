/**
 * Reads the numbers of a structure one after the other, and never past its end.
 */
import { CorruptDatabaseError } from "./corrupt_database_error.ts";

/** A position in bytes that belong to `file`. */
export class ByteCursor {
  readonly bytes: Uint8Array;
  readonly file: string;
  position: number;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, file: string, position = 0) {
    this.bytes = bytes;
    this.file = file;
    this.position = position;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get left(): number {
    return this.bytes.length - this.position;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  u16le(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  u16be(): number {
    return this.#view.getUint16(this.#advance(2), false);
  }

  u32le(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  u32be(): number {
    return this.#view.getUint32(this.#advance(4), false);
  }

  /** A number above 2^53 is damage: nothing counts or measures that much. */
  u64le(): number {
    return this.#safe(this.#view.getBigUint64(this.#advance(8), true));
  }

  /** Base-128, as encoding/binary.Uvarint and protobuf write it; below 2^53. */
  uvarint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 63; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (Number.isSafeInteger(value)) return value;
        break;
      }
    }
    throw this.corrupt("has a number that is too large");
  }

  take(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.bytes.subarray(start, start + length);
  }

  corrupt(reason: string): CorruptDatabaseError {
    return new CorruptDatabaseError(this.file, reason);
  }

  #advance(length: number): number {
    const start = this.position;
    if (start < 0 || length < 0 || start + length > this.bytes.length) {
      throw this.corrupt("has a structure that points outside of it");
    }
    this.position = start + length;
    return start;
  }

  #safe(value: bigint): number {
    if (value <= BigInt(Number.MAX_SAFE_INTEGER)) return Number(value);
    throw this.corrupt("has a number that is too large");
  }
}

/**
 * The order of keys in databases: below, at or above zero, as unsigned bytes
 * compare.
 */
export function compareBytes(a: Uint8Array, b: Uint8Array): number {
  const shorter = Math.min(a.length, b.length);
  for (let index = 0; index < shorter; index++) {
    const difference = (a[index] ?? 0) - (b[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.length - b.length;
}
