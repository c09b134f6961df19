/**
 * Only `--root` is trusted, whatever the environment says, and hooks get the
 * environment as it was.
 */
import { ERROR_KINDS } from "../../src/base/errors.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { OpensslCa } from "../support/openssl_ca.ts";
import { runProgram } from "../support/program.ts";
import { run, type RunResult } from "../support/run.ts";
import { tempDir } from "../support/temp_dir.ts";
import {
  makeTestPki,
  rightAnswer,
  startTestCa,
  type TestCa,
} from "../support/test_ca.ts";
import { ROOT } from "../../scripts/paths.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
const pki = await makeTestPki(directory);
const other = await OpensslCa.root(`${directory}/other`, "Other Root");
const impostor = await other.issue("impostor", {
  subject: "/CN=ca",
  names: "IP:127.0.0.1",
});
/** As c_rehash names it: OpenSSL's way to put a root into a directory. */
const rootDirectory = `${directory}/roots`;
Deno.mkdirSync(rootDirectory);
Deno.copyFileSync(other.certificateFile, `${rootDirectory}/other.pem`);

/** Everything through which a runtime can be told to trust another root. */
const ENVIRONMENTS: readonly Readonly<Record<string, string>>[] = [
  { DENO_CERT: other.certificateFile },
  { NODE_EXTRA_CA_CERTS: other.certificateFile },
  { DENO_TLS_CA_STORE: "system", SSL_CERT_FILE: other.certificateFile },
  { DENO_TLS_CA_STORE: "system", SSL_CERT_DIR: rootDirectory },
  { DENO_TLS_CA_STORE: "mozilla,system", SSL_CERT_FILE: other.certificateFile },
  { NODE_TLS_REJECT_UNAUTHORIZED: "0" },
];

interface Rekeying {
  readonly result: RunResult;
  readonly changed: boolean;
}

async function rekey(
  ca: TestCa,
  env: Readonly<Record<string, string>>,
  flags: readonly string[] = [],
): Promise<Rekeying> {
  await using dir = await tempDir();
  const certificate = dir.file("host.crt");
  const key = dir.file("host.key");
  await Deno.writeTextFile(certificate, pki.host.certificate);
  await Deno.writeTextFile(key, pki.host.key, { mode: 0o600 });
  const result = await runProgram([
    ...["ca", "rekey", certificate, key, "--force", ...flags],
    ...["--ca-url", ca.url, "--root", pki.root.certificateFile],
  ], { env: { STEPPATH: dir.file("none"), ...env } });
  const changed =
    await Deno.readTextFile(certificate) !== pki.host.certificate ||
    await Deno.readTextFile(key) !== pki.host.key;
  return { result, changed };
}

for (const env of ENVIRONMENTS) {
  const name = Object.entries(env).map(([key, value]) =>
    value.startsWith("/") ? key : `${key}=${value}`
  ).join(" and ");

  Deno.test(`ca rekey trusts no root of ${name}`, async () => {
    await using ca = await startTestCa(pki, rightAnswer(pki), impostor);
    const { result, changed } = await rekey(ca, env);
    assertEquals(result.code, ERROR_KINDS.unreachable.exitCode, result.stderr);
    assertStringIncludes(result.stderr, "signed by unknown authority");
    assertEquals(ca.requests.length, 0);
    assert(!changed);
  });

  Deno.test(`ca rekey trusts --root with ${name} set`, async () => {
    await using ca = await startTestCa(pki, rightAnswer(pki));
    const { result, changed } = await rekey(ca, env);
    assertEquals(result.code, 0, result.stderr);
    assert(changed);
  });
}

Deno.test("ca rekey gives a hook the environment as it was", async () => {
  const env = {
    DENO_CERT: other.certificateFile,
    DENO_TLS_CA_STORE: "system",
    NODE_EXTRA_CA_CERTS: other.certificateFile,
    HTTPS_PROXY: "http://127.0.0.1:9",
    NO_PROXY: "127.0.0.1",
  };
  await using ca = await startTestCa(pki, rightAnswer(pki));
  const { result } = await rekey(ca, env, ["--exec", "env"]);
  assertEquals(result.code, 0, result.stderr);
  for (const [name, value] of Object.entries(env)) {
    assertStringIncludes(`\n${result.stdout}`, `\n${name}=${value}\n`);
  }
});

Deno.test("ca rekey writes no secrets of its connections, and leaves the wish for it to a hook", async () => {
  await using dir = await tempDir();
  const file = dir.file("secrets");
  await using ca = await startTestCa(pki, rightAnswer(pki));
  const { result } = await rekey(ca, { SSLKEYLOGFILE: file }, [
    ...["--exec", "env"],
  ]);
  assertEquals(result.code, 0, result.stderr);
  assertEquals(ca.requests.length, 1);
  assertStringIncludes(`\n${result.stdout}`, `\nSSLKEYLOGFILE=${file}\n`);
  // The runtime opens it before our first line.
  const secrets = await Deno.readTextFile(file).catch(() => "");
  assertEquals(secrets, "");
});

/** Runs trust_child.ts with another root in its environment. */
async function trustChild(scenario: string, port: number): Promise<RunResult> {
  return await run(Deno.execPath(), [
    ...["run", "-A", "--no-prompt", `${ROOT}tests/support/trust_child.ts`],
    ...[scenario, String(port), pki.root.certificateFile],
  ], { env: { DENO_CERT: other.certificateFile } });
}

Deno.test("createPinnedClient() stays pinned for later clients of the process", async () => {
  await using ca = await startTestCa(pki, rightAnswer(pki), impostor);
  const { stdout, stderr } = await trustChild("pinned", ca.port);
  const refused = "refused: invalid peer certificate: UnknownIssuer\n";
  assertEquals(stdout, refused.repeat(3), stderr);
});

Deno.test("pinTrust() says that something else has used TLS before", async () => {
  await using ca = await startTestCa(pki, rightAnswer(pki), impostor);
  const { code, stdout } = await trustChild("late", ca.port);
  assertEquals([code, stdout], [1, "too late\n"]);
});

Deno.test({
  name: "ca rekey stops when something else in the process has used TLS before",
  // Nothing can run before a compiled program.
  ignore: Boolean(Deno.env.get("REKEY_TEST_BINARY")),
  async fn() {
    await using dir = await tempDir();
    const early = dir.file("early.ts");
    await Deno.writeTextFile(early, "Deno.createHttpClient({}).close();");
    const { code, stderr } = await run(Deno.execPath(), [
      ...["run", "-A", "--no-prompt", "--preload", early, `${ROOT}main.ts`],
      ...["ca", "rekey", "--force", "--ca-url", "https://127.0.0.1:9"],
      ...["--root", pki.root.certificateFile],
      ...[pki.host.certificateFile, pki.host.keyFile],
    ], { env: { STEPPATH: dir.file("none") } });
    assertEquals(code, 78, stderr);
    assertMatch(stderr, /^cannot make --root the only trust anchor/);
  },
});
