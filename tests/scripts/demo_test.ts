/**
 * The first command of the README.
 */
import { ROOT } from "../../scripts/paths.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { run, type RunResult } from "../support/run.ts";
import { tempDir } from "../support/temp_dir.ts";

/** With nothing around it: no programs, no settings of the person. */
function demo(directory: string, ...args: string[]): Promise<RunResult> {
  return run(Deno.execPath(), [
    ...["run", "-A", "--no-prompt", `${ROOT}scripts/demo.ts`, ...args],
  ], {
    env: {
      HOME: directory,
      TMPDIR: directory,
      PATH: "/nonexistent",
      NO_COLOR: "1",
      // What it imports is there; the network must not be needed.
      DENO_NO_UPDATE_CHECK: "1",
    },
    clearEnv: true,
    cwd: directory,
  });
}

async function namesIn(directory: string): Promise<string[]> {
  const names = [];
  for await (const { name } of Deno.readDir(directory)) names.push(name);
  return names.filter((name) => name.startsWith("step-rekey-demo-"));
}

function shown(stdout: string, label: string): string[] {
  return Array.from(
    stdout.matchAll(new RegExp(`^ {2}${label} +(.*)$`, "gm")),
    ([, value = ""]) => value,
  );
}

Deno.test("deno task demo shows the pair before and after, and that it matches", async () => {
  await using directory = await tempDir();
  const { code, stdout, stderr } = await demo(directory.path);
  assertEquals(code, 0, stderr);
  for (const label of ["serial", "key", "valid"]) {
    const values = shown(stdout, label);
    assertEquals(values.length, 2, label);
    assertEquals(new Set(values).size, 2, `${label} is another one`);
  }
  assertEquals(new Set(shown(stdout, "subject")).size, 1);
  for (const value of shown(stdout, "valid")) assertMatch(value, /\(24 h\)$/);
  assertMatch(stdout, /^✔ certificate and key match/m);
  assert(!stdout.includes("✘"));
});

Deno.test("deno task demo leaves nothing behind", async () => {
  await using directory = await tempDir();
  assertEquals((await demo(directory.path)).code, 0);
  assertEquals(await namesIn(directory.path), []);
});

Deno.test("deno task demo --keep says where the files are", async () => {
  await using directory = await tempDir();
  const { stdout } = await demo(directory.path, "--keep");
  const [name] = await namesIn(directory.path);
  assert(name !== undefined);
  assert(stdout.trimEnd().endsWith(`${directory.path}/${name}`), stdout);
  await Deno.stat(`${directory.path}/${name}/host.crt`);
});

Deno.test("deno task demo does not read the settings of the person who runs it", async () => {
  await using directory = await tempDir();
  // The demo's HOME is this directory.
  await Deno.mkdir(directory.file(".step/config"), { recursive: true });
  await Deno.writeTextFile(
    directory.file(".step/config/defaults.json"),
    '{"expires-in": "1h"}',
  );
  const { code, stderr } = await demo(directory.path);
  assertEquals(code, 0, stderr);
});
