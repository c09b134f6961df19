import fc from "fast-check";
import { equalBytes } from "../../../src/base/bytes.ts";
import { DerFields, readDer } from "../../../src/pki/asn1/der.ts";
import {
  readBoolean,
  readInteger,
  readObjectIdentifier,
  readOctetBits,
  readSmallInteger,
} from "../../../src/pki/asn1/der_values.ts";
import { writeDer, writeSequence } from "../../../src/pki/asn1/der_writer.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { runOk } from "../../support/run.ts";

function bytes(hex: string): Uint8Array {
  return Uint8Array.fromHex(hex.replaceAll(" ", ""));
}

function refuses(action: () => unknown, input: string): void {
  try {
    action();
  } catch (error) {
    assert(error instanceof SyntaxError, `${input}: ${error}`);
    assertEquals(error.message, "", input);
    return;
  }
  throw new Error(`accepted ${input}`);
}

Deno.test("readDer() gives each element its bytes, content and members", () => {
  const element = readDer(bytes("30 08 02 01 05 a0 03 04 01 ff"));
  assertEquals(element.tag, 0x30);
  const [number, tagged] = element.children;
  assertEquals(number?.content, bytes("05"));
  assertEquals(tagged?.tag, 0xa0);
  assertEquals(tagged?.der, bytes("a0 03 04 01 ff"));
  assertEquals(tagged?.children[0]?.content, bytes("ff"));
});

Deno.test("readDer() does not look into octet strings", () => {
  assertEquals(readDer(bytes("04 02 30 00")).children, []);
});

Deno.test("readDer() reads long contents", () => {
  for (const length of [127, 128, 255, 256, 65535, 65536]) {
    const content = new Uint8Array(length).fill(7);
    const size = length.toString(16).padStart(length > 65535 ? 6 : 4, "0");
    const header = length < 128
      ? [length]
      : length < 256
      ? [0x81, length]
      : [0x80 | size.length / 2, ...bytes(size)];
    const der = Uint8Array.of(4, ...header, ...content);
    assertEquals(readDer(der).content.length, length);
  }
});

Deno.test("readDer() refuses what is not exactly one DER element", () => {
  const inputs = [
    "",
    "30",
    "30 01",
    "30 00 00",
    "05 00 05 00",
    "30 80 00 00", // indefinite
    "04 81 01 00", // length longer than needed
    "04 82 00 80" + "00".repeat(128),
    "30 03 04 02 00", // member longer than its parent
    "30 05 04 01 00", // parent longer than its members
    "30 02 04 01 00", // parent shorter than its member
    "30 03 05 00 05", // half a member
    "30 06 30 02 04 01 00 00", // the same one level down
    "04 83 00 ff ff" + "00".repeat(65535), // three octets where two do
    "04 85 00 00 00 00 80", // a length of five octets
    "04 84 ff ff ff ff", // gigabytes that are not there
    "00 00", // BER's end of contents
    "10 00", // a sequence that is not constructed
    "11 00",
    "24 03 04 01 00", // an octet string in pieces
    "9f 20 01 00", // a tag of two octets
    "bf 20 02 05 00",
  ];
  for (const input of inputs) refuses(() => readDer(bytes(input)), input);
});

Deno.test("readDer() survives nesting beyond any stack", () => {
  const deep = new Uint8Array(100_000);
  for (let at = 0; at < deep.length; at += 2) deep.set([0x30, 0x80], at);
  refuses(() => readDer(deep), "deep nesting");
  // Definite lengths: each element holds all that follow.
  let nested = bytes("0500");
  for (let level = 0; level < 3000; level++) {
    const length = nested.length;
    const header = length < 128
      ? [length]
      : length < 256
      ? [0x81, length]
      : [0x82, length >> 8, length & 0xff];
    nested = Uint8Array.from([0x30, ...header, ...nested]);
  }
  refuses(() => readDer(nested), "deep nesting");
});

Deno.test("readDer() reads 64 levels and no more", () => {
  const nested = (levels: number): Uint8Array =>
    levels === 0 ? bytes("0500") : writeSequence(nested(levels - 1));
  assertEquals(readDer(nested(64)).children.length, 1);
  refuses(() => readDer(nested(65)), "65 levels");
});

