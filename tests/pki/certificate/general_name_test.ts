import fc from "fast-check";
import { readDer } from "../../../src/pki/asn1/der.ts";
import {
  addressToText,
  generalNameToText,
  readGeneralName,
} from "../../../src/pki/certificate/general_name.ts";
import { assert, assertEquals } from "../../support/assert.ts";

Deno.test("addressToText() writes IPv6 as the URL standard does", () => {
  const octets = fc.array(fc.constantFrom(0, 0, 0, 1, 0xff, 0xab), {
    minLength: 16,
    maxLength: 16,
  });
  fc.assert(
    fc.property(octets, (list) => {
      const bytes = Uint8Array.from(list);
      const groups = bytes.toHex().match(/.{4}/g) ?? [];
      const { hostname } = new URL(`http://[${groups.join(":")}]`);
      assertEquals(`[${addressToText(bytes)}]`, hostname);
    }),
    { numRuns: 500 },
  );
});

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
