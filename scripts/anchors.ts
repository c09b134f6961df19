/**
 * `deno task anchors`: builds the real step-ca and step, to test against.
 *
 * About four minutes on two cores, once per user: the programs are kept in the
 * per-user cache. Without cgo, so that no smart-card headers are needed.
 */
import { cacheDirectory } from "./paths.ts";
import { tryProgram } from "./run_program.ts";

const ANCHORS = {
  "step-ca": "github.com/smallstep/certificates/cmd/step-ca@v0.30.2",
  // The newest version that the Go module proxy serves.
  "step": "github.com/smallstep/cli/cmd/step@v0.21.0",
} as const;

/** The version of a program: `v1.2.3`. */
export function anchorVersion(name: keyof typeof ANCHORS): string {
  return ANCHORS[name].replace(/^.*@/, "");
}

/** The folder with the built programs. */
function anchorsDirectory(): string {
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
    console.error(`building ${ANCHORS[name]}`);
    const reason = await tryProgram(["go", "install", ANCHORS[name]], {
      GOBIN: anchorsDirectory(),
      CGO_ENABLED: "0",
      GOFLAGS: "",
    });
    if (reason !== undefined) return `${name}: ${reason}`;
  }
  return undefined;
}

if (import.meta.main) {
  const reason = await buildAnchors();
  if (reason !== undefined) {
    console.error(reason);
    Deno.exit(1);
  }
}