Deno.test("readDer() reads 100,000 elements and no more", () => {
  const list = (members: number) =>
    writeDer(0x30, new Uint8Array(2 * members).map((_, at) => at % 2 ? 0 : 5));
  assertEquals(readDer(list(99_999)).children.length, 99_999);
  refuses(() => readDer(list(100_000)), "100,001 elements");
});

Deno.test("readDer() never accepts bytes that it does not give back", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (input) => {
      try {
        const { der, content, children } = readDer(input);
        assertEquals(der, input);
        const inner = children.flatMap((child) => [...child.der]);
        assert(
          children.length === 0 || equalBytes(Uint8Array.from(inner), content),
        );
      } catch (error) {
        assert(error instanceof SyntaxError);
      }
    }),
    { numRuns: 2000 },
  );
});

Deno.test("DerFields takes members in order and by tag", () => {
  const fields = new DerFields(readDer(bytes("30 05 01 01 ff 05 00")));
  assertEquals(fields.takeOptional(2), undefined);
  assertEquals(fields.takeOptional(1)?.content, bytes("ff"));
  refuses(() => fields.take(2), "another tag");
  refuses(() => fields.end(), "a member is left");
  assertEquals(fields.take(5).tag, 5);
  assert(fields.isAtEnd);
  fields.end();
  refuses(() => fields.take(), "no member is left");
  refuses(() => new DerFields(readDer(bytes("3100"))), "a SET");
});

Deno.test("readObjectIdentifier() prints arcs of any size as openssl does", async () => {
  const oids = ["1.2.840.113549", "0.0", "0.39", "1.0", "2.0", "2.999.3"];
  oids.push("2.25.329800735698586629295641978511506172918", "2.5.29.17");
  for (const oid of oids) {
    const { stdout } = await runOk("sh", [
      "-c",
      'openssl asn1parse -genstr "OID:$1" -noout -out /dev/stdout | openssl base64 -A',
      ...["sh", oid],
    ]);
    const element = readDer(Uint8Array.fromBase64(stdout));
    assertEquals(readObjectIdentifier(element), oid);
  }
});

Deno.test("readObjectIdentifier() refuses arcs that are cut off or padded", () => {
  for (
    const input of ["0600", "06022a80", "06032a8001", "06028055", "040155"]
  ) {
    refuses(() => readObjectIdentifier(readDer(bytes(input))), input);
  }
});

Deno.test("readObjectIdentifier() refuses an arc of a megabyte at once", () => {
  const length = 1_000_000;
  const der = new Uint8Array(5 + length).fill(0xff);
  der.set([0x06, 0x83, length >> 16, (length >> 8) & 0xff, length & 0xff]);
  der[der.length - 1] = 1;
  const element = {
    tag: 6,
    der,
    content: der.subarray(5),
    children: [],
  };
  refuses(() => readObjectIdentifier(element), "a huge arc");
});

Deno.test("readInteger() refuses padded and empty numbers", () => {
  assertEquals(readInteger(readDer(bytes("02 02 00 80"))), bytes("0080"));
  assertEquals(readInteger(readDer(bytes("02 01 80"))), bytes("80"));
  for (const input of ["02 00", "02 02 00 7f", "02 02 ff 80", "04 01 05"]) {
    refuses(() => readInteger(readDer(bytes(input))), input);
  }
});

Deno.test("readSmallInteger() refuses negative and large numbers", () => {
  assertEquals(
    readSmallInteger(readDer(bytes("02 04 7f ff ff ff"))),
    2 ** 31 - 1,
  );
  for (const input of ["02 01 ff", "02 05 00 80 00 00 00"]) {
    refuses(() => readSmallInteger(readDer(bytes(input))), input);
  }
});

Deno.test("readBoolean() knows two values", () => {
  assertEquals(readBoolean(readDer(bytes("01 01 ff"))), true);
  assertEquals(readBoolean(readDer(bytes("01 01 00"))), false);
  for (const input of ["01 01 01", "01 00", "01 02 ff ff", "02 01 00"]) {
    refuses(() => readBoolean(readDer(bytes(input))), input);
  }
});

Deno.test("readOctetBits() refuses unused bits", () => {
  assertEquals(readOctetBits(readDer(bytes("03 02 00 aa"))), bytes("aa"));
  for (const input of ["03 02 01 aa", "03 00", "04 02 00 aa"]) {
    refuses(() => readOctetBits(readDer(bytes(input))), input);
  }
});
