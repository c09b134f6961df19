import { isProgram } from "../../src/reload/find_program.ts";
import { assertEquals } from "../support/assert.ts";
import { tempDir } from "../support/temp_dir.ts";

for (
  const [program, found] of [
    ["sh", true],
    ["/bin/sh", true],
    ["no-such-program-here", false],
    ["/nonexistent/program", false],
    ["/etc/passwd", false],
    ["/", false],
    ["/etc/passwd/below", false],
  ] as const
) {
  Deno.test(`isProgram() looks ${program} up`, async () => {
    assertEquals(await isProgram(program), found);
  });
}

Deno.test("isProgram() takes no file that may not be run", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.file("hook"), "#!/bin/sh\n", { mode: 0o644 });
  assertEquals(await isProgram(dir.file("hook")), false);
  await Deno.chmod(dir.file("hook"), 0o755);
  assertEquals(await isProgram(dir.file("hook")), true);
});
