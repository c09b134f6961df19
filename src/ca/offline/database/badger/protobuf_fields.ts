/**
 * The wire format of protocol buffers, as far as badger uses it: numbers and
 * byte strings (protobuf.dev/programming-guides/encoding).
 */
import type { ByteCursor } from "../file/byte_cursor.ts";

export interface Field {
  readonly number: number;
  /** Undefined for a number. */
  readonly bytes: Uint8Array | undefined;
  /** Zero for bytes. */
  readonly value: number;
}

const VARINT = 0;
const BYTES = 2;

/**
 * The fields up to the end of the cursor, in their order.
 *
 * @throws {CorruptDatabaseError} at anything else
 */
export function* protobufFields(message: ByteCursor): Generator<Field> {
  while (message.left > 0) {
    const tag = message.uvarint();
    const number = Math.floor(tag / 8);
    switch (tag % 8) {
      case VARINT:
        yield { number, bytes: undefined, value: message.uvarint() };
        break;
      case BYTES:
        yield { number, bytes: message.take(message.uvarint()), value: 0 };
        break;
      default:
        throw message.corrupt(`has a field of unknown type ${tag % 8}`);
    }
  }
}
