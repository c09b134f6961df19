/** What is put in parentheses; that the results rekey, end-to-end tests see. */
import {
  calledInARekey,
  compiledAtOnce,
} from "../../scripts/compiled_at_once.ts";
import { ROOT } from "../../scripts/paths.ts";
import { assertEquals } from "../support/assert.ts";

const BUNDLE = `import { x } from "./other.js";
// src/a.ts
var table = called();
async function called(x) {
  return x;
}
function notCalled() {
}
// src/b.ts
function* called2() {
}
// src/c.ts
function called3() {
}
export { called as a };
`;

Deno.test("compiledAtOnce() takes the functions of a module that are named", () => {
  const wanted = new Map([
    ["src/a.ts", new Set(["called"])],
    ["src/b.ts", new Set(["called"])],
  ]);
  assertEquals(
    compiledAtOnce(BUNDLE, wanted),
    `import { x } from "./other.js";
var called = (async function called(x) {
  return x;
});
var called2 = (function* called2() {
});

// src/a.ts
var table = called();

function notCalled() {
}
// src/b.ts

// src/c.ts
function called3() {
}
export { called as a };
`,
  );
});

Deno.test("compiledAtOnce() leaves a file without them as it is", () => {
  assertEquals(compiledAtOnce("f();\n", new Map()).trim(), "f();");
});

Deno.test("the list of what a rekey calls names what there is", async () => {
  const gone: string[] = [];
  for (const [path, names] of await calledInARekey()) {
    const code = await Deno.readTextFile(ROOT + path).catch(() => "");
    for (const name of names) {
      if (!new RegExp(`\\b${name}\\b`).test(code)) gone.push(`${path} ${name}`);
    }
  }
  assertEquals(gone, [], "deno task profile makes it anew");
});
