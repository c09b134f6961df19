/**
 * What the test command says of a run that failed.
 */
import { countJunit } from "../../scripts/run_tests.ts";
import { assertEquals } from "../support/assert.ts";
import { run } from "../support/run.ts";
import { tempDir } from "../support/temp_dir.ts";

const FAILING = `
Deno.test("this & <that>", () => { throw new Error("not \\"so\\"\\nindeed"); });
Deno.test("whole", () => {});
Deno.test({ name: "missing", ignore: true, fn() {} });
`;

Deno.test("countJunit() names the tests that failed, and why", async () => {
  await using directory = await tempDir();
  const file = `${directory.path}/failing_test.ts`;
  const junit = `${directory.path}/junit.xml`;
  await Deno.writeTextFile(file, FAILING);
  await run(Deno.execPath(), [
    ...["test", "--no-check", `--junit-path=${junit}`, file],
  ], { cwd: directory.path });
  assertEquals(countJunit(await Deno.readTextFile(junit)), {
    passed: 1,
    failed: 1,
    ignored: 1,
    failures: [
      './failing_test.ts: this & <that>: Uncaught Error: not "so" indeed',
    ],
  });
});
