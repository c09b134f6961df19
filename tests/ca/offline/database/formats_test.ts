/**
 * The small parts of the readers: checksums, numbers, keys, rows.
 */
import fc from "fast-check";
import { compareInternalKeys } from "../../../../src/ca/offline/database/badger/badger_key.ts";
import { rowKey } from "../../../../src/ca/offline/database/badger/badger_key.ts";
import {
  ByteCursor,
  compareBytes,
} from "../../../../src/ca/offline/database/file/byte_cursor.ts";
import {
  isWholeRevocation,
  readRecord,
} from "../../../../src/ca/offline/database/certificate_record.ts";
import { crc32c } from "../../../../src/ca/offline/database/badger/crc32c.ts";
import { CorruptDatabaseError } from "../../../../src/ca/offline/database/file/corrupt_database_error.ts";
import { protobufFields } from "../../../../src/ca/offline/database/badger/protobuf_fields.ts";
import { assert, assertEquals } from "../../../support/assert.ts";

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function assertDamage(call: () => unknown, pattern: RegExp): void {
  try {
    call();
  } catch (error) {
    assert(
      error instanceof CorruptDatabaseError && pattern.test(error.message),
    );
    return;
  }
  throw new Error("no damage was found");
}

for (
  const [data, sum] of [
    // RFC 3720, appendix B.4.
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [Uint8Array.from({ length: 32 }, (_, index) => index), 0x46dd794e],
    [Uint8Array.from({ length: 32 }, (_, index) => 31 - index), 0x113fdb5c],
    [bytes("123456789"), 0xe3069283],
    [new Uint8Array(0), 0],
  ] as const
) {
  Deno.test(`crc32c() is ${sum.toString(16)} for ${data.toHex()}`, () => {
    assertEquals(crc32c(data), sum);
  });
}

Deno.test("crc32c() of two parts is the one of the whole", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (one, other) => {
      const whole = new Uint8Array([...one, ...other]);
      assertEquals(crc32c(other, crc32c(one)), crc32c(whole));
    }),
  );
});

Deno.test("ByteCursor.uvarint() reads what encoding/binary writes", () => {
  fc.assert(
    fc.property(fc.maxSafeNat(), (value) => {
      const encoded = [];
      let rest = BigInt(value);
      for (; rest >= 128n; rest >>= 7n) encoded.push(Number(rest & 127n) | 128);
      encoded.push(Number(rest));
      const at = new ByteCursor(new Uint8Array(encoded), "f");
      assertEquals([at.uvarint(), at.left], [value, 0]);
    }),
  );
});

Deno.test("ByteCursor never reads past its end", () => {
  for (
    const read of [
      (at: ByteCursor) => at.u8(),
      (at: ByteCursor) => at.u16le(),
      (at: ByteCursor) => at.u32be(),
      (at: ByteCursor) => at.u64le(),
      (at: ByteCursor) => at.uvarint(),
      (at: ByteCursor) => at.take(1),
      (at: ByteCursor) => at.take(-1),
    ]
  ) {
    assertDamage(() => read(new ByteCursor(new Uint8Array(0), "f")), /outside/);
  }
});

for (
  const [what, encoded] of [
    ["2^53", "8080808080808010"],
    ["more than ten bytes", "ffffffffffffffffffffff01"],
    ["2^64-1", "ffffffffffffffffff01"],
  ] as const
) {
  Deno.test(`ByteCursor.uvarint() refuses ${what}`, () => {
    const at = new ByteCursor(Uint8Array.fromHex(encoded), "f");
    assertDamage(() => at.uvarint(), /too large/);
  });
}

Deno.test("protobufFields() gives numbers and bytes in their order", () => {
  const message = new ByteCursor(Uint8Array.fromHex("08961a1203616263"), "f");
  assertEquals(
    [...protobufFields(message)].map(({ number, bytes, value }) => [
      number,
      bytes?.toHex(),
      value,
    ]),
    [[1, undefined, 3350], [2, "616263", 0]],
  );
});

Deno.test("protobufFields() refuses other types and a torn end", () => {
  for (const hex of ["0d00000000", "12056162", "08", "0b"]) {
    const message = new ByteCursor(Uint8Array.fromHex(hex), "f");
    assertDamage(() => [...protobufFields(message)], /./);
  }
});

Deno.test("rowKey() puts a length in front of table and key", () => {
  assertEquals(
    rowKey("revoked_x509_certs", bytes("12")).toHex(),
    "1200" + bytes("revoked_x509_certs").toHex() + "0200" + "3132",
  );
});

Deno.test("compareInternalKeys() compares versions only of the same key", () => {
  const key = (user: string, version: string) =>
    Uint8Array.fromHex(bytes(user).toHex() + version);
  const newer = "fffffffffffffff0";
  const older = "fffffffffffffff9";
  assert(compareInternalKeys(key("a", newer), key("a", older)) < 0);
  assert(compareInternalKeys(key("a", older), key("ab", newer)) < 0);
  assert(compareInternalKeys(key("b", newer), key("ab", older)) > 0);
  assertEquals(compareInternalKeys(key("a", newer), key("a", newer)), 0);
});

Deno.test("compareBytes() orders as the hexadecimal text does", () => {
  fc.assert(
    fc.property(fc.uint8Array(), fc.uint8Array(), (one, other) => {
      const [a, b] = [one.toHex(), other.toHex()];
      const expected = a === b ? 0 : a < b ? -1 : 1;
      assertEquals(Math.sign(compareBytes(one, other)), expected);
    }),
  );
});

const DATA = bytes('{"provisioner":{"id":"a:b","name":"a","type":"JWK"}}');

Deno.test("readRecord() takes any row for a revocation", () => {
  for (const revocation of ["{}", "", "no JSON"]) {
    assertEquals(
      readRecord({ revocation: bytes(revocation), data: DATA }, "f").isRevoked,
      true,
    );
  }
});

for (
  const [data, provisionerId] of [
    [DATA, "a:b"],
    [undefined, undefined],
    [bytes("{}"), undefined],
    [bytes('{"provisioner":null,"ra":{}}'), undefined],
    [bytes('{"provisioner":{"id":""}}'), undefined],
  ] as const
) {
  const text = data && new TextDecoder().decode(data);
  Deno.test(`readRecord() takes the provisioner from ${text}`, () => {
    assertEquals(
      readRecord({ revocation: undefined, data }, "f"),
      { isRevoked: false, provisionerId },
    );
  });
}

for (const text of ["", "no JSON", "[]", '{"provisioner":1}']) {
  Deno.test(`readRecord() refuses the record ${JSON.stringify(text)}`, () => {
    const rows = { revocation: undefined, data: bytes(text) };
    assertDamage(() => readRecord(rows, "f"), /damaged row/);
  });
}

for (
  const [value, expected] of [
    ['{"Serial":"12"}', true],
    ['{"Serial":"13"}', false],
    ["{}", false],
    ['{"Serial":12}', false],
    ["12", false],
    ["", false],
  ] as const
) {
  Deno.test(`isWholeRevocation() is ${expected} for 12 with ${value || "nothing"}`, () => {
    assertEquals(isWholeRevocation(bytes("12"), bytes(value)), expected);
  });
}
