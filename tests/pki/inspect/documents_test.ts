import { toPem } from "../../../src/pki/asn1/pem.ts";
import {
  documentPem,
  readBundle,
  readFirstDocument,
} from "../../../src/pki/inspect/documents.ts";
import { MalformedError } from "../../../src/pki/asn1/malformed.ts";
import { createCsr } from "../../../src/pki/keys/csr.ts";
import { generatePrivateKey } from "../../../src/pki/keys/private_key.ts";
import { assertEquals, assertThrows } from "../../support/assert.ts";
import { readVectors } from "../../support/go_vectors.ts";

const key = await generatePrivateKey({ kty: "EC", curve: "P-256" });
const REQUEST = (await createCsr(key)).pem;
const CERTIFICATES = Object.values(readVectors().certificates)
  .map((hex) => Uint8Array.fromHex(hex));
const [CERTIFICATE = new Uint8Array()] = CERTIFICATES;
const PEM = toPem("CERTIFICATE", CERTIFICATE);
const KEY = toPem("PRIVATE KEY", Uint8Array.of(0x30, 0));

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

Deno.test("readFirstDocument() reads DER and PEM, and says which it was", () => {
  const fromDer = readFirstDocument(CERTIFICATE);
  assertEquals(fromDer.wasPem, false);
  const fromPem = readFirstDocument(bytes(`text\n${KEY}${PEM}${REQUEST}`));
  assertEquals(fromPem.wasPem, true);
  assertEquals(documentPem(fromPem.document), PEM);
  assertEquals(documentPem(fromDer.document), PEM);
});

Deno.test("readFirstDocument() reads requests, under Microsoft's name as well", () => {
  const { document } = readFirstDocument(bytes(REQUEST));
  assertEquals(document.kind, "request");
  assertEquals(documentPem(document), REQUEST);
  const der = readFirstDocument(document.value.der);
  assertEquals(der.document, document);
  const renamed = REQUEST.replaceAll("CERTIFICATE", "NEW CERTIFICATE");
  assertEquals(readFirstDocument(bytes(renamed)).document, document);
});

Deno.test("readBundle() reads all certificates, in their order", () => {
  const documents = readBundle(bytes(PEM + PEM));
  assertEquals(documents.map(documentPem), [PEM, PEM]);
  assertEquals(readBundle(CERTIFICATE).length, 1);
});

for (
  const [what, content, pattern] of [
    ["nothing", "", /^it is neither PEM nor/],
    ["text", "hello", /^it is neither PEM nor/],
    ["a key alone", KEY, /but got "PRIVATE KEY"$/],
    ["a damaged block", PEM.replace("MII", "M%I"), /^damaged PEM block/],
    [
      "a block that is no certificate",
      toPem("CERTIFICATE", Uint8Array.of(0x30, 0)),
      /^malformed certificate$/,
    ],
    [
      "a block that is no request",
      toPem("CERTIFICATE REQUEST", CERTIFICATE),
      /^malformed certificate request/,
    ],
  ] as const
) {
  Deno.test(`readFirstDocument() refuses ${what}`, () => {
    assertThrows(
      () => readFirstDocument(bytes(content)),
      MalformedError,
      pattern,
    );
  });
}

for (
  const [what, content, pattern] of [
    ["a key in front", KEY + PEM, /unexpected PEM block of type PRIVATE KEY;/],
    ["a request behind", PEM + REQUEST, /of type CERTIFICATE REQUEST;/],
  ] as const
) {
  Deno.test(`readBundle() refuses ${what}`, () => {
    assertThrows(() => readBundle(bytes(content)), MalformedError, pattern);
  });
}
