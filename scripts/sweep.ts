/**
 * `deno task sweep`: the whole of what the suite samples, then a table of what
 * each fault leaves, of this program and beside it of the original `step`.
 *
 * Takes some hours. `--sample=N` does N times as much as the suite, and no
 * table; `--table` the table alone, of which `--errors=ENOSPC,EIO` and
 * `--layouts=versioned,in place` choose a part.
 */
import { CrashBench, stateOf } from "../tests/support/crash_bench.ts";
import { type Layout, LAYOUTS } from "../tests/support/crash_layouts.ts";
import { CAN_MOUNT } from "../tests/support/mounts.ts";
import { program, type ProgramCommand } from "../tests/support/program.ts";
import { STEP } from "../tests/support/step_ca.ts";
import { inParallel } from "../tests/support/sweep.ts";
import {
  type Action,
  ERRNO,
  type Point,
} from "../tests/support/tracer/tracer.ts";
import { ROOT } from "./paths.ts";
import { report, runTests, testFiles } from "./run_tests.ts";
import { setUp } from "./test.ts";

/** What is done at every point that it fits. */
interface FaultKind {
  readonly name: string;
  readonly actions: readonly Action[];
  fits(point: Point): boolean;
}

/** One line of the table. */
interface Row {
  readonly points: number;
  runs: number;
  missed: number;
  old: number;
  new: number;
  mixed: number;
  /** Mixtures that the next run of the same command made a pair of. */
  mended: number;
  lost: number;
}

async function main(args: readonly string[]): Promise<number> {
  const sample = chosen(args, "--sample=")?.[0];
  if (!args.includes("--table")) {
    await setUp();
    const counts = await runTests(await sampledTests(), {
      REKEY_TEST_SWEEP: sample ?? "all",
    });
    const code = report([counts]);
    if (sample !== undefined || code !== 0) return code;
  }
  const errors = chosen(args, "--errors=") ?? Object.keys(ERRNO);
  const layouts = chosen(args, "--layouts=");
  const kinds = faultKinds(errors);
  console.log(
    "| layout | fault | program | points | runs | old pair | new pair | mixture | mended by the next run | lost |",
  );
  console.log(
    "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
  );
  for (const layout of LAYOUTS) {
    if (layout.needsMount === true && !CAN_MOUNT) continue;
    if (layouts !== undefined && !layouts.includes(layout.name)) continue;
    await using bench = await CrashBench.start({
      withMount: layout.needsMount === true,
    });
    for (const [name, rekey] of programsFor(layout)) {
      for (const kind of kinds) {
        const row = await sweep(bench, layout, { rekey, kind });
        console.log(
          `| ${layout.name} | ${kind.name} | ${name} | ${row.points} | ${row.runs} | ${row.old} | ${row.new} | ${row.mixed} | ${row.mended} | ${row.lost} |`,
        );
        if (row.missed > 0) {
          console.error(`${row.missed} planned points were not hit`);
          return 1;
        }
      }
    }
  }
  return 0;
}

function chosen(
  args: readonly string[],
  flag: string,
): readonly string[] | undefined {
  return args.find((word) => word.startsWith(flag))?.slice(flag.length)
    .split(",");
}

/** The tests that ask how much of them is to be done. */
async function sampledTests(): Promise<readonly string[]> {
  const found: string[] = [];
  for (const file of await testFiles(["tests"])) {
    const text = await Deno.readTextFile(ROOT + file);
    if (/(sweep|flipped_bits)\.ts"/.test(text)) found.push(file);
  }
  return found;
}

function faultKinds(errors: readonly string[]): FaultKind[] {
  const numbers = Object.entries(ERRNO).filter(([name]) =>
    errors.includes(name)
  );
  const everywhere = () => true;
  return [
    {
      name: "SIGKILL before and after",
      actions: ["kill-before", "kill-after"],
      fits: everywhere,
    },
    ...numbers.flatMap(([name, number]): FaultKind[] => [
      {
        name: `${name} once`,
        actions: [`fail:${number}:once`],
        fits: everywhere,
      },
      {
        name: `${name} from then on`,
        actions: [`fail:${number}:on`],
        fits: everywhere,
      },
    ]),
    {
      name: "short write",
      actions: ["short:1", "short:100"],
      fits: ({ data }) => data !== undefined,
    },
  ];
}

/** The original knows neither other commands nor other layouts. */
function programsFor(
  { mixture, isVersioned }: Layout,
): [string, ProgramCommand][] {
  const ours: [string, ProgramCommand] = ["step-rekey", program()];
  const isKnown = mixture !== "while overwriting" && isVersioned !== true;
  return isKnown
    ? [ours, ["step 0.21.0", { command: STEP, args: [] }]]
    : [ours];
}

async function sweep(
  bench: CrashBench,
  layout: Layout,
  { rekey, kind }: {
    readonly rekey: ProgramCommand;
    readonly kind: FaultKind;
  },
): Promise<Row> {
  const first = await bench.specimen(layout);
  const whole = first.command === undefined
    ? bench.command(first, rekey)
    : undefined;
  const { points } = await bench.traced(first, {}, whole);
  const row = {
    points: points.length,
    runs: 0,
    missed: 0,
    old: 0,
    new: 0,
    mixed: 0,
    mended: 0,
    lost: 0,
  };
  const faults = points.filter(kind.fits).flatMap((point) =>
    kind.actions.map((action) => ({ point: point.point, action }))
  );
  await inParallel(faults, async (fault) => {
    const specimen = await bench.specimen(layout);
    const command = specimen.command === undefined
      ? bench.command(specimen, rekey)
      : undefined;
    const { hit, points: made } = await bench.traced(specimen, fault, command);
    // A write that is shorter anyway is left as it is.
    const isShortAnyway = fault.action.startsWith("short") &&
      made.length >= fault.point;
    row.runs++;
    if (hit === undefined && !isShortAnyway) row.missed++;
    const state = await stateOf(specimen);
    row[state]++;
    if (state !== "mixed") return;
    await bench.traced(specimen, {}, bench.command(specimen, rekey));
    if (await stateOf(specimen) === "new") row.mended++;
    else row.lost++;
  });
  return row;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
