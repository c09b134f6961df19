/** Which word a mistyped one is taken for. */
import { nearest } from "../../../src/cli/grammar/suggest.ts";
import { assertEquals } from "../../support/assert.ts";

const WORDS = [
  "out-cert",
  "out-key",
  "force",
  "pid",
  "pid-file",
  "kty",
  "f",
  "rekey",
];

const CASES: readonly (readonly [string, string | undefined])[] = [
  ["out-cer", "out-cert"],
  ["out-cret", "out-cert"],
  ["forse", "force"],
  ["fource", "force"],
  ["pdi", "pid"],
  ["pidfile", "pid-file"],
  ["renew", undefined],
  ["x", undefined],
  ["zz", undefined],
  ["completely-other", undefined],
  ["", undefined],
];

for (const [word, expected] of CASES) {
  Deno.test(`nearest() takes ${JSON.stringify(word)} for ${expected}`, () => {
    assertEquals(nearest(word, WORDS), expected);
  });
}
