/**
 * `deno task ok`: the gate.
 *
 * Format, lint (with our own plugin), types, the vendored bundles, and all
 * tests with coverage. `--tested=DIR` judges the coverage of a run of
 * `deno task test --coverage=DIR` that has just been, instead of testing again.
 */
import { ROOT } from "./paths.ts";
import { bundleVendored, VENDORED } from "./vendor.ts";

/** Least share of lines that tests must reach, per folder. */
const COVERAGE_FLOORS: Readonly<Record<string, number>> = {
  "src/pki/": 0.9,
  "src/files/": 0.85,
  "src/ca/": 0.85,
};

const SOURCES = ["main.ts", "src", "scripts", "tests"];

async function main(args: readonly string[]): Promise<number> {
  const tested = args.find((word) => word.startsWith("--tested="))?.slice(9);
  const coverage = tested ?? await Deno.makeTempDir();
  const steps: Record<string, () => Promise<boolean>> = {
    "format": () => deno(["fmt", "--check"]),
    "lint": () => deno(["lint"]),
    "types": () => deno(["check", "--frozen", ...SOURCES]),
    "vendored bundles": vendoredIsCurrent,
    "tests": async () =>
      tested !== undefined ||
      await deno(["task", "-q", "test", `--coverage=${coverage}`]),
    "coverage": () => coverageIsEnough(coverage),
  };
  const failed = [];
  for (const [name, step] of Object.entries(steps)) {
    console.error(`== ${name}`);
    if (!await step()) failed.push(name);
  }
  if (tested === undefined) await Deno.remove(coverage, { recursive: true });
  console.error(failed.length === 0 ? "ok" : `failed: ${failed.join(", ")}`);
  return failed.length === 0 ? 0 : 1;
}

async function deno(args: readonly string[]): Promise<boolean> {
  const { success } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: ROOT,
  }).spawn().status;
  return success;
}

async function vendoredIsCurrent(): Promise<boolean> {
  let current = true;
  for (const path of VENDORED) {
    if (await Deno.readTextFile(path) === await bundleVendored(path)) continue;
    console.error(
      `${path} is not the bundle of the locked versions: run "deno task vendor"`,
    );
    current = false;
  }
  return current;
}

async function coverageIsEnough(directory: string): Promise<boolean> {
  const { stdout, success } = await new Deno.Command(Deno.execPath(), {
    args: ["coverage", "--lcov", `--include=^file://${ROOT}src/`, directory],
    cwd: ROOT,
    stdout: "piped",
  }).output();
  if (!success) return false;
  const lines = countLines(new TextDecoder().decode(stdout));
  let enough = true;
  for (const [folder, floor] of Object.entries(COVERAGE_FLOORS)) {
    const { found, hit } = lines(folder);
    const share = found === 0 ? 0 : hit / found;
    console.error(
      `${folder} ${(share * 100).toFixed(1)} % of ${found} lines, at least ${
        floor * 100
      } %`,
    );
    if (share < floor) enough = false;
  }
  return enough;
}

/** Lines found and hit below a folder, from an lcov report. */
function countLines(
  lcov: string,
): (folder: string) => { found: number; hit: number } {
  const records = lcov.split("end_of_record").map((record) => ({
    file: /^SF:(.*)$/m.exec(record)?.[1] ?? "",
    found: Number(/^LF:(\d+)$/m.exec(record)?.[1] ?? "0"),
    hit: Number(/^LH:(\d+)$/m.exec(record)?.[1] ?? "0"),
  }));
  return (folder) =>
    records.filter(({ file }) =>
      file.includes(`/${folder}`) && !file.includes("/vendor/")
    ).reduce(
      (sum, { found, hit }) => ({
        found: sum.found + found,
        hit: sum.hit + hit,
      }),
      { found: 0, hit: 0 },
    );
}

if (import.meta.main) Deno.exit(await main(Deno.args));
