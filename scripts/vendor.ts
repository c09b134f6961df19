/**
 * `deno task vendor`: bundles each run-time library into one file.
 *
 * So the program starts from a clean checkout without a download (which would
 * also fill the process with root certificates that nobody asked for, see
 * src/ca/online/trust.ts), and faster. The result depends only on deno.lock and
 * on the Deno version that README names; comments with the paths of this
 * machine's cache are rewritten to package names, so that the file is the same
 * everywhere.
 */
import { ROOT } from "./paths.ts";

/** Each bundle, and the entry.ts beside it that says what it holds. */
export const VENDORED: readonly string[] = [
  "src/pki/vendor/peculiar.js",
  "src/pki/keys/vendor/jose.js",
  "src/pki/pkcs12/vendor/pkijs.js",
].map((path) => `${ROOT}${path}`);

/** The text of the bundle `path` that belongs to the locked versions. */
export async function bundleVendored(path: string): Promise<string> {
  const entry = path.replace(/[^/]+$/, "entry.ts");
  const directory = await Deno.makeTempDir();
  try {
    const output = `${directory}/bundle.js`;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--frozen", "-o", output, entry],
      stderr: "piped",
      stdout: "null",
    }).output();
    if (!success) {
      throw new Error(
        `deno bundle failed: ${new TextDecoder().decode(stderr)}`,
      );
    }
    const text = await Deno.readTextFile(output);
    return "// Made by `deno task vendor` from the versions in deno.lock. Do not edit.\n" +
      withoutPaths(text);
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

/** Paths of this machine's cache and checkout, as package and file names. */
function withoutPaths(bundle: string): string {
  return bundle
    .replaceAll(
      /[^\s"]*\/npm\/[^/\s"]+\/((?:@[^/\s"]+\/)?[^/\s"]+)\/(\d[^/\s"]*)\/([^\s"]+)/g,
      "npm:$1@$2/$3",
    )
    .replaceAll(/^\/\/ \S*?src\/[\w/]+\/vendor\/entry\.ts$/gm, "// entry.ts");
}

if (import.meta.main) {
  for (const path of VENDORED) {
    await Deno.writeTextFile(path, await bundleVendored(path));
  }
}
