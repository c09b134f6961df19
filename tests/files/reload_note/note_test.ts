import fc from "fast-check";
import {
  encodeOwedNote,
  formatOwedNote,
  NOTE_BYTES,
  type OwedNote,
  parseOwedNote,
} from "../../../src/files/reload_note/note.ts";
import { assertEquals } from "../../support/assert.ts";

const NOTE: OwedNote = {
  certificate: "ab".repeat(32),
  serial: "0B",
  previousSerial: "0A",
  notAfter: new Date("2030-01-02T03:04:05Z"),
  attempts: 3,
  owed: ["signal", "exec"],
};

const HEX = (maxLength: number) =>
  fc.string({
    unit: fc.constantFrom(..."0123456789ABCDEF"),
    minLength: 1,
    maxLength,
  });

Deno.test("parseOwedNote() gives back every note, and all have one length", () => {
  fc.assert(fc.property(
    fc.record({
      certificate: fc.constant(NOTE.certificate),
      serial: HEX(128),
      previousSerial: HEX(128),
      notAfter: fc.date({
        min: new Date(0),
        max: new Date("9999-12-31T23:59:59Z"),
        noInvalidDate: true,
      }),
      attempts: fc.integer({ min: 1, max: 2 ** 31 }),
      owed: fc.constantFrom<OwedNote["owed"]>(
        ["signal"],
        ["exec"],
        ["signal", "exec"],
      ),
    }, { noNullPrototype: true }),
    (note) => {
      assertEquals(encodeOwedNote(note).length, NOTE_BYTES);
      assertEquals(parseOwedNote(formatOwedNote(note)), note);
    },
  ));
});

Deno.test("formatOwedNote() leaves out a previous serial number beyond all rules", () => {
  const text = formatOwedNote({ ...NOTE, previousSerial: "A".repeat(1000) });
  assertEquals(text.length, NOTE_BYTES);
  assertEquals(parseOwedNote(text)?.previousSerial, undefined);
});

for (
  const [name, change] of Object.entries<Record<string, unknown>>({
    "another version": { version: 2 },
    "no certificate": { certificate: undefined },
    "a certificate that is no digest": { certificate: "../../etc" },
    "no serial number": { serial: "" },
    "a previous serial number that is none": { previousSerial: "$(id)" },
    "no date": { notAfter: "soon" },
    "no attempt": { attempts: 0 },
    "half an attempt": { attempts: 1.5 },
    "endless attempts": { attempts: 1e300 },
    "nothing owed": { owed: [] },
    "something else owed": { owed: ["signal", "reboot"] },
    "owed in another form": { owed: "exec" },
  })
) {
  Deno.test(`parseOwedNote() refuses a note with ${name}`, () => {
    const value = { ...JSON.parse(formatOwedNote(NOTE)), ...change };
    assertEquals(parseOwedNote(JSON.stringify(value)), undefined);
  });
}

for (const text of ["", "{", "null", "[]", "1", "\0".repeat(NOTE_BYTES)]) {
  Deno.test(`parseOwedNote() refuses ${JSON.stringify(text.slice(0, 9))}`, () => {
    assertEquals(parseOwedNote(text), undefined);
  });
}

Deno.test("parseOwedNote() throws for no text at all", () => {
  fc.assert(fc.property(fc.string(), (text) => {
    parseOwedNote(text);
  }));
});
