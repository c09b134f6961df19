import { assert, assertEquals } from "../support/assert.ts";
import { outputProblem } from "./expected_output.ts";

/** What a page shows, a run that is as it shows, and one that is not. */
const CASES: Readonly<
  Record<string, { shown: string; good: string; bad: string }>
> = {
  "other words": { shown: "ok", good: "ok\n", bad: "no\n" },
  "a line too many": { shown: "ok", good: "ok", bad: "ok\nwarning: no" },
  "no duration": {
    shown: "first rekey in 15h2m21s",
    good: "first rekey in 3m7s",
    bad: "first rekey in hours",
  },
  "no time": {
    shown: "valid 2026-11-30T17:53:30Z",
    good: "valid 2031-01-02T03:04:05Z",
    bad: "valid now",
  },
  "another number": { shown: "exit 65", good: "exit 65", bad: "exit 69" },
  "no end": { shown: "Created …", good: "Created a -> b", bad: "Cannot" },
  "a line that is left out": {
    shown: "…\nok\n…",
    good: "ok",
    bad: "okay",
  },
  "two digests where there is one": {
    shown: "0123456789abcdef\n0123456789abcdef",
    good: "aaaaaaaaaaaaaaaa\naaaaaaaaaaaaaaaa",
    bad: "aaaaaaaaaaaaaaaa\nbbbbbbbbbbbbbbbb",
  },
  "one digest where there are two": {
    shown: "0123456789abcdef\nfedcba9876543210",
    good: "aaaaaaaaaaaaaaaa\nbbbbbbbbbbbbbbbb",
    bad: "aaaaaaaaaaaaaaaa\naaaaaaaaaaaaaaaa",
  },
};

for (const [what, { shown, good, bad }] of Object.entries(CASES)) {
  Deno.test(`outputProblem() finds ${what}`, () => {
    assertEquals(outputProblem(shown, good, new Map()), undefined);
    assert(outputProblem(shown, bad, new Map()) !== undefined);
  });
}

Deno.test("outputProblem() remembers a digest of the page", () => {
  const bindings = new Map<string, string>();
  outputProblem("0123456789abcdef", "aaaaaaaaaaaaaaaa", bindings);
  const again = (actual: string) =>
    outputProblem("serial=0123456789ABCDEF", `serial=${actual}`, bindings);
  assertEquals(again("AAAAAAAAAAAAAAAA"), undefined);
  assert(again("BBBBBBBBBBBBBBBB") !== undefined);
});
