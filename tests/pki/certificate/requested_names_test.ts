import fc from "fast-check";
import { MalformedError } from "../../../src/pki/asn1/malformed.ts";
import { requestedNames } from "../../../src/pki/certificate/requested_names.ts";
import { assertEquals, assertThrows } from "../../support/assert.ts";

const NAMES: readonly (readonly [text: string, name: string])[] = [
  ["host", "DNS:host"],
  ["*.example.com", "DNS:*.example.com"],
  ["10.0.0.1", "IP:10.0.0.1"],
  ["010.0.0.1", "DNS:010.0.0.1"],
  ["2001:db8::1", "IP:2001:db8::1"],
  ["::ffff:10.0.0.1", "IP:10.0.0.1"],
  ["2001:db8::x", "DNS:2001:db8::x"],
  ["a@example.com", "email:a@example.com"],
  ["spiffe://example.com/x", "URI:spiffe://example.com/x"],
  ["urn:uuid:1", "URI:urn:uuid:1"],
  ["mailto:a@example.com", "URI:mailto:a@example.com"],
  ["host.example:443", "URI:host.example:443"],
];

for (const [text, name] of NAMES) {
  Deno.test(`requestedNames() takes ${text} as ${name}`, () => {
    assertEquals(requestedNames("x", [text]).names, [name]);
  });
}

Deno.test("requestedNames() drops what is empty or was there", () => {
  const { names } = requestedNames("x", ["b", "", "a", "b"]);
  assertEquals(names, ["DNS:b", "DNS:a"]);
});

Deno.test("requestedNames() has no extension without names", () => {
  assertEquals(requestedNames("x", []).extensionDer, undefined);
  assertEquals(requestedNames("x", [""]).extensionDer, undefined);
});

Deno.test("requestedNames() writes the common name as Go does", () => {
  const tagOf = (name: string) => requestedNames(name, []).subjectDer[11];
  for (const printable of ["internal.example.com", "a b'()+,-./:=?"]) {
    assertEquals(tagOf(printable), 0x13, printable);
  }
  for (const other of ["*.example.com", "a@b", "h\u00f6st", "a_b"]) {
    assertEquals(tagOf(other), 0x0c, other);
  }
});

Deno.test("requestedNames() refuses what is not ASCII", () => {
  for (const text of ["h\u00f6st", "\u00e9@b", "https://\u00e9", "\u0080"]) {
    assertThrows(
      () => requestedNames("x", [text]),
      MalformedError,
      /cannot be encoded as an IA5String/,
    );
  }
});

Deno.test("requestedNames() reads back every name that it wrote", () => {
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "binary-ascii", minLength: 1 })),
      (texts) => {
        const { names } = requestedNames("x", texts);
        assertEquals(names.length, new Set(texts).size);
        for (const [at, text] of [...new Set(texts)].entries()) {
          if (names[at]?.startsWith("IP:")) continue;
          assertEquals(names[at]?.replace(/^[^:]*:/, ""), text);
        }
      },
    ),
  );
});
