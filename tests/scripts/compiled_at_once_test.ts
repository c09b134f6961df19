/** What is put in parentheses; that a rekey of the result works, e2e tests see. */
import { compiledAtOnce } from "../../scripts/compiled_at_once.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";

const BUNDLE = `var __esm = (fn, res) => fn;
// src/a.ts
async function ofA(x) {
  return x;
}
var init_a = __esm({
  "src/a.ts"() {
  }
});
// src/b.ts
function* ofB() {
}
var init_b = __esm({
  "src/b.ts"() {
  }
});
// src/c.ts
function ofC() {
}
var init_c = __esm({
  "src/c.ts"() {
    init_a();
    inner = () => ofC();
  }
});
function main() {
}
init_c();
`;

Deno.test("compiledAtOnce() takes a module, and what it imports", () => {
  const code = compiledAtOnce(BUNDLE, ["src/c.ts"]);
  assertEquals(
    code.match(/^(?:var|async|function).*|^ {2}"src.*|^ {2}}\)?$/gm),
    [
      "var __esm = (fn, res) => fn;",
      "var ofA = (async function ofA(x) {",
      "var init_a = __esm({",
      '  "src/a.ts": (function() {',
      "  })",
      "function* ofB() {",
      "var init_b = __esm({",
      '  "src/b.ts"() {',
      "  }",
      "var ofC = (function ofC() {",
      "var init_c = __esm({",
      '  "src/c.ts": (function() {',
      "  })",
      "function main() {",
    ],
  );
});

Deno.test("compiledAtOnce() leaves what the module does not import", () => {
  const code = compiledAtOnce(BUNDLE, ["src/a.ts"]);
  assertEquals(code.includes("(function ofC"), false);
  assertEquals(code.includes('"src/c.ts"() {'), true);
});

Deno.test("compiledAtOnce() says which module is missing", () => {
  assertThrows(
    () => compiledAtOnce(BUNDLE, ["src/d.ts"]),
    Error,
    /src\/d.ts is not in the bundle/,
  );
});
