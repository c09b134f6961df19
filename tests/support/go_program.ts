/**
 * The small Go programs in tests/support/go.
 *
 * Where Go is missing or too old, tests say so and are ignored; on CI
 * (`CI=true`) they fail instead.
 */
import { cacheDirectory, ROOT } from "../../scripts/paths.ts";
import { runOk } from "./run.ts";

/** As in the programs' go.mod. */
const OLDEST_MINOR = 25;

/** Why Go cannot be asked; undefined when it can, and always on CI. */
export const goMissing: string | undefined = findGo();

function findGo(): string | undefined {
  if (Deno.env.get("CI") === "true") return undefined;
  try {
    const { stdout } = new Deno.Command("go", { args: ["version"] })
      .outputSync();
    const version = new TextDecoder().decode(stdout);
    const minor = / go1\.(\d+)/.exec(version)?.[1] ?? "";
    return Number(minor) >= OLDEST_MINOR
      ? undefined
      : `Go 1.${OLDEST_MINOR} is needed, found is ${version.trim()}`;
  } catch {
    // Any reason is the same here: it cannot be run.
    return "Go is not installed";
  }
}

const built = new Map<string, Promise<string>>();

/** The path of a program, built once per source and Go, in the per-user cache. */
export function goProgram(name: string): Promise<string> {
  const known = built.get(name) ?? buildGoProgram(name);
  built.set(name, known);
  return known;
}

async function buildGoProgram(name: string): Promise<string> {
  const source = `${ROOT}tests/support/go/${name}`;
  const directory = `${cacheDirectory()}/go`;
  const program = `${directory}/${name}-${await digestOf(source)}`;
  if (await Deno.stat(program).then(() => true, () => false)) return program;
  await Deno.mkdir(directory, { recursive: true });
  const made = `${program}.${crypto.randomUUID()}`;
  await runOk("go", ["build", "-o", made, "."], {
    cwd: source,
    env: { GOTOOLCHAIN: "local", GOWORK: "off", CGO_ENABLED: "0" },
  });
  // Test files run at once: whoever is last replaces the same by the same.
  await Deno.rename(made, program);
  return program;
}

async function digestOf(directory: string): Promise<string> {
  const names = (await Array.fromAsync(Deno.readDir(directory)))
    .map(({ name }) => name).sort();
  const texts = await Promise.all(
    names.map((name) => Deno.readTextFile(`${directory}/${name}`)),
  );
  const { stdout } = await runOk("go", ["version"]);
  const bytes = new TextEncoder().encode([stdout, ...texts].join("\0"));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex()
    .slice(0, 16);
}

/** A test that needs Go. */
export function goTest(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: goMissing === undefined ? name : `${name} (${goMissing})`,
    ignore: goMissing !== undefined,
    fn,
  });
}
