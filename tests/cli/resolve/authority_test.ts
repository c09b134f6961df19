/** --ca-url, row by row. */
import fc from "fast-check";
import { parseCaUrl } from "../../../src/cli/resolve/authority.ts";
import { RekeyError } from "../../../src/base/errors.ts";
import { assert, assertEquals, assertThrows } from "../../support/assert.ts";

const GOOD: readonly (readonly [string, string])[] = [
  ["ca", "https://ca"],
  ["ca:9000", "https://ca:9000"],
  ["https://ca", "https://ca"],
  ["HTTPS://ca:9000", "https://ca:9000"],
  ["https://CA.Example.com", "https://CA.Example.com"],
  ["https://ca/", "https://ca"],
  ["https://ca:9000/1.0?x=1#y", "https://ca:9000"],
  ["https://ca:9000?x=1", "https://ca:9000"],
  ["https://ca#y", "https://ca"],
  ["https://user:secret@ca:9000/", "https://ca:9000"],
  ["https://a@b@ca", "https://ca"],
  ["https://ca:", "https://ca"],
  ["https://10.0.0.1:9000", "https://10.0.0.1:9000"],
  ["https://my_ca", "https://my_ca"],
  ["https://[fd00::1:2]", "https://[fd00::1:2]"],
  ["https://[fd00::1:2]:9000", "https://[fd00::1:2]:9000"],
  ["[::1]", "https://[::1]"],
  ["[::1]:8443", "https://[::1]:8443"],
  ["::1", "https://[::1]"],
  ["https://::1", "https://[::1]"],
  ["2001:db8::1", "https://[2001:db8::1]"],
  ["2001:db8::1:8443", "https://[2001:db8::1]:8443"],
  ["https://2001:db8::1:8443/path", "https://[2001:db8::1]:8443"],
  ["2001:db8:0:0:0:0:0:1", "https://[2001:db8:0:0:0:0:0:1]"],
  ["2001:db8:0:0:0:0:0:1:9000", "https://[2001:db8:0:0:0:0:0:1]:9000"],
  ["::ffff:10.0.0.1", "https://[::ffff:10.0.0.1]"],
];

for (const [value, url] of GOOD) {
  Deno.test(`parseCaUrl() makes ${value} into ${url}`, () => {
    assertEquals(parseCaUrl(value), { url, hasHost: true });
  });
}

for (
  const [value, url] of [
    ["https://", "https://"],
    ["https:///path", "https://"],
    ["https://:9000", "https://:9000"],
    ["https://user@", "https://"],
  ] as const
) {
  Deno.test(`parseCaUrl() says that ${value} has no host`, () => {
    assertEquals(parseCaUrl(value), { url, hasHost: false });
  });
}

const BAD: readonly (readonly [value: string, shown: string, what: string])[] =
  [
    ["http://ca", "http://ca", "must have https scheme"],
    ["ftp://ca:9000", "ftp://ca:9000", "must have https scheme"],
    ["HTTP://ca", "HTTP://ca", "must have https scheme"],
    ["ca:port", "https://ca:port", "invalid URL"],
    ["https://ca:9000:1", "https://ca:9000:1", "invalid URL"],
    ["10.0.0.1:9000:1", "https://10.0.0.1:9000:1", "invalid URL"],
    ["[::1]:9000:1", "https://[::1]:9000:1", "invalid URL"],
    ["https://ca:99999", "https://ca:99999", "invalid URL"],
    ["https://ca:0", "https://ca:0", "invalid URL"],
    ["https://ca:-1", "https://ca:-1", "invalid URL"],
    ["https://c a", "https://c a", "invalid URL"],
    [" https://ca", " https://ca", "invalid URL"],
    ["https://ca ", "https://ca ", "invalid URL"],
    ["https://ca\n", "https://ca\n", "invalid URL"],
    ["https://ca/a\x07b", "https://ca/a\x07b", "invalid URL"],
    ["https://[::1", "https://[::1", "invalid URL"],
    ["https://[ca]", "https://[ca]", "invalid URL"],
    ["https://::1]", "https://::1]", "invalid URL"],
    ["https://[]", "https://[]", "invalid URL"],
    ["https://ca\\evil", "https://ca\\evil", "invalid URL"],
    ["https://%63a", "https://%63a", "invalid URL"],
    ["https://ca/%zz", "https://ca/%zz", "invalid URL"],
    ["1://ca", "1://ca", "invalid URL"],
    ["://ca", "://ca", "invalid URL"],
    ["https://user:secret@ca:x", "https://***@ca:x", "invalid URL"],
    ["user:secret@ca:x", "https://***@ca:x", "invalid URL"],
    ["http://user:secret@ca", "http://***@ca", "must have https scheme"],
  ];

for (const [value, shown, what] of BAD) {
  Deno.test(`parseCaUrl() refuses ${JSON.stringify(value)}: ${what}`, () => {
    const error = assertThrows(() => parseCaUrl(value), "config");
    assertEquals(
      error.message,
      `invalid value '${shown}' for flag '--ca-url'; ${what}`,
    );
  });
}

Deno.test("parseCaUrl() gives what the platform reads as the same https origin, or refuses", () => {
  const text = fc.string({
    unit: fc.constantFrom(..."ca.0:9/[]@%?# \\-".split(""), "https://", "::1"),
    maxLength: 12,
  });
  fc.assert(
    fc.property(text.filter((value) => value !== ""), (value) => {
      let found;
      try {
        found = parseCaUrl(value);
      } catch (error) {
        if (error instanceof RekeyError) return;
        throw error;
      }
      if (!found.hasHost) return;
      const { protocol, pathname, search, hash, username } = new URL(found.url);
      assertEquals(
        [protocol, pathname, search, hash, username],
        ["https:", "/", "", "", ""],
      );
      assert(found.url.startsWith("https://"));
    }),
    { numRuns: 3000 },
  );
});
