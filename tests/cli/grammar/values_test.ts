/** Integers, booleans and quotes as Go has them. */
import fc from "fast-check";
import {
  goQuote,
  parseBoolean,
  parseInteger,
  ValueError,
} from "../../../src/cli/grammar/values.ts";
import { assertEquals, AssertionError } from "../../support/assert.ts";

/** The value, or what is wrong with the text. */
function outcome(text: string): bigint | string {
  try {
    return parseInteger(text);
  } catch (error) {
    if (error instanceof ValueError) return error.fault;
    throw error;
  }
}

const INTEGERS: readonly (readonly [string, bigint])[] = [
  ["0", 0n],
  ["00", 0n],
  ["-0", 0n],
  ["42", 42n],
  ["+42", 42n],
  ["-42", -42n],
  ["0x1000", 4096n],
  ["0X1f", 31n],
  ["-0x10", -16n],
  ["0o17", 15n],
  ["0O17", 15n],
  ["017", 15n],
  ["0b101", 5n],
  ["0B11", 3n],
  ["1_000", 1000n],
  ["0x_1F", 31n],
  ["0_7", 7n],
  ["0b1_0", 2n],
  ["9223372036854775807", 9223372036854775807n],
  ["-9223372036854775808", -9223372036854775808n],
];

for (const [text, value] of INTEGERS) {
  Deno.test(`parseInteger() reads ${text} as Go does`, () => {
    assertEquals(outcome(text), value);
  });
}

const NO_INTEGERS: readonly (readonly [string, string])[] = [
  ["", "invalid syntax"],
  ["-", "invalid syntax"],
  ["+", "invalid syntax"],
  ["+-1", "invalid syntax"],
  ["--1", "invalid syntax"],
  ["abc", "invalid syntax"],
  ["1.5", "invalid syntax"],
  ["1e3", "invalid syntax"],
  [" 1", "invalid syntax"],
  ["1\n", "invalid syntax"],
  ["08", "invalid syntax"],
  ["0x", "invalid syntax"],
  ["0b2", "invalid syntax"],
  ["0o8", "invalid syntax"],
  ["0xg", "invalid syntax"],
  ["_1", "invalid syntax"],
  ["1_", "invalid syntax"],
  ["1__0", "invalid syntax"],
  ["0x_", "invalid syntax"],
  ["0_", "invalid syntax"],
  ["-_1", "invalid syntax"],
  ["HUP", "invalid syntax"],
  ["٣", "invalid syntax"],
  ["9223372036854775808", "value out of range"],
  ["-9223372036854775809", "value out of range"],
  ["99999999999999999999", "value out of range"],
  ["99999999999999999999x", "invalid syntax"],
];

for (const [text, fault] of NO_INTEGERS) {
  Deno.test(`parseInteger() refuses ${JSON.stringify(text)}: ${fault}`, () => {
    assertEquals(outcome(text), fault);
  });
}

Deno.test("parseInteger() reads back every 64-bit integer in four bases", () => {
  fc.assert(
    fc.property(
      fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
      fc.constantFrom(
        [10, ""] as const,
        [16, "0x"] as const,
        [8, "0o"] as const,
        [2, "0b"] as const,
      ),
      (value, [base, prefix]) => {
        const sign = value < 0n ? "-" : "";
        const magnitude = value < 0n ? -value : value;
        const text = sign + prefix + magnitude.toString(base);
        assertEquals(parseInteger(text), value);
      },
    ),
  );
});

Deno.test("parseInteger() never gives more than 64 bits, whatever the text", () => {
  const text = fc.string({
    unit: fc.constantFrom(..."0123456789abxo_-+".split("")),
    maxLength: 30,
  });
  fc.assert(fc.property(text, (text) => {
    const value = outcome(text);
    if (typeof value !== "bigint") return;
    assertEquals(BigInt.asIntN(64, value), value);
  }));
});

Deno.test("parseBoolean() takes Go's twelve words and no other", () => {
  for (const word of ["1", "t", "T", "TRUE", "true", "True"]) {
    assertEquals(parseBoolean(word), true);
  }
  for (const word of ["0", "f", "F", "FALSE", "false", "False"]) {
    assertEquals(parseBoolean(word), false);
  }
  for (const word of ["", "yes", "no", "tRUE", " true", "2", "on"]) {
    try {
      parseBoolean(word);
    } catch (error) {
      if (error instanceof ValueError) continue;
      throw error;
    }
    throw new AssertionError(`${word} was taken`);
  }
});

Deno.test("goQuote() escapes what could move a cursor and keeps letters", () => {
  assertEquals(
    goQuote('a\n"b\\\x01\x1b[2Jé✔\u200b\t\u{10ffff}'),
    String.raw`"a\n\"b\\\x01\x1b[2Jé✔\u200b\t\U0010ffff"`,
  );
});
