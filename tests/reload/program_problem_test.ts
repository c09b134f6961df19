import { programProblem } from "../../src/reload/program_problem.ts";
import { assertEquals } from "../support/assert.ts";
import { tempDir } from "../support/temp_dir.ts";

for (
  const [program, problem] of [
    ["sh", undefined],
    ["/bin/sh", undefined],
    ["no-such-program-here", "not found in $PATH"],
    ["", "not found in $PATH"],
    ["VAR=1", "not found in $PATH"],
    ["/nonexistent/program", "no file"],
    ["/etc/passwd", "no executable file"],
    ["/", "no executable file"],
    ["/etc/passwd/below", "no file"],
  ] as const
) {
  Deno.test(`programProblem() looks '${program}' up`, async () => {
    assertEquals(await programProblem(program), problem);
  });
}

Deno.test("programProblem() takes no file that may not be run", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.file("hook"), "#!/bin/sh\n", { mode: 0o644 });
  assertEquals(await programProblem(dir.file("hook")), "no executable file");
  await Deno.chmod(dir.file("hook"), 0o755);
  assertEquals(await programProblem(dir.file("hook")), undefined);
});
