import fc from "fast-check";
import { readDer } from "../../../src/pki/asn1/der.ts";
import {
  generalNameToText,
  readGeneralName,
} from "../../../src/pki/certificate/general_name.ts";
import { assert, assertEquals } from "../../support/assert.ts";

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
