import fc from "fast-check";
import { editLine, type LineEdit } from "../../../src/cli/process/terminal.ts";
import { assertEquals } from "../../support/assert.ts";

const CASES: readonly (readonly [string, string, LineEdit])[] = [
  ["nothing yet", "abc", { kind: "typing", text: "abc" }],
  ["Enter as CR", "abc\r", { kind: "entered", text: "abc" }],
  ["Enter as LF", "abc\n", { kind: "entered", text: "abc" }],
  ["what follows Enter", "abc\rdef", { kind: "entered", text: "abc" }],
  ["an empty line", "\r", { kind: "entered", text: "" }],
  ["backspace", "abc\x7f\bd\r", { kind: "entered", text: "ad" }],
  ["backspace at the beginning", "\x7f\x7fa\r", { kind: "entered", text: "a" }],
  ["backspace over one emoji", "a😀\x7f\r", { kind: "entered", text: "a" }],
  ["Ctrl-U", "abc\x15d\r", { kind: "entered", text: "d" }],
  ["Ctrl-W", "ab cd \x17e\r", { kind: "entered", text: "ab e" }],
  ["Ctrl-C", "abc\x03def\r", { kind: "interrupted" }],
  ["Ctrl-D on an empty line", "\x04", { kind: "ended" }],
  ["Ctrl-D on an emptied line", "a\x7f\x04", { kind: "ended" }],
  ["Ctrl-D within a line", "a\x04b\r", { kind: "entered", text: "ab" }],
  ["arrow keys", "a\x1b[Db\x1b[1;5Cc\x1bOA\r", {
    kind: "entered",
    text: "abc",
  }],
  ["other control keys", "a\x01\x1ab\r", { kind: "entered", text: "ab" }],
  ["a tab and blanks", " a\tb \r", { kind: "entered", text: " a\tb " }],
];

for (const [what, keys, expected] of CASES) {
  Deno.test(`editLine() understands ${what}`, () => {
    assertEquals(editLine("", keys), expected);
  });
}

Deno.test("editLine() goes on with what was typed before", () => {
  assertEquals(editLine("abc", "\x7fd"), { kind: "typing", text: "abd" });
});

Deno.test("editLine() comes to the same line, however the keys arrive", () => {
  const keys = fc.array(
    fc.constantFrom("a", "é", "😀", " ", "\x7f", "\x15", "\x17"),
  );
  fc.assert(fc.property(keys, (typed) => {
    let text = "";
    for (const key of typed) {
      const edit = editLine(text, key);
      if (edit.kind === "typing") text = edit.text;
    }
    assertEquals(editLine("", typed.join("")), { kind: "typing", text });
  }));
});
