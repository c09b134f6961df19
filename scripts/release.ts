/**
 * `deno task release`: fills dist/ with all that is published of a version.
 *
 * A program for each platform, Debian packages, the bundle for `deno run`, what
 * else belongs on a host, the bill of materials, licences, and the sums of all.
 * The same sources and the same Deno give the same bytes.
 *
 * A platform whose base runtime cannot be had is named, and the rest is made.
 * Environment: that of scripts/build.ts; DENORT_BIN is for this machine's own
 * platform. For Linux on x86-64 the base runtime of the tests stands in, which
 * is said: that one is not for publishing. `--strict` takes no such thing, and
 * no checkout with changes.
 */
import { VERSION, VERSION_DATE } from "../src/cli/grammar/command.ts";
import { PROGRAM } from "../src/cli/process/called_as.ts";
import { baseRuntime } from "../tests/support/base_runtime.ts";
import {
  type BuildOptions,
  bundleForCompile,
  bundleOneFile,
  commitOfCheckout,
  compilePieces,
} from "./build.ts";
import { debianPackage, sharedFiles, unitFiles } from "./debian_package.ts";
import { licenseTexts, lockedParts } from "./parts.ts";
import { ROOT } from "./paths.ts";
import { outputOf } from "./run_program.ts";
import { billOfMaterials } from "./sbom.ts";

/** What a file is named for, by what Deno compiles for. */
const TARGETS: Readonly<Record<string, string>> = {
  "x86_64-unknown-linux-gnu": "linux-x86_64",
  "aarch64-unknown-linux-gnu": "linux-aarch64",
  "x86_64-apple-darwin": "macos-x86_64",
  "aarch64-apple-darwin": "macos-aarch64",
  "x86_64-pc-windows-msvc": "windows-x86_64",
};

/** The one that the base runtime of the tests is for. */
const TEST_TARGET = "x86_64-unknown-linux-gnu";

/** How a release is made. */
export interface ReleaseOptions {
  readonly DENO_BIN?: string | undefined;
  readonly DENORT_BIN?: string | undefined;
  readonly commit: string | null;
  /** Of all that has a time in it. */
  readonly date: Date;
  /** For `dpkg-deb`. */
  readonly compression: readonly string[];
  readonly targets: readonly string[];
  /** Nothing stands in for a base runtime that is missing. */
  readonly isStrict: boolean;
}

/** What became of a release. */
export interface Release {
  /** Names of the files in the folder. */
  readonly files: readonly string[];
  /** Platforms that have no program, and why. */
  readonly missing: ReadonlyMap<string, string>;
  /** Platforms whose program is for trying only, and why. */
  readonly unfit: ReadonlyMap<string, string>;
}

