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
 * Options: `--coverage=DIR` collects coverage; words name files of tests, or
 * folders (`deno task test tests/pki`). What takes longer has tasks of its own:
 * `sweep`, `fuzz`, `soak`, `bench`.
 */
import { buildAnchors } from "./anchors.ts";
import { bundleOneFile, compile } from "./build.ts";
import { fetchEnvoy } from "./envoy.ts";
import { cacheDirectory } from "./paths.ts";
import { tryProgram } from "./run_program.ts";
import { report, runTests } from "./run_tests.ts";
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
