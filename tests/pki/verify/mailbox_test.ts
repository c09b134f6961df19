import fc from "fast-check";
import { readMailbox, reverseLabels } from "../../../src/pki/verify/mailbox.ts";
import { assertEquals } from "../../support/assert.ts";

Deno.test("reverseLabels() splits a domain at its dots", () => {
  assertEquals(reverseLabels("a.b.c"), ["c", "b", "a"]);
  assertEquals(reverseLabels("a"), ["a"]);
  assertEquals(reverseLabels(""), []);
  assertEquals(reverseLabels(".a.b"), ["b", "a"]);
});

Deno.test("reverseLabels() refuses empty labels and other characters", () => {
  for (const domain of [".", "a.", "a..b", "..a", "a b", "a\x7f", "ä", "a\n"]) {
    assertEquals(reverseLabels(domain), undefined, domain);
  }
});

// From Go's crypto/x509/verify_test.go, rfc2822Tests: the grammar of RFC 2821.
Deno.test("readMailbox() unescapes what RFC 2821 allows", () => {
  const mailboxes: readonly (readonly [string, string, string])[] = [
    ["foo@example.com", "foo", "example.com"],
    ["foo.bar@example.com", "foo.bar", "example.com"],
    ['"foo bar"@example.com', "foo bar", "example.com"],
    ['"\\""@example.com', '"', "example.com"],
    ["\\@@example.com", "@", "example.com"],
    ["!#$%&'*+-/=?^_`{|}~@x", "!#$%&'*+-/=?^_`{|}~", "x"],
    ['""@example.com', "", "example.com"],
    ["foo@", "foo", ""],
    // What follows the first "@" is only held against the form of a domain.
    ["foo@bar@example.com", "foo", "bar@example.com"],
  ];
  for (const [text, local, domain] of mailboxes) {
    assertEquals(readMailbox(text), { local, domain }, text);
  }
});

Deno.test("readMailbox() refuses what RFC 2821 does not allow", () => {
  const texts = [
    "",
    "foo",
    "@example.com",
    ".foo@example.com",
    "foo.@example.com",
    "a..b@example.com",
    "a b@example.com",
    '"foo@example.com',
    '"a"b@example.com',
    '"\\',
    "foo\\",
    "foo@example.com.",
    "foo@a..b",
    "(comment)foo@example.com",
  ];
  for (const text of texts) assertEquals(readMailbox(text), undefined, text);
});

Deno.test("readMailbox() gives back a local part that was quoted", () => {
  const characters = fc.integer({ min: 14, max: 126 })
    .map((code) => String.fromCharCode(code));
  fc.assert(
    fc.property(fc.array(characters), (parts) => {
      const local = parts.join("");
      const quoted = local.replace(/["\\]/g, "\\$&");
      assertEquals(readMailbox(`"${quoted}"@x.y`), { local, domain: "x.y" });
    }),
  );
});
