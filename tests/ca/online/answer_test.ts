import fc from "fast-check";
import { parseAnswer } from "../../../src/ca/online/answer.ts";
import { RekeyError } from "../../../src/base/errors.ts";
import { assert, assertEquals, assertThrows } from "../../support/assert.ts";
import { OpensslCa } from "../../support/openssl_ca.ts";
import { tempDir } from "../../support/temp_dir.ts";

await using dir = await tempDir();
const { certificate: one } = await OpensslCa.root(dir.file("one"), "One");
const { certificate: two } = await OpensslCa.root(dir.file("two"), "Two");

function subjects(answer: unknown): readonly string[] {
  return parseAnswer(JSON.stringify(answer)).map(({ subject }) => subject);
}

Deno.test("parseAnswer() prefers certChain to crt and ca", () => {
  const answer = { crt: one, ca: one, certChain: [two, one] };
  assertEquals(subjects(answer), ["CN=Two", "CN=One"]);
});

Deno.test("parseAnswer() takes crt and ca when certChain is absent in any way", () => {
  for (const certChain of [undefined, null, [], ""]) {
    assertEquals(subjects({ crt: one, ca: two, certChain }), [
      "CN=One",
      "CN=Two",
    ]);
  }
});

Deno.test("parseAnswer() takes crt alone when ca is absent in any way", () => {
  for (const ca of [undefined, null, "", "null"]) {
    assertEquals(subjects({ crt: one, ca }), ["CN=One"]);
  }
});

Deno.test("parseAnswer() matches member names in any case, the last one wins", () => {
  assertEquals(subjects({ CRT: one, Ca: two }), ["CN=One", "CN=Two"]);
  assertEquals(subjects({ CERTCHAIN: [two], certchain: [one] }), ["CN=One"]);
});

Deno.test("parseAnswer() takes the first block of a string and ignores what follows", () => {
  const crt = `Bag Attributes\n${one}${two}-----BEGIN GARBAGE`;
  assertEquals(subjects({ crt }), ["CN=One"]);
});

Deno.test("parseAnswer() ignores members that it does not know", () => {
  assertEquals(subjects({ crt: one, tlsOptions: { minVersion: 9 }, x: [] }), [
    "CN=One",
  ]);
});

Deno.test("parseAnswer() refuses one bad certificate among good ones", () => {
  for (const bad of ["", "null", null, 7, {}, one.slice(0, 200), "PEM"]) {
    assertThrows(() => subjects({ certChain: [one, bad] }), "untrusted");
  }
});

Deno.test("parseAnswer() takes 32 certificates and no more", () => {
  const chain = (length: number) => Array.from({ length }, () => one);
  assertEquals(subjects({ certChain: chain(32) }).length, 32);
  assertThrows(
    () => subjects({ certChain: chain(33) }),
    "untrusted",
    /33 certificates/,
  );
});

Deno.test("parseAnswer() returns a chain or throws kind untrusted, whatever it reads", () => {
  const member = fc.oneof(
    fc.constantFrom(one, two, null, "", [one], [null]),
    fc.jsonValue(),
  );
  const answer = fc.oneof(
    fc.record({ crt: member, ca: member, certChain: member })
      .map((value) => JSON.stringify(value)),
    fc.json(),
    fc.string(),
  );
  fc.assert(fc.property(answer, (body) => {
    try {
      assert(parseAnswer(body).length > 0);
    } catch (error) {
      assert(error instanceof RekeyError, String(error));
      assertEquals(error.kind, "untrusted");
    }
  }));
});

Deno.test("parseAnswer() is quick with a megabyte of BEGIN lines", () => {
  const crt = "-----BEGIN CERTIFICATE-----\n".repeat(40_000);
  const start = performance.now();
  assertThrows(() => subjects({ crt }), "untrusted");
  assert(performance.now() - start < 10_000);
});
