/**
 * `deno task vendor`: bundles the X.509 library into one file.
 *
 * The result depends only on deno.lock and on the Deno version that README
 * names; comments with the paths of this machine's cache are rewritten to
 * package names, so that the file is the same everywhere.
 */
import { fromFileUrl } from "./paths.ts";

const FOLDER = fromFileUrl(new URL("../src/pki/vendor/", import.meta.url));

/** The bundle that belongs to the locked versions. */
export async function bundleVendored(): Promise<string> {
  const directory = await Deno.makeTempDir();
  try {
    const output = `${directory}/peculiar.js`;
    const { success, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["bundle", "--frozen", "-o", output, `${FOLDER}entry.ts`],
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
      text.replaceAll(
        /^\/\/ \S*?\/npm\/[^/\s]+\/((?:@[^/\s]+\/)?[^/\s]+)\/(\d[^/\s]*)\/(\S+)$/gm,
        "// npm:$1@$2/$3",
      ).replaceAll(/^\/\/ \S*?src\/pki\/vendor\/entry\.ts$/gm, "// entry.ts");
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
}

if (import.meta.main) {
  const target = `${FOLDER}peculiar.js`;
  await Deno.writeTextFile(target, await bundleVendored());
}
