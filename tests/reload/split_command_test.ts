import fc from "fast-check";
import { splitCommand } from "../../src/reload/split_command.ts";
import { assertEquals, assertThrows } from "../support/assert.ts";
import { runOk } from "../support/run.ts";

const CASES: readonly (readonly [string, readonly string[]])[] = [
  ["", []],
  [" \t\n ", []],
  ["systemctl reload nginx", ["systemctl", "reload", "nginx"]],
  ["  a  b\tc\nd  ", ["a", "b", "c", "d"]],
  ["a 'b c' \"d e\"", ["a", "b c", "d e"]],
  ["a''b\"\"c", ["abc"]],
  ["a '' \"\"", ["a", "", ""]],
  ["a\\ b \\'c\\\" \\\\", ["a b", "'c\"", "\\"]],
  ["'a\\b'", ["a\\b"]],
  ['"a\\b\\"\\\\\\$\\`c"', ['a\\b"\\$`c']],
  ["a\\\nb", ["ab"]],
  ["a \\\n b", ["a", "b"]],
  ['"a\\\nb"', ["ab"]],
  ["echo $HOME *.crt ~ `x` $(y) ; | & > #z", [
    "echo",
    "$HOME",
    "*.crt",
    "~",
    "`x`",
    "$(y)",
    ";",
    "|",
    "&",
    ">",
    "#z",
  ]],
  ["sh -c 'echo \"a b\" > /x'", ["sh", "-c", 'echo "a b" > /x']],
  ["a\u00a0b", ["a\u00a0b"]],
  ["日本 'é'", ["日本", "é"]],
];

for (const [command, words] of CASES) {
  Deno.test(`splitCommand() splits ${JSON.stringify(command)}`, () => {
    assertEquals(splitCommand(command), words);
  });
}

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ["a 'b", /single quote that is not closed$/],
  ["a b'", /single quote that is not closed$/],
  ['a "b', /double quote that is not closed$/],
  ['"\\"', /double quote that is not closed$/],
  ["'a'\"", /double quote that is not closed$/],
  ["a \\", /backslash that quotes nothing$/],
];

for (const [command, pattern] of REFUSED) {
  Deno.test(`splitCommand() refuses ${JSON.stringify(command)}`, () => {
    assertThrows(() => splitCommand(command), "usage", pattern);
  });
}

/** Characters that sh neither expands nor takes for operators. */
const PLAIN = "ab-=/.,:é";
const piece = fc.oneof(
  fc.string({ unit: fc.constantFrom(...PLAIN), minLength: 1 }),
  fc.constantFrom(" ", "  ", "\t"),
  fc.string({ unit: fc.constantFrom(...PLAIN, ...' "\\$`*;#|&\n') })
    .map((text) => `'${text}'`),
  fc.string({ unit: fc.constantFrom(...PLAIN, ..." '*;#|&\n") })
    .map((text) => `"${text}"`),
  fc.constantFrom(..."'\"\\$` *;#|&\nab").map((char) => `\\${char}`),
  fc.constantFrom('"\\""', '"\\$"', '"\\a"', '"\\\\"', '"\\\n"', '"\\`"'),
);

Deno.test("splitCommand() splits as sh does", async () => {
  // Many commands for one sh: starting it is what takes the time.
  const commands = fc.sample(
    fc.array(piece, { minLength: 1, maxLength: 8 })
      .map((pieces) => pieces.join("")),
    300,
  );
  const script = commands
    .map((command) => `printf '%s\\0' x ${command}; printf '\\1'`)
    .join("\n");
  const { stdout } = await runOk("sh", ["-c", script]);
  const split = stdout.split("\x01").slice(0, -1)
    .map((output) => output.split("\0").slice(1, -1));
  assertEquals(split.length, commands.length);
  for (const [index, command] of commands.entries()) {
    assertEquals(splitCommand(command), split[index], JSON.stringify(command));
  }
});

Deno.test("splitCommand() gives back any words that were quoted", () => {
  const quote = (word: string) => `'${word.replaceAll("'", "'\\''")}'`;
  fc.assert(fc.property(fc.array(fc.string()), (words) => {
    assertEquals(splitCommand(words.map(quote).join(" ")), words);
  }));
});
