import fc from "fast-check";
import { asn1Schema } from "../../../src/pki/asn1/x509.ts";
import { readDer } from "../../../src/pki/asn1/der.ts";
import {
  readAlgorithm,
  readInteger,
  readObjectIdentifier,
  readOctetBits,
  readSmallInteger,
} from "../../../src/pki/asn1/der_values.ts";
import {
  DER_NULL,
  writeAlgorithm,
  writeDer,
  writeInteger,
  writeObjectIdentifier,
  writeOctetBits,
  writeOctetString,
  writeSequence,
  writeSmallInteger,
} from "../../../src/pki/asn1/der_writer.ts";
import { assertEquals } from "../../support/assert.ts";

/** Around every place where one octet more is needed for the length. */
const LENGTHS = [0, 1, 127, 128, 255, 256, 65_535, 65_536, 1_000_000];

Deno.test("writeDer() writes contents of any length as DER", () => {
  for (const length of LENGTHS) {
    const content = new Uint8Array(length).fill(7);
    const element = readDer(writeOctetString(content));
    assertEquals(element.content.length, length);
    assertEquals(element.content.toHex(), content.toHex());
  }
});

Deno.test("writeDer() puts its parts one behind the other", () => {
  const der = writeDer(0xa0, writeSequence(), writeSequence(DER_NULL));
  assertEquals(der.toHex(), "a006300030020500");
});

Deno.test("writeInteger() is as short as possible and never negative", () => {
  const cases = {
    "": "020100",
    "00": "020100",
    "0000": "020100",
    "01": "020101",
    "7f": "02017f",
    "80": "02020080",
    "0080": "02020080",
    "00007f": "02017f",
    "ff00": "020300ff00",
  };
  for (const [magnitude, der] of Object.entries(cases)) {
    assertEquals(writeInteger(Uint8Array.fromHex(magnitude)).toHex(), der);
  }
});

Deno.test("writeInteger() is what the reader and the library read", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 70 }), (magnitude) => {
    const der = writeInteger(magnitude);
    const wanted = BigInt(`0x0${magnitude.toHex()}`);
    assertEquals(BigInt(`0x${readInteger(readDer(der)).toHex()}`), wanted);
    const library = asn1Schema.AsnConvert.parse(
      writeSequence(der),
      LibraryInteger,
    );
    assertEquals(library.value, wanted);
  }));
});

class LibraryInteger {
  value = 0n;
}
asn1Schema.AsnProp({
  type: asn1Schema.AsnPropTypes.Integer,
  converter: asn1Schema.AsnIntegerBigIntConverter,
})(LibraryInteger.prototype, "value");

Deno.test("writeSmallInteger() goes up to 2^31 - 1", () => {
  for (const value of [0, 1, 127, 128, 600_000, 2 ** 31 - 1]) {
    assertEquals(readSmallInteger(readDer(writeSmallInteger(value))), value);
  }
});

Deno.test("writeObjectIdentifier() writes arcs of any size", () => {
  const oids = ["0.0", "0.39", "1.0", "2.0", "2.999.3", "2.5.29.17"];
  oids.push("1.2.840.113549", "2.25.329800735698586629295641978511506172918");
  for (const oid of oids) {
    assertEquals(
      readObjectIdentifier(readDer(writeObjectIdentifier(oid))),
      oid,
    );
  }
});

Deno.test("writeOctetBits() and writeAlgorithm() are read back", () => {
  const bits = Uint8Array.of(1, 2, 3);
  assertEquals(readOctetBits(readDer(writeOctetBits(bits))), bits);
  assertEquals(readAlgorithm(readDer(writeAlgorithm("1.3.101.112"))), {
    oid: "1.3.101.112",
    parameters: undefined,
  });
  assertEquals(
    readAlgorithm(readDer(writeAlgorithm("1.2.3", DER_NULL))).parameters,
    DER_NULL,
  );
});
