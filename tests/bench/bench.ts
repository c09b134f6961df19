/**
 * `deno task bench`: this program beside the original, in the same run.
 *
 * Machines drift, so the contestants take turns (A B C D, A B C D, …) and only
 * ratios of one table are worth quoting; on a busy machine those of the minima.
 * Ours runs from source, as one file and as a compiled program; the original is
 * the real `step`, against the same real step-ca. The rows "floor" are what any
 * program on the runtime takes: see floor.js.
 *
 * `--rounds=N` sets the turns (default 31), `--only=TEXT` takes the tables whose
 * title holds it, `--json=FILE` writes all of them.
 */
import { buildAnchors, findAnchor } from "../../scripts/anchors.ts";
import { bundleOneFile, compile } from "../../scripts/build.ts";
import { denoCacheDirectory, fromFileUrl, ROOT } from "../../scripts/paths.ts";
import { measureIdle } from "./idle.ts";
import { baseRuntime } from "../support/base_runtime.ts";
import { startStepCa, type StepCa } from "../support/step_ca.ts";
import { tempDir } from "../support/temp_dir.ts";

/** A program to measure, with the words that it is called with. */
export interface Program {
  readonly name: string;
  readonly command: readonly string[];
}

/** What was measured, by the names of the columns. */
type Sample = Readonly<Record<string, number>>;

/** The samples of a program, one for each round. */
export interface Row {
  readonly name: string;
  readonly samples: readonly Sample[];
}

interface Bench {
  readonly rounds: number;
  readonly env: Readonly<Record<string, string>>;
  readonly ca: StepCa;
  /** The original first. */
  readonly all: readonly Program[];
  readonly floors: readonly Program[];
  readonly only: string;
  report(title: string, rows: readonly Row[]): void;
}

const MEASURE = fromFileUrl(new URL("./measure.py", import.meta.url));
const FLOOR = fromFileUrl(new URL("./floor.js", import.meta.url));

/** The flags for each type of key. A slow one is made in fewer rounds. */
const KEYS = [
  { type: "EC P-256", share: 1, flags: [] },
  { type: "Ed25519", share: 1, flags: ["--kty", "OKP", "--curve", "Ed25519"] },
  { type: "RSA-2048", share: 1, flags: ["--kty", "RSA", "--size", "2048"] },
  { type: "RSA-4096", share: 0.25, flags: ["--kty", "RSA", "--size", "4096"] },
];

async function main(args: readonly string[]): Promise<void> {
  const option = (name: string) =>
    args.find((word) => word.startsWith(`--${name}=`))?.slice(name.length + 3);
  const missing = await buildAnchors();
  const step = await findAnchor("step");
  if (missing !== undefined || step === undefined) {
    throw new Error(`no original to compare with: ${missing}`);
  }
  await using directory = await tempDir();
  const { ours, floors } = await programs(directory.path);
  await Deno.mkdir(directory.file("ca"));
  await using ca = await startStepCa(directory.file("ca"));
  const tables: Record<string, Record<string, Sample>> = {};
  const bench: Bench = {
    rounds: Number(option("rounds") ?? "31"),
    env: {
      DENO_DIR: await denoCacheDirectory(),
      DENO_NO_UPDATE_CHECK: "1",
      HOME: directory.path,
    },
    ca,
    all: [{ name: "step", command: [step] }, ...ours],
    floors,
    only: option("only") ?? "",
    report: (title, rows) => tables[title] = report(title, rows),
  };
  // Deno keeps what it made of a program at the first run that is long enough.
  for (const program of ours) {
    const pair = await newPair(ca, `${program.name} first`);
    await run(bench, withWords(program, ["ca", "rekey", "--force", ...pair]));
  }
  await compete(bench, "start-up", [
    ...bench.all.map((program) => withWords(program, ["version"])),
    ...floors.map((floor) => withWords(floor, ["nothing"])),
  ]);
  await measureAnswers(bench);
  for (const key of KEYS) await measureRekey(bench, key);
  await measureDaemons(bench);
  const file = option("json");
  if (file === undefined) return;
  await Deno.writeTextFile(file, `${JSON.stringify(tables, null, 2)}\n`);
}

/** Commands that this program may not have yet. */
async function measureAnswers(bench: Bench): Promise<void> {
  const { certificateFile } = await bench.ca.issue("answer", "admin");
  for (const command of ["needs-renewal", "fingerprint"]) {
    const [, ours] = bench.all;
    if (ours === undefined) return;
    const help = withWords(ours, ["certificate", command, "--help"]);
    if ((await run(bench, help))["code"] !== 0) continue;
    await compete(
      bench,
      `certificate ${command}`,
      bench.all.map((program) =>
        withWords(program, ["certificate", command, certificateFile])
      ),
    );
  }
}

