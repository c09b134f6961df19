/**
 * The small Go programs in tests/support/go.
 *
 * Where Go is missing, tests say so and are ignored; on CI (`CI=true`) they
 * fail instead.
 */
import { ROOT } from "../../scripts/paths.ts";
import { runOk } from "./run.ts";

const goMissing = findGo();

function findGo(): string | undefined {
  if (Deno.env.get("CI") === "true") return undefined;
  try {
    new Deno.Command("go", { args: ["version"] }).outputSync();
    return undefined;
  } catch {
    // Any reason is the same here: it cannot be run.
    return "Go is not installed";
  }
}

const built = new Map<string, Promise<string>>();

/** The path of a program, which is built at the first call. */
export function goProgram(name: string): Promise<string> {
  const known = built.get(name);
  if (known !== undefined) return known;
  const program = buildGoProgram(name);
  built.set(name, program);
  return program;
}

async function buildGoProgram(name: string): Promise<string> {
  const directory = await Deno.makeTempDir({ prefix: "step-rekey-test-" });
  addEventListener(
    "unload",
    () => Deno.removeSync(directory, { recursive: true }),
  );
  const path = `${directory}/${name}`;
  await runOk("go", ["build", "-o", path, "."], {
    cwd: `${ROOT}tests/support/go/${name}`,
    env: { GOTOOLCHAIN: "local", GOWORK: "off", CGO_ENABLED: "0" },
  });
  return path;
}

/** A test that needs Go. */
export function goTest(name: string, fn: () => Promise<void>): void {
  Deno.test({
    name: goMissing === undefined ? name : `${name} (${goMissing})`,
    ignore: goMissing !== undefined,
    fn,
  });
}
