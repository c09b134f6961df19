/**
 * `deno task bench`: this program beside the original, in the same run.
 *
 * Machines drift, so the contestants take turns (A B C D, A B C D, …) and only
 * ratios of one table are worth quoting; on a busy machine those of the minima.
 * Ours runs from source, as one file and as a compiled program; the original is
 * the real `step`, against the same real step-ca. The rows "empty" are what any
 * program on the runtime takes: see floor.js.
 *
 * `--rounds=N` sets the turns (default 31), `--rekeys=N` those in one process
 * (default 100), `--only=TEXT` takes the tables whose title holds it,
 * `--json=FILE` writes all of them. A run of everything writes docs/benchmarks.md
 * and its chart; `--page=FOLDER` puts them elsewhere, whatever was measured.
 */
import { denoCacheDirectory, fromFileUrl, ROOT } from "../../scripts/paths.ts";
import { startStepCa, type StepCa } from "../support/step_ca.ts";
import { tempDir } from "../support/temp_dir.ts";
import { chart } from "./chart.ts";
import { measureIdle, measureRekeys } from "./daemons.ts";
import { machineText, page, STAGES_TITLE } from "./page.ts";
import { timeLine } from "./time_line.ts";
import { type Contestants, contestants, withWords } from "./programs.ts";
import {
  printTable,
  type Program,
  type Row,
  type Sample,
  type Table,
  tableOf,
} from "./table.ts";

interface Bench extends Contestants {
  readonly rounds: number;
  readonly rekeys: number;
  readonly env: Readonly<Record<string, string>>;
  readonly ca: StepCa;
  readonly only: string;
  report(title: string, rows: readonly Row[]): void;
}

const MEASURE = fromFileUrl(new URL("./measure.py", import.meta.url));

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
  await using directory = await tempDir();
  const { original, ours, floors } = await contestants(directory.path);
  await Deno.mkdir(directory.file("ca"));
  await using ca = await startStepCa(directory.file("ca"));
  const tables: Record<string, Table> = {};
  const bench: Bench = {
    rounds: Number(option("rounds") ?? "31"),
    rekeys: Number(option("rekeys") ?? "100"),
    env: {
      DENO_DIR: await denoCacheDirectory(),
      DENO_NO_UPDATE_CHECK: "1",
      HOME: directory.path,
    },
    ca,
    original,
    ours,
    floors,
    only: option("only") ?? "",
    report(title, rows) {
      tables[title] = tableOf(rows);
      printTable(title, tables[title], rows[0]?.samples.length ?? 0);
    },
  };
  await measure(bench);
  const json = option("json");
  if (json !== undefined) {
    await Deno.writeTextFile(json, `${JSON.stringify(tables, null, 2)}\n`);
  }
  const isWhole = bench.only === "" && ours.length > 2;
  const folder = option("page") ?? (isWhole ? `${ROOT}docs` : undefined);
  if (folder !== undefined) await writePage(folder, { tables, bench });
}

async function measure(bench: Bench): Promise<void> {
  const { ca, ours, floors } = bench;
  // Deno keeps what it made of a program at the first run that is long enough.
  for (const program of ours) {
    const pair = await newPair(ca, `${program.name} first`);
    await run(bench, withWords(program, ["ca", "rekey", "--force", ...pair]));
  }
  await compete(bench, "--version", [
    ...allOf(bench).map((program) => withWords(program, ["--version"])),
    ...floors.map((floor) => withWords(floor, ["nothing"])),
  ]);
  for (const command of ["needs-renewal", "fingerprint"]) {
    await measureAnswer(bench, command);
  }
  for (const key of KEYS) await measureRekey(bench, key);
  await measureStages(bench);
  await measureDaemons(bench);
}

async function writePage(
  folder: string,
  { tables, bench: { rounds, rekeys } }: {
    readonly tables: Readonly<Record<string, Table>>;
    readonly bench: Bench;
  },
): Promise<void> {
  const machine = await machineText();
  const file = `${folder}/benchmarks.md`;
  await Deno.writeTextFile(file, page(tables, { rounds, rekeys, machine }));
  await Deno.writeTextFile(`${folder}/benchmarks.svg`, chart(tables));
  await new Deno.Command(Deno.execPath(), { args: ["fmt", "--quiet", file] })
    .spawn().status;
}

