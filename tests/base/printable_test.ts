import { printable, printableLines } from "../../src/base/printable.ts";
import { assertEquals } from "../support/assert.ts";

Deno.test("printable() shows control characters instead of sending them", () => {
  assertEquals(printable("e\x1b[31mvil\n"), "e\\x1b[31mvil\\x0a");
  assertEquals(printable("\x9b1m\x7f\u2028"), "\\x9b1m\\x7f\\u2028");
});

Deno.test("printable() leaves all other text as it is", () => {
  assertEquals(printable("✔ Größe /a b/c'd\"e\\f"), "✔ Größe /a b/c'd\"e\\f");
});

Deno.test("printableLines() keeps line ends", () => {
  assertEquals(printableLines("a\n\n\x1bb"), "a\n\n\\x1bb");
});
