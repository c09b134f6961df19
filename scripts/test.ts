/**
 * `deno task test`: every test, with everything that the tests need.
 *
 * Sets up what is missing (Debian packages when we may install them, the real
 * step-ca and step, a base runtime to compile with), then runs the suite on the
 * source and its end-to-end part once more on the compiled program. What cannot
 * be set up makes the tests that need it say "ignored" and why; with CI=true
 * it is a failure instead.
 *
 * Options: `--coverage=DIR` collects coverage; other words go to `deno test`
 * as filters of files (`deno task test tests/pki`).
 */
import { buildAnchors } from "./anchors.ts";
import { compile } from "./build.ts";
import { cacheDirectory, ROOT } from "./paths.ts";
import { baseRuntime } from "../tests/support/base_runtime.ts";

/** Programs that the tests call, and the Debian packages that bring them. */
const TOOLS: Readonly<Record<string, string>> = {
  openssl: "openssl",
  nginx: "nginx-light",
  haproxy: "haproxy",
  pg_ctlcluster: "postgresql",
  python3: "python3",
  "ssh-keygen": "openssh-client",
  strace: "strace",
  // With the headers that the tracer needs.
  gcc: "build-essential",
};

interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
}

async function main(args: readonly string[]): Promise<number> {
  const coverage = args.find((word) => word.startsWith("--coverage="));
  const paths = args.filter((word) => !word.startsWith("--coverage="));
  await requireTools();
  report(await buildAnchors());
  const binary = await compileForTests();

  const runs = [
    await deno({
      args: [
        ...coverage === undefined ? [] : [coverage],
        ...paths.length > 0 ? paths : ["tests"],
      ],
      env: {},
    }),
  ];
  if (binary !== undefined && paths.length === 0) {
    console.error("\nonce more, on the compiled program");
    runs.push(
      await deno({ args: ["tests/e2e"], env: { STEP_REKEY_BINARY: binary } }),
    );
  }
  const total = runs.reduce((sum, run) => ({
    passed: sum.passed + run.passed,
    failed: sum.failed + run.failed,
    ignored: sum.ignored + run.ignored,
  }));
  if (total.ignored > 0) console.log(`${total.ignored} ignored`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed > 0 || total.passed === 0 ? 1 : 0;
}

async function compileForTests(): Promise<string | undefined> {
  const runtime = await baseRuntime();
  if (typeof runtime === "string") {
    report(`the compiled program is not tested: ${runtime}`);
    return undefined;
  }
  const directory = `${cacheDirectory()}/test_binary`;
  return await compile(directory, {
    DENO_BIN: runtime.deno,
    DENORT_BIN: runtime.denort,
  });
}

/** Runs `deno test` and counts from its own report. */
async function deno(
  run: {
    readonly args: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  },
): Promise<Counts> {
  const junit = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const { code } = await new Deno.Command(Deno.execPath(), {
      args: [
        "test",
        "--allow-all",
        "--frozen",
        "--parallel",
        "--shuffle",
        `--junit-path=${junit}`,
        ...run.args,
      ],
      cwd: ROOT,
      // The look for a newer Deno, half a second after the start of a program,
      // loads root certificates: on a slow machine before --root is pinned.
      env: { DENO_NO_UPDATE_CHECK: "1", ...run.env },
    }).spawn().status;
    const counts = countJunit(await Deno.readTextFile(junit));
    // A file that does not load fails the run without a failed test.
    return code !== 0 && counts.failed === 0
      ? { ...counts, failed: 1 }
      : counts;
  } finally {
    await Deno.remove(junit);
  }
}

/** Numbers of the root element of a JUnit report. */
export function countJunit(xml: string): Counts {
  const root = /<testsuites ([^>]*)>/.exec(xml)?.[1] ?? "";
  const number = (name: string) =>
    Number(new RegExp(`\\b${name}="(\\d+)"`).exec(root)?.[1] ?? "0");
  const ignored = (xml.match(/<skipped\b/g) ?? []).length;
  const failed = number("failures") + number("errors");
  return { passed: number("tests") - failed - ignored, failed, ignored };
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
  report(`cannot install ${missing.join(", ")}: ${reason}`);
}

async function aptInstall(
  packages: readonly string[],
): Promise<string | undefined> {
  for (
    const args of [["update", "-q"], ["install", "-y", "-q", ...packages]]
  ) {
    const { code } = await new Deno.Command("apt-get", {
      args,
      env: { DEBIAN_FRONTEND: "noninteractive" },
      stdout: "null",
      stderr: "inherit",
    }).spawn().status;
    if (code !== 0) return `apt-get ${args[0]} exited with status ${code}`;
  }
  return undefined;
}

async function isInstalled(program: string): Promise<boolean> {
  for (const folder of (Deno.env.get("PATH") ?? "").split(":")) {
    const file = await Deno.stat(`${folder}/${program}`).catch(() => undefined);
    if (file?.isFile) return true;
  }
  return false;
}

/** Says what is missing; in CI nothing may be. */
function report(reason: string | undefined): void {
  if (reason === undefined) return;
  console.error(reason);
  if (Deno.env.get("CI") === "true") Deno.exit(1);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