function allOf({ original, ours }: Bench): readonly Program[] {
  return [original, ...ours];
}

async function measureAnswer(bench: Bench, command: string): Promise<void> {
  const { certificateFile } = await bench.ca.issue(command, "admin");
  await compete(bench, `certificate ${command}`, [
    ...allOf(bench).map((program) =>
      withWords(program, ["certificate", command, certificateFile])
    ),
  ]);
}

async function measureRekey(
  bench: Bench,
  { type, share, flags }: typeof KEYS[number],
): Promise<void> {
  const title = `one rekey, ${type}`;
  if (!title.includes(bench.only)) return;
  const { ca, floors } = bench;
  const programs = await rekeysOf(bench, type, flags);
  const { certificateFile, keyFile } = await ca.issue("floor", "admin");
  const files = [ca.rootFile, certificateFile, keyFile];
  for (const { name, command } of floors) {
    programs.push(
      { name: `${name} + seeding`, command: [...command, "seeding"] },
      {
        name: `${name} + seeding + mTLS request`,
        command: [...command, "request", `${ca.url}/health`, ...files],
      },
    );
  }
  await compete(bench, title, programs, share);
}

/** A rekey of each contestant. */
async function rekeysOf(
  bench: Bench,
  name: string,
  flags: readonly string[] = [],
): Promise<Program[]> {
  const programs: Program[] = [];
  for (const program of allOf(bench)) {
    const pair = await newPair(bench.ca, `${program.name} ${name}`);
    const words = ["ca", "rekey", "--force", ...flags, ...pair];
    programs.push(withWords(program, words));
  }
  return programs;
}

async function measureStages(bench: Bench): Promise<void> {
  if (!STAGES_TITLE.includes(bench.only)) return;
  const { ca, env, floors } = bench;
  const programs = await rekeysOf(bench, "stages");
  const { certificateFile, keyFile } = await ca.issue("stages", "admin");
  const files = [ca.rootFile, certificateFile, keyFile];
  for (const { name, command } of floors) {
    const words = ["request", `${ca.url}/health`, ...files];
    programs.push({
      name: `${name} + seeding + mTLS request`,
      command: [...command, ...words],
    });
  }
  const rows = programs.map((one) => ({ ...one, samples: [] as Sample[] }));
  for (let round = 0; round < Math.ceil(bench.rounds / 2); round++) {
    for (const row of rows) row.samples.push(await timeLine(row, env));
  }
  bench.report(STAGES_TITLE, rows);
}

async function measureDaemons(bench: Bench): Promise<void> {
  const { ca, env, only, rekeys } = bench;
  const daemons = async (name: string, flags: readonly string[] = []) => {
    const found: Program[] = [];
    for (const program of allOf(bench)) {
      const pair = await newPair(ca, `${program.name} ${name}`);
      const words = ["ca", "rekey", "--daemon", ...flags, ...pair];
      found.push(withWords(program, words));
    }
    return found;
  };
  const idle = "idle daemon";
  if (idle.includes(only)) {
    const empty = bench.floors.map((floor) => withWords(floor, ["wait"]));
    const all = [...await daemons("idle"), ...empty];
    bench.report(idle, await measureIdle(all, env));
  }
  const busy = "rekeys in one process";
  if (busy.includes(only)) {
    const all = await daemons("busy", ["--rekey-period", "1s"]);
    bench.report(busy, await measureRekeys(rekeys, all, env));
  }
}

async function newPair(ca: StepCa, name: string): Promise<readonly string[]> {
  const host = name.toLowerCase().replaceAll(/[^a-z\d]+/g, "-");
  const { certificateFile, keyFile } = await ca.issue(host, "admin");
  return ["--ca-url", ca.url, "--root", ca.rootFile, certificateFile, keyFile];
}

/** Each contestant once a round, in turn; the first round is a warm-up. */
async function compete(
  bench: Bench,
  title: string,
  programs: readonly Program[],
  share = 1,
): Promise<void> {
  if (!title.includes(bench.only)) return;
  const rows = programs.map((one) => ({ ...one, samples: [] as Sample[] }));
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

if (import.meta.main) await main(Deno.args);