async function measureRekey(
  bench: Bench,
  { type, share, flags }: typeof KEYS[number],
): Promise<void> {
  const title = `one rekey (${type})`;
  if (!title.includes(bench.only)) return;
  const { ca, floors } = bench;
  const contestants = await Promise.all(
    bench.all.map(async (program) =>
      withWords(program, [
        ...["ca", "rekey", "--force", ...flags],
        ...await newPair(ca, `${program.name} ${type}`),
      ])
    ),
  );
  const { certificateFile, keyFile } = await ca.issue("floor", "admin");
  const files = [ca.rootFile, certificateFile, keyFile];
  for (const { name, command } of floors) {
    contestants.push(
      { name: `${name} + seeding`, command: [...command, "seeding"] },
      {
        name: `${name} + seeding + mTLS request`,
        command: [...command, "request", `${ca.url}/health`, ...files],
      },
    );
  }
  await compete(bench, title, contestants, share);
}

async function measureDaemons(bench: Bench): Promise<void> {
  const title = "idle daemon";
  if (!title.includes(bench.only)) return;
  const contestants: Program[] = [];
  for (const program of bench.all) {
    const pair = await newPair(bench.ca, `${program.name} daemon`);
    contestants.push(withWords(program, ["ca", "rekey", "--daemon", ...pair]));
  }
  contestants.push(...bench.floors.map((floor) => withWords(floor, ["wait"])));
  bench.report(title, await measureIdle(contestants, bench.env));
}

async function newPair(ca: StepCa, name: string): Promise<readonly string[]> {
  const host = name.toLowerCase().replaceAll(/[^a-z\d]+/g, "-");
  const { certificateFile, keyFile } = await ca.issue(host, "admin");
  return ["--ca-url", ca.url, "--root", ca.rootFile, certificateFile, keyFile];
}

async function programs(directory: string) {
  const deno = [Deno.execPath(), "run", "--allow-all", "--no-prompt"];
  const bundle = await bundleOneFile(directory);
  const ours = [
    { name: "source", command: [...deno, `${ROOT}main.ts`] },
    { name: "one file", command: [...deno, "--no-config", bundle] },
  ];
  const floors = [
    { name: "floor, deno run", command: [...deno, "--no-config", FLOOR] },
  ];
  const runtime = await baseRuntime();
  if (typeof runtime === "string") {
    console.error(`no compiled program: ${runtime}`);
    return { ours, floors };
  }
  const { deno: DENO_BIN, denort: DENORT_BIN } = runtime;
  const build = async (name: string, entry?: string) => [
    await compile(`${directory}/${name}`, { DENO_BIN, DENORT_BIN, entry }),
  ];
  ours.push({ name: "compiled", command: await build("ours") });
  floors.push({
    name: "floor, compiled",
    command: await build("floor", FLOOR),
  });
  return { ours, floors };
}

function withWords(program: Program, words: readonly string[]): Program {
  return { ...program, command: [...program.command, ...words] };
}

/** Each contestant once a round, in turn; the first round is a warm-up. */
async function compete(
  bench: Bench,
  title: string,
  contestants: readonly Program[],
  share = 1,
): Promise<void> {
  if (!title.includes(bench.only)) return;
  const rows = contestants.map((one) => ({ ...one, samples: [] as Sample[] }));
  const codes = new Set<number | undefined>();
  for (let round = 0; round <= Math.ceil(bench.rounds * share); round++) {
    for (const row of rows) {
      const { code, ...sample } = await run(bench, row);
      codes.add(code);
      if (round > 0) row.samples.push(sample);
    }
  }
  // An answer may be a no: all have to give the same one.
  if (codes.size > 1) throw new Error(`${title}: ended with ${[...codes]}`);
  bench.report(title, rows);
}

async function run({ env }: Bench, { command }: Program): Promise<Sample> {
  const { stdout } = await new Deno.Command("python3", {
    args: [MEASURE, ...command],
    env: { ...env },
    stderr: "null",
  }).output();
  return JSON.parse(new TextDecoder().decode(stdout));
}

/** Prints a table of medians, and of how often they are the original's. */
function report(title: string, rows: readonly Row[]): Record<string, Sample> {
  const [{ samples: bases = [] } = {}] = rows;
  const columns = Object.keys(bases[0] ?? {});
  const table = Object.fromEntries(rows.map(({ name, samples }) => {
    const cells = columns.flatMap((column) => {
      const [values, original] = [samples, bases].map((rows) =>
        rows.map((sample) => sample[column] ?? NaN)
      ) as [number[], number[]];
      const ratios = values.map((value, round) =>
        value / (original[round] ?? NaN)
      );
      const least = Math.min(...values) / Math.min(...original);
      return [
        [column, median(values)],
        [`× of ${column}`, median(ratios)],
        ...column === "wallMs" ? [["× of least", least]] : [],
      ];
    });
    return [name, Object.fromEntries(cells)];
  }));
  const heads = Object.keys(Object.values(table)[0] ?? {});
  console.log(`\n${title}, ${bases.length} rounds`);
  console.log(`| | ${heads.join(" | ")} |`);
  console.log(`|${" --- |".repeat(heads.length + 1)}`);
  for (const [name, cells] of Object.entries(table)) {
    const texts = heads.map((head) =>
      cells[head]?.toFixed(head.startsWith("×") ? 2 : 1)
    );
    console.log(`| ${name} | ${texts.join(" | ")} |`);
  }
  return table;
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[values.length >> 1] ?? NaN;
}

if (import.meta.main) await main(Deno.args);
