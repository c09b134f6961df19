/**
 * Runs files of tests by `deno test`, counts, and says what failed.
 */
import { ROOT } from "./paths.ts";
import { SEED, seeded } from "../tests/support/sweep.ts";

/** What `deno test` counted, and a line for each test that failed. */
export interface Counts {
  readonly passed: number;
  readonly failed: number;
  readonly ignored: number;
  readonly failures: readonly string[];
}

/** How much of a failure's message its line shows, in characters. */
const SHOWN_MESSAGE = 300;

/**
 * Prints what failed in some runs, and their sum; returns the exit code.
 *
 * The failures once more, since thousands of lines may stand between.
 */
export function report(runs: readonly Counts[]): number {
  const { passed, failed, ignored, failures } = sumOf(runs);
  for (const line of failures) console.log(`failed: ${line}`);
  if (ignored > 0) console.log(`${ignored} ignored`);
  console.log(`${passed} passed, ${failed} failed`);
  return failed > 0 || passed === 0 ? 1 : 0;
}

/**
 * Runs files of tests in some processes at once, with more words for `deno test`
 * and more variables, and counts from the reports.
 *
 * Not as threads of one process: they share the environment and the umask, and
 * a child that one of them starts holds for a moment what the others have open:
 * no such lock is free, and no such script can be executed.
 */
export async function runTests(
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Counts> {
  const flags = words.filter((word) => word.startsWith("-"));
  const paths = words.filter((word) => !word.startsWith("-"));
  const queue = await testFiles(paths);
  const runs: Counts[] = [];
  await Promise.all(
    Array.from({ length: PROCESSES }, async () => {
      while (queue.length > 0) {
        const share = Math.ceil(queue.length / (2 * PROCESSES));
        const files = queue.splice(0, Math.min(MOST_FILES, share));
        runs.push(await runFiles(files, { flags, env }));
      }
    }),
  );
  return sumOf(runs);
}

/** Tests wait for servers, hooks and daemons for about a third of their time. */
const PROCESSES = 2 * navigator.hardwareConcurrency;

/**
 * Most files of one process, one after the other: to start one takes as long as
 * many a file. Towards the end fewer, so that all processes end at once.
 */
const MOST_FILES = 6;

/** The files that paths from ROOT name, or that are below them, in an order by chance. */
export async function testFiles(paths: readonly string[]): Promise<string[]> {
  const found: { readonly file: string; readonly rank: number }[] = [];
  const visit = async (path: string) => {
    if (!(await Deno.stat(ROOT + path)).isDirectory) {
      found.push({ file: path, rank: seeded(path)() });
      return;
    }
    for await (const { name, isDirectory } of Deno.readDir(ROOT + path)) {
      if (isDirectory || name.endsWith("_test.ts")) {
        await visit(`${path}/${name}`);
      }
    }
  };
  for (const path of paths) await visit(path);
  return found.sort((a, b) => a.rank - b.rank).map(({ file }) => file);
}

/** Runs files one after the other, and prints what they printed at the end. */
async function runFiles(
  files: readonly string[],
  { flags, env }: {
    readonly flags: readonly string[];
    readonly env: Readonly<Record<string, string>>;
  },
): Promise<Counts> {
  const junit = await Deno.makeTempFile({ suffix: ".xml" });
  try {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["test", "--allow-all", "--frozen"],
        // The gate checks types.
        "--no-check",
        `--shuffle=${SEED}`,
        `--junit-path=${junit}`,
        `--preload=${ROOT}tests/support/no_child_coverage.ts`,
        // The gate makes the one report that is read.
        "--coverage-raw-data-only",
        ...flags,
        ...files,
      ],
      cwd: ROOT,
      env: {
        // The look for a newer Deno, half a second after the start of a program,
        // loads root certificates: on a slow machine before --root is pinned.
        DENO_NO_UPDATE_CHECK: "1",
        REKEY_TEST_SEED: String(SEED),
        ...withoutProxyToUs(),
        ...env,
      },
    }).output();
    for (const bytes of [stdout, stderr]) {
      const text = new TextDecoder().decode(bytes).trimEnd();
      if (text !== "") console.log(text);
    }
    const counts = countJunit(await Deno.readTextFile(junit));
    if (code === 0 || counts.failed > 0) return counts;
    const failure = `${files.join(" ")}: deno test ended with ${code}`;
    return { ...counts, failed: 1, failures: [failure] };
  } finally {
    await Deno.remove(junit);
  }
}

function sumOf(runs: readonly Counts[]): Counts {
  const sum = (key: "passed" | "failed" | "ignored") =>
    runs.reduce((sum, run) => sum + run[key], 0);
  return {
    passed: sum("passed"),
    failed: sum("failed"),
    ignored: sum("ignored"),
    failures: runs.flatMap(({ failures }) => failures),
  };
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
