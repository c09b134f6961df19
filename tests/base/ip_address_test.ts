import fc from "fast-check";
import {
  addressToText,
  isInBlock,
  parseAddress,
  plainAddress,
} from "../../src/base/ip_address.ts";
import { assert, assertEquals } from "../support/assert.ts";

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

Deno.test("parseAddress() reads what addressToText() writes", () => {
  const address = fc.constantFrom(4, 16).chain((length) =>
    fc.uint8Array({ minLength: length, maxLength: length })
  );
  fc.assert(fc.property(address, (octets) => {
    assertEquals(parseAddress(addressToText(octets)), octets);
  }));
});

Deno.test("parseAddress() knows every spelling of IPv6", () => {
  for (const text of ["2001:DB8:0:0::1", "2001:db8::0.0.0.1"]) {
    const address = parseAddress(text);
    assertEquals(address && addressToText(address), "2001:db8::1");
  }
});

Deno.test("parseAddress() reads nothing else", () => {
  const others = ["", "a", "1.2.3", "1.2.3.4.5", "1.2.3.256", "01.2.3.4", ":"];
  for (
    const text of [...others, "1.2.3.4:5", "fe80::1%eth0", "[::1]", "1::2::3"]
  ) {
    assertEquals(parseAddress(text), undefined, text);
  }
});

Deno.test("plainAddress() takes IPv4 out of IPv6", () => {
  for (
    const [text, plain] of [["::ffff:10.0.0.1", "10.0.0.1"], ["::1", "::1"]]
  ) {
    const address = parseAddress(text ?? "") ?? new Uint8Array();
    assertEquals(addressToText(plainAddress(address)), plain);
  }
});

Deno.test("isInBlock() compares the bits of the mask only", () => {
  const block = {
    address: Uint8Array.of(10, 0, 0, 0),
    mask: Uint8Array.of(255, 254, 0, 0),
  };
  assert(isInBlock(Uint8Array.of(10, 1, 2, 3), block));
  assert(!isInBlock(Uint8Array.of(10, 2, 2, 3), block));
  assert(!isInBlock(new Uint8Array(16), block));
});
