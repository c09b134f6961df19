import fc from "fast-check";
import type { ReloadPart } from "../../../src/base/options.ts";
import {
  deliveredLine,
  formatNote,
  parseNote,
  TRY_LINE,
} from "../../../src/files/reload_note/note.ts";
import { assertEquals } from "../../support/assert.ts";

const PARTS = fc.constantFrom<readonly ReloadPart[]>(
  ["signal"],
  ["exec"],
  ["signal", "exec"],
);

const SERIAL = fc.string({
  unit: fc.constantFrom(..."0123456789ABCDEF"),
  minLength: 1,
  maxLength: 128,
});

Deno.test("parseNote() gives back every note, with all that was added to it", () => {
  fc.assert(fc.property(
    PARTS,
    fc.option(SERIAL, { nil: undefined }),
    fc.nat(20),
    (parts, previousSerial, tries) => {
      const text = formatNote(parts, previousSerial) + TRY_LINE.repeat(tries);
      assertEquals(parseNote(text), {
        previousSerial,
        undelivered: parts,
        attempts: tries + 1,
      });
    },
  ));
});

Deno.test("parseNote() leaves out what was delivered", () => {
  const text = formatNote(["signal", "exec"], "0A") + deliveredLine("signal") +
    TRY_LINE;
  const { undelivered, attempts } = parseNote(text);
  assertEquals([undelivered, attempts], [["exec"], 2]);
});

Deno.test("parseNote() passes over a line that a power cut took in part", () => {
  const whole = formatNote(["signal", "exec"], "0A");
  const line = deliveredLine("signal");
  for (let length = 0; length < line.length - 1; length++) {
    const { undelivered, attempts } = parseNote(
      whole + line.slice(0, length) + TRY_LINE,
    );
    assertEquals([undelivered, attempts], [["signal", "exec"], 2]);
  }
});

for (const serial of ["", "$(id)", "A".repeat(1000), "0A\ntry"]) {
  Deno.test(`formatNote() leaves out a previous serial number ${JSON.stringify(serial.slice(0, 9))}`, () => {
    const text = formatNote(["exec"], serial);
    const expected = {
      previousSerial: undefined,
      undelivered: ["exec"],
      attempts: 1,
    };
    assertEquals(parseNote(text), expected);
  });
}

for (
  const [name, text] of [
    ["of another version", "step-rekey pending reload 2\npart exec\ntry\n"],
    ["without a part", formatNote([], "0A")],
    [
      "of which all is delivered",
      formatNote(["exec"], "0A") + deliveredLine("exec"),
    ],
    ["of somebody else", "part exec\ntry\n"],
  ] as const
) {
  Deno.test(`parseNote() cannot tell what a note ${name} is about, but counts its tries`, () => {
    const { undelivered, attempts } = parseNote(text);
    assertEquals([undelivered, attempts], [undefined, 1]);
  });
}

Deno.test("parseNote() gives a hook no serial number that is none", () => {
  const text = formatNote(["exec"], "0A").replace("0A", "$(id)");
  assertEquals(parseNote(text).previousSerial, undefined);
});

Deno.test("parseNote() throws for no text at all", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    parseNote(text);
  }));
});
