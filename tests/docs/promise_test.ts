/**
 * docs/versions.md promises that nothing goes which scripts rely on: what was
 * released is listed in tests/testdata/promise.txt, a line each, and is still
 * there. What is new gets its lines with the release.
 */
import { ROOT } from "../../scripts/paths.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { type ProgramFacts, programFacts } from "./program.ts";

const PROMISED = (await Deno.readTextFile(`${ROOT}tests/testdata/promise.txt`))
  .trimEnd().split("\n");

/** What there is, as the list has it. */
function linesOf(
  { commands, exitCodes, events, hookVariables }: ProgramFacts,
): readonly string[] {
  return [
    ...[...commands].flatMap(([name, flags]) => [
      `command ${name}`,
      ...flags.flatMap(({ spellings, variable, values }) =>
        spellings.flatMap((spelling) => [
          `flag ${name} ${spelling} ${variable}`.trimEnd(),
          ...values.map((value) => `value ${name} ${spelling} ${value}`),
        ])
      ),
    ]),
    ...exitCodes.map(([code, kind]) => `exit code ${code} ${kind}`),
    ...[...events].map((event) => `event ${event}`),
    ...[...hookVariables].map((name) => `variable of hooks ${name}`),
  ].sort();
}

function missing(
  promised: readonly string[],
  lines: readonly string[],
): readonly string[] {
  const known = new Set(lines);
  return promised.filter((line) => !known.has(line));
}

Deno.test("what docs/versions.md promises is still there", async () => {
  const lines = linesOf(await programFacts());
  assertEquals(missing(PROMISED, lines), []);
  assert(PROMISED.length > 300);
  const gone = lines.filter((line) => !line.includes("--force"));
  assert(missing(PROMISED, gone).includes("flag ca rekey --force STEP_F"));
});
