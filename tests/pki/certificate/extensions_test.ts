import { MalformedError } from "../../../src/pki/asn1/malformed.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  subjectKeyIdentifier,
} from "../../../src/pki/certificate/extensions.ts";
import type { Certificate } from "../../../src/pki/certificate/certificate.ts";
import { assertEquals, assertThrows } from "../../support/assert.ts";
import { OpensslCertificates } from "../../support/openssl_certificates.ts";

const ca = new OpensslCertificates();

async function withExtensions(
  ...extensions: readonly string[]
): Promise<Certificate> {
  const { certificate } = await ca.issue({
    subject: "/CN=x",
    extensions: [
      "subjectKeyIdentifier = none",
      "authorityKeyIdentifier = none",
      ...extensions,
    ],
  });
  return certificate;
}

Deno.test("extension readers say undefined when the extension is absent", async () => {
  const certificate = await withExtensions("1.2.3.4 = DER:0500");
  const readers = [
    authorityKeyIdentifier,
    basicConstraints,
    extendedKeyUsage,
    keyUsage,
    subjectKeyIdentifier,
  ];
  for (const read of readers) {
    assertEquals(read(certificate), undefined, read.name);
  }
});

Deno.test("basicConstraints() reads cA and pathLen", async () => {
  const cases = [
    ["CA:TRUE", { isCa: true, pathLength: undefined }],
    ["CA:FALSE", { isCa: false, pathLength: undefined }],
    ["CA:TRUE,pathlen:0", { isCa: true, pathLength: 0 }],
    ["CA:TRUE,pathlen:300", { isCa: true, pathLength: 300 }],
  ] as const;
  for (const [text, expected] of cases) {
    const certificate = await withExtensions(`basicConstraints = ${text}`);
    assertEquals(basicConstraints(certificate), expected);
  }
});

Deno.test("keyUsage() reads every bit", async () => {
  const usages = [
    "digitalSignature",
    "contentCommitment",
    "keyEncipherment",
    "dataEncipherment",
    "keyAgreement",
    "keyCertSign",
    "cRLSign",
    "encipherOnly",
    "decipherOnly",
  ];
  const openssl = usages.join(",").replace(
    "contentCommitment",
    "nonRepudiation",
  );
  const all = await withExtensions(`keyUsage = ${openssl}`);
  assertEquals(keyUsage(all), usages);
  const two = await withExtensions("keyUsage = keyCertSign,decipherOnly");
  assertEquals(keyUsage(two), ["keyCertSign", "decipherOnly"]);
});

Deno.test("extendedKeyUsage() reads OIDs in order", async () => {
  const certificate = await withExtensions(
    "extendedKeyUsage = clientAuth,1.2.3,serverAuth",
  );
  assertEquals(
    extendedKeyUsage(certificate),
    ["1.3.6.1.5.5.7.3.2", "1.2.3", "1.3.6.1.5.5.7.3.1"],
  );
});

Deno.test("key identifiers are read as bytes", async () => {
  const { certificate } = await ca.issue({
    subject: "/CN=x",
    extensions: [
      "subjectKeyIdentifier = 0102",
      "authorityKeyIdentifier = none",
      "2.5.29.35 = DER:300480020102",
    ],
  });
  assertEquals(subjectKeyIdentifier(certificate), Uint8Array.of(1, 2));
  assertEquals(authorityKeyIdentifier(certificate), Uint8Array.of(1, 2));
});

Deno.test("authorityKeyIdentifier() is undefined when it names the issuer only", async () => {
  const certificate = await withExtensions("2.5.29.35 = DER:3000");
  assertEquals(authorityKeyIdentifier(certificate), undefined);
});

Deno.test("extension readers refuse malformed values", async () => {
  const cases = [
    ["2.5.29.19", "0101ff", basicConstraints],
    ["2.5.29.19", "3003010101", basicConstraints],
    ["2.5.29.19", "30030201ff", basicConstraints],
    ["2.5.29.19", "30050101ff0500", basicConstraints],
    ["2.5.29.15", "0300", keyUsage],
    ["2.5.29.15", "030208ff", keyUsage],
    ["2.5.29.15", "0401ff", keyUsage],
    ["2.5.29.37", "3002 0500", extendedKeyUsage],
    ["2.5.29.37", "06012a", extendedKeyUsage],
    ["2.5.29.14", "30020400", subjectKeyIdentifier],
    ["2.5.29.35", "0400", authorityKeyIdentifier],
    ["2.5.29.35", "3001", authorityKeyIdentifier],
  ] as const;
  for (const [oid, hex, read] of cases) {
    const certificate = {
      ...await withExtensions("1.2.3.4 = DER:0500"),
      extensions: [{
        oid,
        critical: false,
        value: Uint8Array.fromHex(hex.replaceAll(" ", "")),
      }],
    };
    assertThrows(
      () => read(certificate),
      MalformedError,
      /^malformed certificate$/,
    );
  }
});
