/**
 * A certificate that is not due: nothing is asked, written or told.
 */
import { assertEquals, assertMatch } from "../support/assert.ts";
import { runProgram } from "../support/program.ts";
import { tempDir } from "../support/temp_dir.ts";
import { makeTestPki, rightAnswer, startTestCa } from "../support/test_ca.ts";

Deno.test("ca rekey --expires-in tells nobody when the certificate is not due", async () => {
  await using dir = await tempDir();
  const pki = await makeTestPki(dir.path);
  await using ca = await startTestCa(pki, rightAnswer(pki));
  const hook = dir.file("told");
  const rekey = (window: string) =>
    runProgram([
      ...["ca", "rekey", "--force", "--expires-in", window],
      ...["--ca-url", ca.url, "--root", pki.root.certificateFile],
      ...["--exec", `touch ${hook}`],
      ...[pki.host.certificateFile, pki.host.keyFile],
    ], { env: { STEPPATH: dir.file("none") } });
  const isTold = () => Deno.stat(hook).then(() => true, () => false);

  const early = await rekey("1ns");
  assertEquals(early.code, 0, early.stderr);
  assertMatch(early.stderr, /^certificate not rekeyed: expires in /);
  assertEquals(ca.requests.length, 0);
  assertEquals(await isTold(), false);

  // The same line with a wider window does all of it.
  assertEquals((await rekey("100000h")).code, 0);
  assertEquals(await isTold(), true);
});
