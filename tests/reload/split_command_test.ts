import fc from "fast-check";
import {
  ShellSyntaxError,
  splitCommand,
} from "../../src/reload/split_command.ts";
import { assert, assertEquals, assertThrows } from "../support/assert.ts";
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
  ["echo *.crt ~ #z {a,b} !x (y) %", [
    "echo",
    "*.crt",
    "~",
    "#z",
    "{a,b}",
    "!x",
    "(y)",
    "%",
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

/** Unquoted and in front of a word, or alone; each with what may follow it. */
const SHELL_WORDS = [
  ...["&&", "||", "|", ";", "&", "&&b", "||b", "|b", ";b", "|&"],
  ...[">", ">>", "<", "<<", "<<<", ">|", "<>", ">b", "2>", "2>b", "2>&1"],
  ...["12>b", "0<b", "&>", "&>b", "&>>b", ">&2", "<(b)", ">'b c'", '2>"b"'],
  ...["$NAME", "$NAME/b", "$_x", "${NAME}", "${NAME:-b}b", "$(b)", "$((1))"],
  ...["`b`", "`b", "$NAME'b'", "b;", "b&&", "b||", "b|", "'b';", '"b"&&'],
];

for (const word of SHELL_WORDS) {
  for (const around of [word, `a ${word}`, `a ${word} c`, `'a'\t${word}\n`]) {
    Deno.test(`splitCommand() refuses the shell syntax of ${JSON.stringify(around)}`, () => {
      const error = assertThrows(
        () => splitCommand(around, "exec-on-failure"),
        "usage",
        /^the command of flag '--exec-on-failure' has the word '.*', which only a shell/s,
      );
      assert(error instanceof ShellSyntaxError);
    });
  }
}

/** The same, quoted or inside a word: arguments as in the original. */
const NO_SHELL_WORDS: readonly (readonly [string, string])[] = [
  ...SHELL_WORDS.filter((word) => !/['"`$]/.test(word)).flatMap((word) => [
    [`'${word}'`, word] as const,
    [`"${word}"`, word] as const,
    [word.replaceAll(/./g, "\\$&"), word] as const,
  ]),
  ["http://h/?a=1&b=$c;d|e>f<g`h", "http://h/?a=1&b=$c;d|e>f<g`h"],
  ["http://h/?a=1&", "http://h/?a=1&"],
  ["--pid=$PID", "--pid=$PID"],
  ["a$(b)", "a$(b)"],
  ["-", "-"],
  ["->x", "->x"],
  ["x2>y", "x2>y"],
  ["&a", "&a"],
  ["$", "$"],
  ["$5", "$5"],
  ["$%", "$%"],
  ["\\$NAME", "$NAME"],
  ["'$NAME'", "$NAME"],
  ['"\\$NAME"', "$NAME"],
  ['"$NAME"', "$NAME"],
  ['"`b`"', "`b`"],
  ["''>b", ">b"],
  ["b';'", "b;"],
  ["b\\;", "b;"],
  ["&'&'", "&&"],
];

for (const [word, text] of NO_SHELL_WORDS) {
  Deno.test(`splitCommand() takes ${JSON.stringify(word)} for an argument`, () => {
    assertEquals(splitCommand(`a ${word} c`), ["a", text, "c"]);
    assertEquals(splitCommand(word), [text]);
  });
}

Deno.test("splitCommand() cuts a word that it complains of", () => {
  const error = assertThrows(() => splitCommand(`>${"x".repeat(100_000)}`));
  assert(error instanceof Error && error.message.length < 400);
});

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
