/** What Deno itself makes of a checkout: an installed program, a package. */
import { ROOT } from "../../scripts/paths.ts";
import { VERSION } from "../../src/cli/grammar/command.ts";
import {
  assert,
  assertEquals,
  assertStringIncludes,
} from "../support/assert.ts";
import { PERMISSIONS } from "../support/program.ts";
import { run } from "../support/run.ts";
import { tempDir } from "../support/temp_dir.ts";

Deno.test("deno install -g makes a program of a checkout, with the permissions of the reference", async () => {
  await using dir = await tempDir();
  const installed = await run(Deno.execPath(), [
    ...["install", "--global", "--root", dir.path, "--no-config"],
    ...["--no-prompt", ...PERMISSIONS, "--unstable-net"],
    ...["--name", "step-rekey", "main.ts"],
  ], { cwd: ROOT });
  assertEquals(installed.code, 0, installed.stderr);
  // The script calls a `deno` of the search path.
  await Deno.symlink(Deno.execPath(), dir.file("bin/deno"));
  const call = (...words: string[]) =>
    run(dir.file("bin/step-rekey"), words, {
      cwd: dir.path,
      env: { PATH: `${dir.file("bin")}:${Deno.env.get("PATH")}` },
    });
  const { stdout, stderr } = await call("version");
  assertStringIncludes(stdout, `step-rekey/${VERSION} (`);
  assertEquals(stderr, "");
  const missing = await call("ca", "rekey", "--offline", "a.crt", "a.key");
  assert([65, 78].includes(missing.code), missing.stderr);
});

Deno.test("deno publish takes the package, without tests and scripts", async () => {
  const { code, stderr } = await run(Deno.execPath(), [
    ...["publish", "--dry-run", "--allow-dirty", "--no-check"],
  ], { cwd: ROOT, env: { NO_COLOR: "1" } });
  assertEquals(code, 0, stderr);
  const files = [...stderr.matchAll(/^ +file:\/\/(\S+) \(/gm)]
    .map(([, path = ""]) => path.replace(ROOT, ""));
  assertEquals(
    files.filter((path) => !path.startsWith("src/")).sort(),
    ["CHANGELOG.md", "LICENSE", "README.md", "deno.json", "main.ts"],
  );
  assert(files.includes("src/pki/vendor/peculiar.js"), files.join(" "));
});