/** Makes all files of a release in `directory`. */
export async function release(
  directory: string,
  options: ReleaseOptions,
): Promise<Release> {
  const { commit, date, compression } = options;
  await clear(directory);
  const { programs, missing, unfit, deno } = await compileAll(
    directory,
    options,
  );
  const put = async (name: string, text: string) => {
    await Deno.writeTextFile(`${directory}/${name}`, text);
    return name;
  };
  const parts = await lockedParts();
  const subject = { name: PROGRAM, version: VERSION, commit, deno, date };
  const bill = await billOfMaterials(subject, parts);
  const licenses = await licenseTexts(parts, deno);
  const files = [
    ...programs.values(),
    await bundleFile(directory, commit),
    await hostFiles(directory, date),
    await put(`${PROGRAM}.cdx.json`, bill),
    await put("LICENSES.txt", licenses),
    await put("LICENSE", await Deno.readTextFile(`${ROOT}LICENSE`)),
  ];
  for (const [target, program] of programs) {
    if (!target.includes("linux")) continue;
    const path = await debianPackage(directory, {
      program: `${directory}/${program}`,
      billOfMaterials: bill,
      ...{ target, licenses, date, compression },
    });
    files.push(path.replace(/^.*\//, ""));
  }
  files.sort();
  const sums = await outputOf(["sha256sum", ...files], { cwd: directory });
  return {
    files: [...files, await put("SHA256SUMS", sums)],
    missing,
    unfit,
  };
}

async function bundleFile(
  directory: string,
  commit: string | null,
): Promise<string> {
  const work = await Deno.makeTempDir();
  try {
    const name = `${PROGRAM}-${VERSION}.js`;
    await Deno.copyFile(
      await bundleOneFile(work, commit),
      `${directory}/${name}`,
    );
    return name;
  } finally {
    await Deno.remove(work, { recursive: true });
  }
}

/** Removes what an earlier release left. */
async function clear(directory: string): Promise<void> {
  await Deno.mkdir(directory, { recursive: true });
  for await (const { name } of Deno.readDir(directory)) {
    const isOurs = /^step-rekey([-_]\d.*|\.cdx\.json)$/.test(name) ||
      ["SHA256SUMS", "LICENSE", "LICENSES.txt"].includes(name);
    if (isOurs) await Deno.remove(`${directory}/${name}`);
  }
}

interface Compiled extends Omit<Release, "files"> {
  /** Their files, by what they are for. */
  readonly programs: ReadonlyMap<string, string>;
  /** The version of the Deno that they hold. */
  readonly deno: string;
}

async function compileAll(
  directory: string,
  { commit, targets, isStrict, DENO_BIN, DENORT_BIN }: ReleaseOptions,
): Promise<Compiled> {
  const programs = new Map<string, string>();
  const missing = new Map<string, string>();
  const unfit = new Map<string, string>();
  let builder = DENO_BIN ?? Deno.execPath();
  const work = await Deno.makeTempDir();
  try {
    const main = await bundleForCompile(`${work}/build`, { commit });
    const add = async (target: string, build: BuildOptions) => {
      const name = programName(target);
      const made = await compilePieces(work, main, { target, ...build });
      await requireVersion(made, target);
      await Deno.copyFile(made, `${directory}/${name}`);
      programs.set(target, name);
    };
    for (const target of targets) {
      const isOwn = target === Deno.build.target;
      const own = { DENO_BIN, DENORT_BIN: isOwn ? DENORT_BIN : undefined };
      const problem = await add(target, own).then(() => undefined, reasonOf);
      if (problem === undefined) continue;
      const runtime = isStrict || target !== TEST_TARGET
        ? problem
        : await baseRuntime();
      if (typeof runtime === "string") {
        missing.set(target, problem);
        continue;
      }
      builder = runtime.deno;
      await add(target, { DENO_BIN: builder, DENORT_BIN: runtime.denort });
      unfit.set(target, problem);
    }
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  return { programs, missing, unfit, deno: await versionOf(builder) };
}

function programName(target: string): string {
  const extension = target.includes("windows") ? ".exe" : "";
  return `${PROGRAM}-${VERSION}-${TARGETS[target] ?? target}${extension}`;
}

/** One that can run here has to start. */
async function requireVersion(program: string, target: string): Promise<void> {
  if (target !== Deno.build.target) return;
  const said = await outputOf([program, "--version"]);
  if (!said.startsWith(`Version: ${PROGRAM}/${VERSION} (`)) {
    throw new Error(`${program} says that it is ${said}`);
  }
}

async function versionOf(deno: string): Promise<string> {
  const said = await outputOf([deno, "--version"], { env: { NO_COLOR: "1" } });
  return /^deno (\S+)/.exec(said)?.[1] ?? said;
}

/** What `deno compile` could not do, in a line. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const [, url] = /error sending request for url \((\S+)\)/.exec(text) ?? [];
  return url === undefined
    ? text.split("\n").join(" ")
    : `cannot download ${url}`;
}

/** Manual pages, completions and the unit, for hosts without a package. */
async function hostFiles(directory: string, date: Date): Promise<string> {
  const name = `${PROGRAM}-${VERSION}-host-files.tar.gz`;
  const work = await Deno.makeTempDir();
  try {
    const files = Object.entries(await sharedFiles())
      .map(([path, text]) => [`share/${path}`, text] as const);
    const units = unitFiles(`/usr/local/bin/${PROGRAM}`)
      .map(({ name, text }) => [`lib/systemd/system/${name}`, text] as const);
    for (const [path, text] of [...files, ...units]) {
      await Deno.mkdir(`${work}/${path.replace(/\/[^/]*$/, "")}`, {
        recursive: true,
      });
      await Deno.writeTextFile(`${work}/${path}`, text);
    }
    const archive = `${directory}/${name.replace(/\.gz$/, "")}`;
    await outputOf([
      ...["tar", "--create", "--file", archive, "--directory", work] as const,
      ...["--sort=name", "--format=ustar", "--mode=a+rX,u+w,go-w"],
      ...["--owner=0", "--group=0", "--numeric-owner"],
      ...[`--mtime=@${date.getTime() / 1000}`, "lib", "share"],
    ]);
    await outputOf(["gzip", "--force", "-9", "--no-name", archive]);
  } finally {
    await Deno.remove(work, { recursive: true });
  }
  return name;
}

/** The day of the version, or what SOURCE_DATE_EPOCH says. */
function releaseDate(): Date {
  const seconds = Deno.env.get("SOURCE_DATE_EPOCH");
  return seconds ? new Date(Number(seconds) * 1000) : new Date(VERSION_DATE);
}

async function main(args: readonly string[]): Promise<number> {
  const unknown = args.find((word) => word !== "--strict");
  if (unknown !== undefined) {
    console.error(`unknown argument: ${unknown}\nhint: there is --strict`);
    return 1;
  }
  const isStrict = args.length > 0;
  const commit = await commitOfCheckout();
  if (isStrict && !/^[0-9a-f]+$/.test(commit ?? "")) {
    console.error(
      `a release is made from a commit, and this checkout is ${
        commit ?? "no repository"
      }`,
    );
    return 1;
  }
  const made = await release(`${ROOT}dist`, {
    // Empty is not set.
    DENO_BIN: Deno.env.get("DENO_BIN") || undefined,
    DENORT_BIN: Deno.env.get("DENORT_BIN") || undefined,
    commit,
    date: releaseDate(),
    compression: ["-Zxz", "-z6"],
    targets: Object.keys(TARGETS),
    isStrict,
  });
  await show(made);
  return isStrict && made.missing.size > 0 ? 1 : 0;
}

async function show({ files, missing, unfit }: Release): Promise<void> {
  for (const file of files) {
    const { size } = await Deno.stat(`${ROOT}dist/${file}`);
    console.log(`${(size / 1e6).toFixed(1).padStart(6)} MB  dist/${file}`);
  }
  for (const [target, reason] of unfit) {
    console.error(
      `not for publishing: ${target}, on the base runtime of the tests: ${reason}`,
    );
  }
  for (const [target, reason] of missing) {
    console.error(`not made: ${target}: ${reason}`);
  }
  if (missing.size + unfit.size > 0) {
    console.error(
      "hint: Deno takes a base runtime from its cache, too; docs/releases.md says where",
    );
  }
}

if (import.meta.main) Deno.exit(await main(Deno.args));
