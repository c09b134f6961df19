/**
 * `deno task bench`: this program beside the original, in the same run.
 *
 * Machines drift, so the contestants take turns (A B C D, A B C D, …) and only
 * ratios of one table are worth quoting. Ours runs from source, as a bundle and
 * as a compiled program; the original is the real `step`, against the same real
 * step-ca. `--rounds=N` sets the turns (default 15). Daemons are compared while
 * they wait, all at the same time.
 */
import { buildAnchors, findAnchor } from "../../scripts/anchors.ts";
import { bundleOneFile, compile } from "../../scripts/build.ts";
import { denoCacheDirectory, fromFileUrl, ROOT } from "../../scripts/paths.ts";
import { measureIdle } from "./idle.ts";
import { baseRuntime } from "../support/base_runtime.ts";
import { startStepCa, type StepCa } from "../support/step_ca.ts";
import { tempDir } from "../support/temp_dir.ts";

interface Sample {
  readonly wallMs: number;
  readonly cpuMs: number;
  readonly peakMiB: number;
}

interface Contestant {
  readonly name: string;
  readonly command: readonly string[];
}

const MEASURE = fromFileUrl(new URL("./measure.py", import.meta.url));

async function main(args: readonly string[]): Promise<void> {
  const rounds = Number(
    args.find((word) => word.startsWith("--rounds="))?.slice(9) ?? "15",
  );
  const missing = await buildAnchors();
  const step = await findAnchor("step");
  if (missing !== undefined || step === undefined) {
    throw new Error(`no original to compare with: ${missing}`);
  }
  await using directory = await tempDir();
  const ours = await ourPrograms(directory.path);
  await Deno.mkdir(directory.file("ca"));
  await using ca = await startStepCa(directory.file("ca"));

  report(
    "start-up (--version)",
    await compete(rounds, [
      { name: "step", command: [step, "version"] },
      ...ours.map(({ name, command }) => ({
        name,
        command: [...command, "--version"],
      })),
    ], {}),
  );
  for (
    const { title, turns, flags } of [
      { title: "one rekey (P-256)", turns: rounds, flags: [] },
      {
        title: "one rekey (RSA-4096)",
        turns: Math.ceil(rounds / 2),
        flags: ["--kty", "RSA", "--size", "4096"],
      },
    ]
  ) {
    const contestants: Contestant[] = [];
    for (
      const { name, command } of [{ name: "step", command: [step] }, ...ours]
    ) {
      const pair = await ca.issue(`${name}${turns}.example`, "admin");
      contestants.push({
        name,
        command: [
          ...command,
          ...["ca", "rekey", "--force", "--ca-url", ca.url],
          ...["--root", ca.rootFile, ...flags],
          pair.certificateFile,
          pair.keyFile,
        ],
      });
    }
    report(title, await compete(turns, contestants, { HOME: directory.path }));
  }
  await compareDaemons({ step, ours, ca, home: directory.path });
}

/** Daemons side by side, on certificates of a day: what waiting costs. */
async function compareDaemons(
  { step, ours, ca, home }: {
    readonly step: string;
    readonly ours: readonly Contestant[];
    readonly ca: StepCa;
    readonly home: string;
  },
): Promise<void> {
  const contestants: Contestant[] = [];
  for (
    const { name, command } of [
      { name: "step rekey", command: [step, "ca", "rekey"] },
      { name: "step renew", command: [step, "ca", "renew"] },
      ...ours.map(({ name, command }) => ({
        name,
        command: [...command, "ca", "rekey"],
      })),
    ]
  ) {
    const pair = await ca.issue(`${name.replace(" ", "-")}-daemon`, "admin");
    contestants.push({
      name,
      command: [
        ...[...command, "--daemon", "--ca-url", ca.url],
        ...["--root", ca.rootFile, pair.certificateFile, pair.keyFile],
      ],
    });
  }
  const results = await measureIdle(contestants, {
    DENO_DIR: await denoCacheDirectory(),
    HOME: home,
  });
  const [base] = results;
  console.log(`\nidle daemon, ${base?.seconds} s side by side`);
  console.log("| | RSS MiB | × step | private MiB | × step | cpu ms/min |");
  console.log("| --- | --- | --- | --- | --- | --- |");
  for (const { name, rssMiB, privateMiB, cpuMsPerMinute } of results) {
    console.log(
      `| ${name} | ${rssMiB.toFixed(1)} | ${
        (rssMiB / (base?.rssMiB ?? NaN)).toFixed(2)
      } | ${privateMiB.toFixed(1)} | ${
        (privateMiB / (base?.privateMiB ?? NaN)).toFixed(2)
      } | ${cpuMsPerMinute.toFixed(0)} |`,
    );
  }
}

/** Ours from source, as a bundle, and compiled where that is possible. */
async function ourPrograms(directory: string): Promise<Contestant[]> {
  const deno = [Deno.execPath(), "run", "--allow-all", "--no-prompt"];
  const programs = [
    { name: "source", command: [...deno, `${ROOT}main.ts`] },
    {
      name: "bundle",
      command: [
        ...deno,
        "--no-config",
        await bundleOneFile(`${directory}/bundle`),
      ],
    },
  ];
  const runtime = await baseRuntime();
  if (typeof runtime === "string") {
    console.error(`no compiled program: ${runtime}`);
    return programs;
  }
  const binary = await compile(`${directory}/dist`, {
    DENO_BIN: runtime.deno,
    DENORT_BIN: runtime.denort,
  });
  return [...programs, { name: "binary", command: [binary] }];
}

/** Each contestant once a round, in turn; the first round is a warm-up. */
async function compete(
  rounds: number,
  contestants: readonly Contestant[],
  env: Readonly<Record<string, string>>,
): Promise<ReadonlyMap<string, readonly Sample[]>> {
  const samples = new Map(
    contestants.map(({ name }) => [name, [] as Sample[]]),
  );
  for (let round = 0; round <= rounds; round++) {
    for (const { name, command } of contestants) {
      const sample = await measure(command, env);
      if (round > 0) samples.get(name)?.push(sample);
    }
  }
  return samples;
}

async function measure(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<Sample> {
  const { stdout, stderr } = await new Deno.Command("python3", {
    args: [MEASURE, ...command],
    // The cache of modules stays where it is when HOME moves.
    env: { DENO_DIR: await denoCacheDirectory(), ...env },
  }).output();
  const sample = JSON.parse(new TextDecoder().decode(stdout));
  if (sample.code !== 0) {
    throw new Error(
      `${command.join(" ")}: status ${sample.code}: ${
        new TextDecoder().decode(stderr)
      }`,
    );
  }
  return sample;
}

function report(
  title: string,
  results: ReadonlyMap<string, readonly Sample[]>,
): void {
  console.log(`\n${title}, ${results.values().next().value?.length} rounds`);
  console.log("| | wall ms | × step | cpu ms | × step | peak MiB | × step |");
  console.log("| --- | --- | --- | --- | --- | --- | --- |");
  const base = results.get("step") ?? [];
  for (const [name, samples] of results) {
    const cells = (["wallMs", "cpuMs", "peakMiB"] as const).flatMap((key) => {
      const ratios = samples.map((sample, round) =>
        sample[key] / (base[round]?.[key] ?? NaN)
      );
      return [
        median(samples.map((sample) => sample[key])).toFixed(1),
        median(ratios).toFixed(2),
      ];
    });
    console.log(`| ${name} | ${cells.join(" | ")} |`);
  }
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.floor(middle)] ?? NaN) +
    (sorted[Math.ceil(middle) - 1] ?? NaN)) / 2;
}

if (import.meta.main) await main(Deno.args);
