import {
  printable,
  printableLines,
  shortened,
} from "../../src/base/printable.ts";
import { assert, assertEquals } from "../support/assert.ts";

Deno.test("printable() shows control characters instead of sending them", () => {
  assertEquals(printable("e\x1b[31mvil\n"), "e\\x1b[31mvil\\x0a");
  assertEquals(printable("\x9b1m\x7f\u2028"), "\\x9b1m\\x7f\\u2028");
});

Deno.test("printable() shows what turns the direction of text around", () => {
  assertEquals(
    printable("\u200ea\u200f\u202ab\u202e\u2066c\u2069"),
    "\\u200ea\\u200f\\u202ab\\u202e\\u2066c\\u2069",
  );
});

Deno.test("printable() leaves all other text as it is", () => {
  assertEquals(printable("✔ Größe /a b/c'd\"e\\f"), "✔ Größe /a b/c'd\"e\\f");
});

Deno.test("printableLines() keeps line ends", () => {
  assertEquals(printableLines("a\n\n\x1bb"), "a\n\n\\x1bb");
});

Deno.test("shortened() cuts long text in the middle, to the limit", () => {
  const long = `${"a".repeat(50_000)}${"z".repeat(50_000)}`;
  assertEquals(shortened(long), `${"a".repeat(99)}…${"z".repeat(99)}`);
  assertEquals(shortened("abcdefgh", 5), "ab…gh");
});

Deno.test("shortened() leaves text as it is that is no longer than the limit", () => {
  for (const length of [0, 1, 199, 200]) {
    assertEquals(shortened("x".repeat(length)), "x".repeat(length));
  }
});

Deno.test("shortened() leaves no half of a character", () => {
  for (let front = 0; front < 4; front++) {
    const text = shortened(`${"x".repeat(front)}${"🔑".repeat(200)}`);
    assert(text.isWellFormed() && text.length <= 200, text);
  }
});

Deno.test("shortened() shows no token and no private key, whole or in part", () => {
  const token = `eyJhbGciOiJFUzI1NiJ9.${"a".repeat(500)}.${"b".repeat(86)}`;
  assertEquals(shortened(`open ${token}: no`), "open [token]: no");
  const begin = "-----BEGIN EC PRIVATE KEY-----\nMHcCAQEE";
  const end = "\n-----END EC PRIVATE KEY-----\n";
  assertEquals(shortened(`a ${begin}${end}b`), "a [private key]\nb");
  assertEquals(shortened(begin), "[private key]");
  assertEquals(shortened("eyJ.example.com"), "eyJ.example.com");
});
