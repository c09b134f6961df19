/**
 * `deno task anchors`: builds the real step-ca and step, to test against.
 *
 * About four minutes on two cores, once per user: the programs are kept in the
 * per-user cache. Without cgo, so that no smart-card headers are needed.
 */
import { cacheDirectory } from "./paths.ts";

const ANCHORS = {
  "step-ca": "github.com/smallstep/certificates/cmd/step-ca@v0.30.2",
  // The newest version that the Go module proxy serves.
  "step": "github.com/smallstep/cli/cmd/step@v0.21.0",
} as const;

/** The folder with the built programs. */
export function anchorsDirectory(): string {
  return `${cacheDirectory()}/anchors/bin`;
}

/** The path of a built program, or undefined. */
export async function findAnchor(
  name: keyof typeof ANCHORS,
): Promise<string | undefined> {
  const path = `${anchorsDirectory()}/${name}`;
  return await Deno.stat(path).then(() => path, () => undefined);
}

/**
 * Builds what is missing.
 *
 * @returns a reason when it cannot be built here
 */
export async function buildAnchors(): Promise<string | undefined> {
  for (const name of ["step-ca", "step"] as const) {
    if (await findAnchor(name) !== undefined) continue;
    const reason = await goInstall(ANCHORS[name]);
    if (reason !== undefined) return `${name}: ${reason}`;
  }
  return undefined;
}

async function goInstall(module: string): Promise<string | undefined> {
  console.error(`building ${module}`);
  try {
    const { code } = await new Deno.Command("go", {
      args: ["install", module],
      env: { GOBIN: anchorsDirectory(), CGO_ENABLED: "0", GOFLAGS: "" },
      stdout: "null",
      stderr: "inherit",
    }).spawn().status;
    return code === 0 ? undefined : `go install exited with status ${code}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "Go is not installed";
    throw error;
  }
}

if (import.meta.main) {
  const reason = await buildAnchors();
  if (reason !== undefined) {
    console.error(reason);
    Deno.exit(1);
  }
}
