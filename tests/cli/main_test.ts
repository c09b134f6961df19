/** The real program as a child process: streams, pipes, exit codes. */
import { fromFileUrl } from "../../scripts/paths.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { run, runOk } from "../support/run.ts";
import { tempDir } from "../support/temp_dir.ts";

const MAIN = fromFileUrl(new URL("../../main.ts", import.meta.url));
const CONFIG = fromFileUrl(new URL("../../deno.json", import.meta.url));

function program(args: readonly string[], flags: readonly string[] = ["-A"]) {
  return ["run", "--no-prompt", `--config=${CONFIG}`, ...flags, MAIN, ...args];
}

Deno.test("main.ts answers --help without any permission", async () => {
  const { code, stdout, stderr } = await run(
    Deno.execPath(),
    program(["ca", "rekey", "--help"], []),
  );
  assertEquals([code, stderr], [0, ""]);
  assertStringIncludes(stdout, "\nOPTIONS\n");
});

for (
  const { line, isEarly } of [
    // Before the grammar refuses it.
    { line: ["ca", "rekey", "--bogus"], isEarly: true },
    { line: ["rekey", "--bogus"], isEarly: true },
    { line: ["ca", "rekey", "--help"], isEarly: false },
    { line: ["help", "ca", "rekey"], isEarly: false },
    { line: ["ca", "layout", "--bogus"], isEarly: false },
  ]
) {
  const what = isEarly ? "pins the trust" : "asks for nothing of the trust";
  Deno.test(`main.ts ${what} at: ${line.join(" ")}`, async () => {
    await using dir = await tempDir();
    await run(Deno.execPath(), program(line), {
      env: { DENO_AUDIT_PERMISSIONS: dir.file("audit") },
    });
    const audit = await Deno.readTextFile(dir.file("audit"));
    assertEquals(audit.includes("DENO_TLS_CA_STORE"), isEarly);
  });
}

Deno.test("main.ts exits 64 for a mistake", async () => {
  const { code, stdout, stderr } = await run(
    Deno.execPath(),
    program(["ca", "rekey", "--bogus"]),
  );
  assertEquals(code, 64);
  assertMatch(stderr, /^flag provided but not defined: -bogus\nusage: .*\n$/);
  assertEquals(stdout, "");
});

Deno.test("main.ts names the missing permission and exits 78", async () => {
  const { code, stderr } = await run(
    Deno.execPath(),
    program(["ca", "rekey", "a", "k"], []),
  );
  assertEquals(code, 78);
  assertStringIncludes(stderr, "--allow-env");
});

Deno.test("main.ts survives a reader that goes away", async () => {
  const { code, stderr } = await run("sh", [
    "-c",
    '"$@" | true; "$@" 2>&1 >/dev/null',
    "sh",
    Deno.execPath(),
    ...program(["ca", "rekey", "--help"]),
  ]);
  assertEquals([code, stderr], [0, ""]);
});

Deno.test({
  name: "main.ts tells a full disk from a reader that went away",
  ignore: Deno.build.os !== "linux", // no /dev/full
  async fn() {
    const { code, stderr } = await run("sh", [
      "-c",
      '"$@" >/dev/full',
      "sh",
      Deno.execPath(),
      ...program(["--help"]),
    ]);
    assertEquals(code, 73);
    assertEquals(
      stderr,
      "write to standard output failed: no space left on device\n",
    );
  },
});

Deno.test("main.ts keeps its exit code when standard error cannot be written", async () => {
  const { code } = await run("sh", [
    "-c",
    '"$@" 2>/dev/full >/dev/null',
    "sh",
    Deno.execPath(),
    ...program(["ca", "rekey", "a"]),
  ]);
  assertEquals(code, 64);
});

interface ModuleGraph {
  readonly modules: readonly {
    readonly specifier: string;
    readonly dependencies?: readonly {
      readonly code?: { readonly specifier?: string };
      readonly isDynamic?: boolean;
    }[];
  }[];
}

Deno.test("main.ts runs the program outside of its own frame", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.file("src/cli/process"), { recursive: true });
  await Deno.copyFile(MAIN, dir.file("main.ts"));
  await Deno.writeTextFile(
    dir.file("src/cli/process/program.ts"),
    `export const denoProgram = () => ({
  beginEarly: () => console.log(new Error().stack),
});`,
  );
  await Deno.writeTextFile(
    dir.file("src/cli/run.ts"),
    `export async function run() {
  await 0;
  console.log(new Error().stack);
  return 3;
}`,
  );
  const { code, stdout } = await run(Deno.execPath(), [
    ...["run", "--no-config", dir.file("main.ts")],
  ]);
  assertEquals(code, 3);
  assertStringIncludes(stdout, "at main (file://");
  assertStringIncludes(stdout, "at async main (file://");
  assertEquals(stdout.match(/^ +at (?:async )?file:.*\/main\.ts.*/m), null);
});

Deno.test("main.ts loads nothing of the engine before the options are complete", async () => {
  const { stdout } = await runOk(Deno.execPath(), [
    "info",
    "--json",
    `--config=${CONFIG}`,
    MAIN,
  ]);
  const graph: ModuleGraph = JSON.parse(stdout);
  const below = (name: string) =>
    new URL(`../../${name}`, import.meta.url).href;
  // What run.ts and the command load on their way to a resolved command line.
  const queue = [
    "main.ts",
    "src/cli/run.ts",
    "src/cli/commands/rekey.ts",
    "src/cli/help.ts",
    "src/cli/process/report.ts",
    "src/cli/settings/settings.ts",
    "src/cli/settings/step_path.ts",
    "src/cli/resolve/rekey.ts",
  ].map(below);
  const loaded = new Set<string>();
  for (let next = queue.pop(); next !== undefined; next = queue.pop()) {
    if (loaded.has(next)) continue;
    loaded.add(next);
    const module = graph.modules.find(({ specifier }) => specifier === next);
    for (const { code, isDynamic } of module?.dependencies ?? []) {
      if (code?.specifier !== undefined && !isDynamic) {
        queue.push(code.specifier);
      }
    }
  }
  // What pins the trust has to be there before anything is awaited.
  const early = ["src/ca/online/trust.ts", "src/ca/online/proxy.ts"].map(below);
  const engine = [...loaded].filter((specifier) =>
    !early.includes(specifier) &&
    /\/src\/(?:pki|ca|files|daemon|engine)\b|\/process\/job\.ts/.test(specifier)
  );
  assert(loaded.has(below("src/cli/grammar/go_arguments.ts")));
  assertEquals(engine, []);
});
