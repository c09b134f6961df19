/**
 * The bundle; that a compiled program is made twice with the same bytes is seen
 * by `deno task release_test`.
 */
import { bundleOneFile } from "../../scripts/build.ts";
import { ROOT } from "../../scripts/paths.ts";
import { assertEquals } from "../support/assert.ts";
import { runOk } from "../support/run.ts";
import { tempDir } from "../support/temp_dir.ts";

Deno.test("bundleOneFile() makes the same bytes in two checkouts", async () => {
  await using dir = await tempDir();
  const parts = ["main.ts", "deno.json", "deno.lock", "src", "scripts"];
  await Deno.mkdir(dir.file("other"));
  await runOk("cp", [
    ...["-r", ...parts.map((part) => `${ROOT}${part}`)],
    dir.file("other"),
  ]);
  await runOk(Deno.execPath(), ["task", "bundle"], { cwd: dir.file("other") });
  assertEquals(
    await sha256(await bundleOneFile(dir.path)),
    await sha256(dir.file("other/dist/step-rekey.js")),
  );
});

async function sha256(path: string): Promise<string> {
  const bytes = await Deno.readFile(path);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
