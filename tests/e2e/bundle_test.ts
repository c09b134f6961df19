/**
 * One file for `deno run`: where there is no checkout, no configuration and
 * nothing in Deno's cache, copied or fetched.
 */
import { bundleOneFile } from "../../scripts/build.ts";
import {
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import {
  bundled,
  PERMISSIONS,
  type ProgramCommand,
} from "../support/program.ts";
import { run } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";
import {
  makeTestPki,
  rightAnswer,
  startTestCa,
  type TestCa,
} from "../support/test_ca.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
const pki = await makeTestPki(directory);
const bundle = await bundleOneFile(directory);

/** Rekeys in `dir`, with a cache of its own. */
async function rekey(
  { command, args }: ProgramCommand,
  { dir, ca }: { readonly dir: TempDir; readonly ca: TestCa },
) {
  const [certificate, key] = [dir.file("host.crt"), dir.file("host.key")];
  await Deno.writeTextFile(certificate, pki.host.certificate);
  await Deno.writeTextFile(key, pki.host.key, { mode: 0o600 });
  return await run(command, [
    ...[...args, "ca", "rekey", "host.crt", "host.key", "--force"],
    ...["--ca-url", ca.url, "--root", pki.root.certificateFile],
  ], {
    clearEnv: true,
    cwd: dir.path,
    env: {
      DENO_DIR: dir.file("cache"),
      HOME: dir.path,
      NO_COLOR: "1",
      PATH: `${dir.file("bin")}:${Deno.env.get("PATH")}`,
    },
  });
}

/** Serves the bundle, and counts how often. */
function serveBundle(): AsyncDisposable & {
  readonly url: string;
  readonly requests: readonly string[];
} {
  const requests: string[] = [];
  const server = Deno.serve({
    hostname: "127.0.0.1",
    port: 0,
    onListen: () => {},
  }, async (request) => {
    requests.push(request.url);
    return new Response(await Deno.readFile(bundle), {
      headers: { "content-type": "text/javascript" },
    });
  });
  return {
    url: `http://127.0.0.1:${server.addr.port}/step-rekey.js`,
    requests,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

Deno.test("the bundle is ASCII, which takes half the memory", async () => {
  const bytes = await Deno.readFile(bundle);
  assertEquals(bytes.filter((byte) => byte > 127).length, 0);
});

Deno.test("a copy of the bundle rekeys, called by its name", async () => {
  await using dir = await tempDir();
  await using ca = await startTestCa(pki, rightAnswer(pki));
  await Deno.mkdir(dir.file("bin"));
  await Deno.symlink(Deno.execPath(), dir.file("bin/deno"));
  await Deno.copyFile(bundle, dir.file("bin/step-rekey"));
  // What lies where it is called is not for it.
  await Deno.writeTextFile(dir.file("deno.json"), "no JSON");
  const { code, stderr } = await rekey(
    { command: dir.file("bin/step-rekey"), args: [] },
    { dir, ca },
  );
  assertEquals(code, 0, stderr);
  assertEquals(ca.requests.length, 1);
});

Deno.test("the bundle rekeys from a URL, fetched once", async () => {
  await using dir = await tempDir();
  await using ca = await startTestCa(pki, rightAnswer(pki));
  await using server = serveBundle();
  for (const count of [1, 2]) {
    const { code, stderr } = await rekey(bundled(server.url, PERMISSIONS), {
      dir,
      ca,
    });
    assertEquals(code, 0, stderr);
    assertStringIncludes(stderr, "✔ Certificate: host.crt\n");
    // The second start, and the second run, take it from the cache.
    assertEquals([ca.requests.length, server.requests.length], [count, 1]);
  }
});

Deno.test("the bundle says why it cannot rekey when each start fetches it", async () => {
  await using dir = await tempDir();
  await using ca = await startTestCa(pki, rightAnswer(pki));
  await using server = serveBundle();
  const { command, args: [word = "", ...words] } = bundled(server.url);
  const { code, stderr } = await rekey(
    { command, args: [word, "--reload", ...words] },
    { dir, ca },
  );
  assertEquals(code, 78, stderr);
  assertMatch(stderr, /^cannot make --root the only trust anchor/m);
  assertEquals(ca.requests.length, 0);
});
