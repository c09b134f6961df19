import { bundleOneFile, compile } from "../../scripts/build.ts";
import { ROOT } from "../../scripts/paths.ts";
import { assertEquals } from "../support/assert.ts";
import { baseRuntime } from "../support/base_runtime.ts";
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

const runtime = await baseRuntime();
if (typeof runtime === "string") console.error(runtime);

Deno.test({
  name: "compile() makes the same bytes twice",
  ignore: typeof runtime === "string",
  async fn() {
    await using dir = await tempDir();
    if (typeof runtime === "string") return;
    const digests = [];
    for (const name of ["one", "other"]) {
      const program = await compile(dir.file(name), {
        DENO_BIN: runtime.deno,
        DENORT_BIN: runtime.denort,
      });
      digests.push(await sha256(program));
    }
    assertEquals(digests[0], digests[1]);
  },
});

async function sha256(path: string): Promise<string> {
  const bytes = await Deno.readFile(path);
  return new Uint8Array(await crypto.subtle.digest("SHA-256", bytes)).toHex();
}
