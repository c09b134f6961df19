/**
 * `deno task test`: every test, with everything that the tests need.
 *
 * Sets up what is missing (Debian packages when we may install them, the real
 * step-ca and step, Envoy, validators, a base runtime to compile with), then runs
 * the suite on the source and once more, on the bundle and on the compiled
 * program, those end-to-end tests that may tell them apart. What cannot be set up
 * makes the tests that need it say "ignored" and why; with CI=true it is a
 * failure instead. Types are the gate's matter.
 *
 * Options: `--coverage=DIR` collects coverage; other words go to `deno test`
 * as filters of files (`deno task test tests/pki`). What takes longer has tasks
 * of its own: `sweep`, `fuzz`, `soak`, `bench`.
 */
import { buildAnchors } from "./anchors.ts";
import { bundleOneFile, compile } from "./build.ts";
import { fetchEnvoy } from "./envoy.ts";
import { cacheDirectory, ROOT } from "./paths.ts";
import { tryProgram } from "./run_program.ts";
import { installValidators } from "./validators.ts";
import { baseRuntime } from "../tests/support/base_runtime.ts";

/**
 * The end-to-end tests that the compiled program has to pass as well, which has
 * another runtime: each example of the manual, keys of every type, cycles of a
 * daemon, what it trusts, signals, also of an entrypoint, terminals, hooks,
 * datagrams to systemd.
 * The rest tests what is the same code in all.
 */
const OF_COMPILED = [
  "daemon_cycles",
  "hook",
  "manual",
  "older_runtime",
  "run_signals",
  "signals",
  "systemd",
  "systemd_units",
  "trust",
];

/** Those of the bundle, which only loads its modules in another way. */
const OF_BUNDLE = ["manual", "trust"];

/** A form of the program, and the tests that tell it from the source. */
interface Form {
  readonly program: string;
  readonly tests: readonly string[];
}

/** Programs that the tests call, and the Debian packages that bring them. */
const TOOLS: Readonly<Record<string, string>> = {
  openssl: "openssl",
  nginx: "nginx-light",
  mandoc: "mandoc",
  shellcheck: "shellcheck",
  zsh: "zsh",
  fish: "fish",
  haproxy: "haproxy",
  lintian: "lintian",
  pg_ctlcluster: "postgresql",
  python3: "python3",
  // For Envoy, and for the validator of manifests.
  pip3: "python3-pip",
  ip: "iproute2",
  systemctl: "systemd",
  keytool: "default-jre-headless",
  "ssh-keygen": "openssh-client",
  strace: "strace",
  // With the headers that the tracer needs.
  gcc: "build-essential",
};

/** What `deno test` counted, and a line for each test that failed. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
  readonly failures: readonly string[];
}

/** How much of a failure's message its line shows, in characters. */
const SHOWN_MESSAGE = 300;

async function main(args: readonly string[]): Promise<number> {
  const coverage = args.filter((word) => word.startsWith("--coverage="));
  const paths = args.filter((word) => !word.startsWith("--coverage="));
  await setUp();
  const forms = paths.length > 0 ? [] : await otherForms();

  const runs = [
    await runTests([...coverage, ...paths.length > 0 ? paths : ["tests"]]),
  ];
  for (const { program, tests } of forms) {
    console.error(`\nonce more, on ${program}`);
    const files = tests.map((name) => `tests/e2e/${name}_test.ts`);
    runs.push(await runTests(files, { REKEY_TEST_BINARY: program }));
  }
  return report(runs);
}

/** Installs and builds what tests need and is missing. */
export async function setUp(): Promise<void> {
  await requireTools();
  complain(await buildAnchors());
  complain(await fetchEnvoy());
  complain(await installValidators());
}

/**
 * Prints what failed in some runs, and their sum; returns the exit code.
 *
 * The failures once more, since thousands of lines may stand between.
 */
export function report(runs: readonly Counts[]): number {
  const sum = (key: "passed" | "failed" | "ignored") =>
    runs.reduce((sum, run) => sum + run[key], 0);
  for (const line of runs.flatMap(({ failures }) => failures)) {
    console.log(`failed: ${line}`);
  }
  if (sum("ignored") > 0) console.log(`${sum("ignored")} ignored`);
  console.log(`${sum("passed")} passed, ${sum("failed")} failed`);
  return sum("failed") > 0 || sum("passed") === 0 ? 1 : 0;
}

/** The program as a bundle, and compiled where that is possible. */
async function otherForms(): Promise<readonly Form[]> {
  const program = await bundleOneFile(`${cacheDirectory()}/test_bundle`);
  const bundle = { program, tests: OF_BUNDLE };
  const runtime = await baseRuntime();
  if (typeof runtime === "string") {
    complain(`the compiled program is not tested: ${runtime}`);
    return [bundle];
  }
  const binary = await compile(`${cacheDirectory()}/test_binary`, {
    DENO_BIN: runtime.deno,
    DENORT_BIN: runtime.denort,
  });
  return [bundle, { program: binary, tests: OF_COMPILED }];
}

