/**
 * What the runtime of the compiled program, which may be an older one than that
 * of the other tests, does otherwise: sockets, requests, descriptors.
 */
import { assertEquals, assertMatch } from "../support/assert.ts";
import { runProgram } from "../support/program.ts";
import { run } from "../support/run.ts";
import { tempDir } from "../support/temp_dir.ts";
import {
  makeTestPki,
  rightAnswer,
  sendJson,
  startTestCa,
} from "../support/test_ca.ts";

const NOBODY = 65534;

Deno.test("ca root reads a long answer, and notices the end of none", async () => {
  await using dir = await tempDir();
  const pki = await makeTestPki(dir.path);
  const { certificate } = pki.root;
  const sum = await run("openssl", [
    ...["x509", "-in", pki.root.certificateFile, "-noout"],
    ...["-fingerprint", "-sha256"],
  ]);
  await using server = await startTestCa(pki, (_request, response) => {
    sendJson(response, { pad: "x".repeat(500_000), ca: certificate }, 200);
  });
  await using silent = await startTestCa(pki, (_request, response) => {
    response.socket?.end();
  });
  const ask = (url: string) =>
    runProgram([
      ...["ca", "root", "--ca-url", url, "--timeout", "1m"],
      ...["--fingerprint", sum.stdout.replace(/^.*=/s, "").trim()],
    ], { env: { STEPPATH: dir.file("none") } });
  assertEquals(await ask(server.url), {
    code: 0,
    signal: null,
    stdout: certificate,
    stderr: "",
  });
  const { code, stderr } = await ask(silent.url);
  assertEquals(code, 69);
  assertMatch(stderr, /: unexpected EOF: the connection ended before/);
});

Deno.test("ca rekey sends its request once to a CA that ends without an answer", async () => {
  await using dir = await tempDir();
  const pki = await makeTestPki(dir.path);
  await using ca = await startTestCa(pki, (_request, response) => {
    response.socket?.end();
  });
  const { code, stderr } = await runProgram([
    ...["ca", "rekey", "--force", "--ca-url", ca.url],
    ...["--root", pki.root.certificateFile],
    ...[pki.host.certificateFile, pki.host.keyFile],
  ], { env: { STEPPATH: dir.file("none") } });
  assertEquals(code, 69, stderr);
  assertEquals(ca.requests.map(({ path }) => path), ["/rekey"]);
});

Deno.test({
  name: "root works in the folder of another user (needs root)",
  ignore: Deno.uid() !== 0,
  async fn() {
    await using dir = await tempDir();
    const pki = await makeTestPki(dir.path);
    await using ca = await startTestCa(pki, rightAnswer(pki));
    const [certificate, key] = [
      dir.file("own/host.crt"),
      dir.file("own/host.key"),
    ];
    await Deno.mkdir(dir.file("own"));
    await Deno.copyFile(pki.host.certificateFile, certificate);
    await Deno.copyFile(pki.host.keyFile, key);
    for (const path of [dir.file("own"), certificate, key]) {
      await Deno.chown(path, NOBODY, NOBODY);
    }
    const env = { STEPPATH: dir.file("none") };
    const rekeyed = await runProgram([
      ...["ca", "rekey", "--force", "--ca-url", ca.url],
      ...["--root", pki.root.certificateFile, certificate, key],
    ], { env });
    assertEquals(rekeyed.code, 0, rekeyed.stderr);
    assertEquals((await Deno.stat(key)).uid, NOBODY);
    const status = await runProgram(["status", certificate, key], { env });
    assertEquals(status.code, 0, status.stderr);
  },
});
