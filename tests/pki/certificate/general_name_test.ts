import fc from "fast-check";
import { readDer } from "../../../src/pki/asn1/der.ts";
import {
  addressToText,
  generalNameToText,
  readGeneralName,
} from "../../../src/pki/certificate/general_name.ts";
import { assert, assertEquals } from "../../support/assert.ts";

for (
  // The examples of RFC 5952 §4 and §5.
  const [hex, text] of [
    ["20010db8000000000000000000000001", "2001:db8::1"],
    ["20010db8000000010001000100010001", "2001:db8:0:1:1:1:1:1"],
    ["20010000000000010000000000000001", "2001:0:0:1::1"],
    ["20010db8000000000001000000000001", "2001:db8::1:0:0:1"],
    ["000000000000000000000000000000aA", "::aa"],
    ["00000000000000000000000000000000", "::"],
    ["fe800000000000000000000000000000", "fe80::"],
  ] as const
) {
  Deno.test(`addressToText() writes ${text}`, () => {
    assertEquals(addressToText(Uint8Array.fromHex(hex)), text);
  });
}

Deno.test("addressToText() keeps IPv4-mapped addresses apart from IPv4", () => {
  const plain = Uint8Array.of(10, 0, 0, 1);
  const mapped = new Uint8Array(16);
  mapped.set([0xff, 0xff, ...plain], 10);
  assertEquals(addressToText(plain), "10.0.0.1");
  assertEquals(addressToText(mapped), "::ffff:10.0.0.1");
});

Deno.test("generalNameToText() gives different names different texts", () => {
  const name = fc.oneof(
    fc.tuple(
      fc.constantFrom(0x81, 0x82, 0x86),
      fc.uint8Array({ max: 127, maxLength: 3 }),
    ),
    fc.tuple(
      fc.constant(0x87),
      fc.uint8Array({ minLength: 4, maxLength: 4 }),
    ),
    fc.tuple(
      fc.constant(0x87),
      fc.uint8Array({ minLength: 16, maxLength: 16, max: 1 }),
    ),
    fc.tuple(
      fc.constant(0x88),
      fc.uint8Array({ minLength: 1, maxLength: 3, max: 127 }),
    ),
  ).map(([tag, content]) => Uint8Array.of(tag, content.length, ...content));
  const toText = (der: Uint8Array) =>
    generalNameToText(readGeneralName(readDer(der)));
  fc.assert(
    fc.property(name, name, (a, b) => {
      assertEquals(toText(a) === toText(b), a.toHex() === b.toHex());
    }),
    { numRuns: 1000 },
  );
  assert(toText(Uint8Array.of(0x82, 1, 97)) === "DNS:a");
});