/**
 * Runs `deno test` with more words and variables, and counts from its report.
 *
 * Two files for each core at once: tests wait for servers, hooks and daemons
 * for about a third of their time.
 */
export async function runTests(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Counts> {
  const junit = await Deno.makeTempFile({ suffix: ".xml" });
  const seed = Deno.env.get("REKEY_TEST_SEED") ??
    String(crypto.getRandomValues(new Uint32Array(1))[0]);
  console.error(
    `REKEY_TEST_SEED=${seed} repeats order and samples of this run`,
  );
  try {
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: [
        "test",
        "--allow-all",
        "--frozen",
        // The gate checks types.
        "--no-check",
        "--parallel",
        `--shuffle=${seed}`,
        `--junit-path=${junit}`,
        `--preload=${ROOT}tests/support/no_child_coverage.ts`,
        // The gate makes the one report that is read.
        "--coverage-raw-data-only",
        ...args,
      ],
      cwd: ROOT,
      env: {
        // The look for a newer Deno, half a second after the start of a program,
        // loads root certificates: on a slow machine before --root is pinned.
        DENO_NO_UPDATE_CHECK: "1",
        DENO_JOBS: String(2 * navigator.hardwareConcurrency),
        REKEY_TEST_SEED: seed,
        ...withoutProxyToUs(),
        ...env,
      },
    }).spawn().status;
    const counts = countJunit(await Deno.readTextFile(junit));
    if (code === 0 || counts.failed > 0) return counts;
    const failure = `deno test ended with ${code}: a file that does not load, \
or an error outside of a test`;
    return { ...counts, failed: 1, failures: [failure] };
  } finally {
    await Deno.remove(junit);
  }
}

/** The servers of the tests are on this machine, where no proxy leads. */
function withoutProxyToUs(): Record<string, string> {
  const hosts = [
    Deno.env.get("NO_PROXY") || Deno.env.get("no_proxy") || "",
    "127.0.0.1",
    "localhost",
  ].filter((host) => host !== "").join(",");
  return { NO_PROXY: hosts, no_proxy: hosts };
}

/** Numbers of the root element of a JUnit report, and its failures. */
export function countJunit(xml: string): Counts {
  const root = /<testsuites ([^>]*)>/.exec(xml)?.[1] ?? "";
  const number = (name: string) =>
    Number(new RegExp(`\\b${name}="(\\d+)"`).exec(root)?.[1] ?? "0");
  const ignored = (xml.match(/<skipped\b/g) ?? []).length;
  const failed = number("failures") + number("errors");
  const failures = Array.from(
    xml.matchAll(FAILED_CASE),
    ([, name = "", file = "", message = ""]) =>
      [file, name, message].map(unescapeXml).join(": ").replace(/\s+/g, " ")
        .slice(0, SHOWN_MESSAGE),
  );
  const passed = number("tests") - failed - ignored;
  return { passed, failed, ignored, failures };
}

const FAILED_CASE =
  /<testcase name="([^"]*)" classname="([^"]*)"[^>]*>\s*<(?:failure|error) message="([^"]*)"/g;

const ENTITIES: Readonly<Record<string, string>> = {
  lt: "<",
  gt: ">",
  quot: '"',
  apos: "'",
  amp: "&",
};

function unescapeXml(text: string): string {
  return text.replace(
    /&(\w+);/g,
    (whole, name: string) => ENTITIES[name] ?? whole,
  );
}

async function requireTools(): Promise<void> {
  const missing = [];
  for (const [tool, debianPackage] of Object.entries(TOOLS)) {
    if (!await isInstalled(tool)) missing.push(debianPackage);
  }
  if (missing.length === 0) return;
  const reason = Deno.build.os === "linux" && Deno.uid() === 0 &&
      await isInstalled("apt-get")
    ? await aptInstall(missing)
    : "not root on Debian";
  if (reason === undefined) return;
  complain(`cannot install ${missing.join(", ")}: ${reason}`);
}

async function aptInstall(
  packages: readonly string[],
): Promise<string | undefined> {
  const env = { DEBIAN_FRONTEND: "noninteractive" };
  return await tryProgram(["apt-get", "update", "-q"], env) ??
    await tryProgram(["apt-get", "install", "-y", "-q", ...packages], env);
}

async function isInstalled(program: string): Promise<boolean> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    const file = await Deno.stat(`${folder}/${program}`).catch(() => undefined);
    if (file?.isFile) return true;
  }
  return false;
}

/** Says what is missing; in CI nothing may be. */
function complain(reason: string | undefined): void {
  if (reason === undefined) return;
  console.error(reason);
  if (Deno.env.get("CI") === "true") Deno.exit(1);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
