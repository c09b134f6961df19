/** The form of docs/benchmarks.md and its chart; the numbers are the bench's. */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { chart } from "./chart.ts";
import { page } from "./page.ts";
import { type Row, tableOf } from "./table.ts";

/** Samples of the column `wallMs`, one for each round. */
function row(name: string, ...values: readonly number[]): Row {
  return { name, samples: values.map((wallMs) => ({ wallMs })) };
}

const TABLES = {
  "--version": tableOf([row("step", 10), row("source", 15)]),
  "one rekey, EC P-256": tableOf([
    row("step", 20, 30, 22),
    row("source", 80, 90, 66),
    row("empty, deno run + seeding + mTLS request", 40, 60, 55),
  ]),
};

const RUN = { rounds: 3, rekeys: 5, machine: "A machine." };

Deno.test("tableOf() compares with the original of the same round", () => {
  const { source } = TABLES["one rekey, EC P-256"];
  assertEquals(source, {
    "wallMs": 80,
    "× of wallMs": 3,
    "× of least": 3.3,
  });
});

Deno.test("page() has each program in a row, and says what was not measured", () => {
  const text = page(TABLES, RUN);
  assertStringIncludes(text, "\n| step | 22.0 ms (1.00) |\n");
  assertStringIncludes(text, "\n| source | 80.0 ms (3.00) |\n");
  assertStringIncludes(text, "one rekey takes 3.0, –, – times as long");
  assertStringIncludes(text, "takes 2.0 times as long as the original's whole");
  assertMatch(text, /in 3 rounds/);
  assert(!/NaN|undefined|Infinity/.test(text), text);
});

Deno.test("chart() has a bar for each value, as long as it says", () => {
  const text = chart(TABLES);
  const widths = [
    ...text.matchAll(/width="([\d.]+)" height="11" fill="#9ecae1"/g),
  ]
    .map(([, width]) => Number(width));
  // The legend, then 1.5 and 3.
  assertEquals(widths.length, 3);
  assert(Math.abs((widths[2] ?? 0) / (widths[1] ?? 0) - 2) < 0.01);
  assertMatch(text, />3\.00<\/text>/);
  assert(!/NaN|undefined|Infinity/.test(text), text);
});
