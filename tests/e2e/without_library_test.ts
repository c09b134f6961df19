/**
 * An online rekey loads no X.509 library, which alone takes longer to load than
 * all the rest, and none for tokens: the program works where the library throws at its first line.
 */
import { createDevCa } from "../../scripts/dev_ca.ts";
import { ROOT } from "../../scripts/paths.ts";
import {
  assert,
  assertEquals,
  assertStringIncludes,
} from "../support/assert.ts";
import { run, runOk } from "../support/run.ts";
import { startProgram } from "../support/running_program.ts";
import { CAN_TRACE } from "../support/strace.ts";
import { tempDir } from "../support/temp_dir.ts";
import {
  HOST,
  makeTestPki,
  rightAnswer,
  sendJson,
  startTestCa,
} from "../support/test_ca.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
const pki = await makeTestPki(directory);

const tree = `${directory}/tree`;
await Deno.mkdir(tree);
const parts = ["main.ts", "deno.json", "deno.lock", "src"];
await runOk("cp", ["-r", ...parts.map((part) => `${ROOT}${part}`), tree]);
const libraries = ["vendor/peculiar", "keys/vendor/jose", "pkcs12/vendor/pkijs"]
  .map((name) => `${tree}/src/pki/${name}.js`);
for (const library of libraries) {
  await Deno.writeTextFile(
    library,
    `throw new Error("the library was loaded");\n${await Deno.readTextFile(
      library,
    )}`,
  );
}

const PROGRAM = {
  command: Deno.execPath(),
  args: ["run", "-A", "--no-prompt", "--no-check", `${tree}/main.ts`],
};

/** By the flags that ask for such a key; the present one is of its type, too. */
const KEYS = {
  EC: {
    openssl: ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"],
    flags: ["--kty", "EC", "--curve", "P-384"],
  },
  Ed25519: {
    openssl: ["-newkey", "ed25519"],
    flags: ["--kty", "OKP", "--curve", "Ed25519"],
  },
  RSA: {
    openssl: ["-newkey", "rsa:2048"],
    flags: ["--kty", "RSA", "--size", "2048"],
  },
};

function sourceTest(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: Deno.env.has("REKEY_TEST_BINARY"), fn });
}

for (const [type, { openssl, flags }] of Object.entries(KEYS)) {
  const issue = (name: string) =>
    pki.intermediate.issue(`${name}-${type}`, {
      ...HOST,
      keyArguments: openssl,
      notBefore: new Date(Date.now() - 3_600_000),
      // Due at once.
      notAfter: new Date(Date.now() + 60_000),
    });

  sourceTest(`ca rekey loads no library for a plain ${type} key`, async () => {
    await using ca = await startTestCa(pki, rightAnswer(pki));
    const { certificateFile, keyFile } = await issue("once");
    const { code, stderr } = await run(PROGRAM.command, [
      ...[...PROGRAM.args, "ca", "rekey", certificateFile, keyFile],
      ...["--force", "--ca-url", ca.url, "--root", pki.root.certificateFile],
      ...flags,
    ], { env: { STEPPATH: `${directory}/none`, DENO_NO_UPDATE_CHECK: "1" } });
    assertEquals(code, 0, stderr);
    assertEquals(ca.requests.length, 1);
  });

  sourceTest(
    `ca rekey --daemon loads no library for a plain ${type} key`,
    async () => {
      await using ca = await startTestCa(pki, rightAnswer(pki));
      const { certificateFile, keyFile } = await issue("daemon");
      await using daemon = startProgram([
        ...["ca", "rekey", certificateFile, keyFile, "--daemon"],
        ...["--ca-url", ca.url, "--root", pki.root.certificateFile, ...flags],
      ], {
        cwd: directory,
        env: { STEPPATH: `${directory}/none`, DENO_NO_UPDATE_CHECK: "1" },
        own: PROGRAM,
      });
      await daemon.says("certificate rekeyed");
      daemon.kill("SIGTERM");
      assertEquals(await daemon.ended, 0, daemon.text);
    },
  );
}

for (
  const words of [
    ["inspect"],
    ["inspect", "--short"],
    ["inspect", "--format", "json"],
    ["format"],
    ["key"],
    ["fingerprint"],
    ["needs-renewal", "--expires-in", "0%"],
    ["verify", "--roots", pki.root.certificateFile],
  ]
) {
  sourceTest(`certificate ${words.join(" ")} loads no library`, async () => {
    const { code, stderr } = await run(PROGRAM.command, [
      ...[...PROGRAM.args, "certificate", ...words],
      pki.host.certificateFile,
    ], { env: { STEPPATH: `${directory}/none`, DENO_NO_UPDATE_CHECK: "1" } });
    assertEquals(code, 0, stderr);
  });
}

sourceTest(
  "certificate p12 loads the library, so that the others can fail",
  async () => {
    const { code, stderr } = await run(PROGRAM.command, [
      ...[...PROGRAM.args, "certificate", "p12", `${directory}/a.p12`],
      ...[pki.host.certificateFile, pki.host.keyFile],
      ...["--no-password", "--insecure"],
    ], { env: { STEPPATH: `${directory}/none`, DENO_NO_UPDATE_CHECK: "1" } });
    assertEquals(code === 0, false);
    assertStringIncludes(stderr, "the library was loaded");
  },
);

sourceTest("questions about a pair and its CA load no library", async () => {
  await using ca = await startTestCa(pki, ({ path }, response) => {
    const ca = pki.root.certificate;
    sendJson(response, path === "/health" ? { status: "ok" } : { ca });
  });
  const { certificateFile, keyFile } = pki.host;
  const pair = [certificateFile, keyFile];
  const verified = ["--ca-url", ca.url, "--root", pki.root.certificateFile];
  const { stdout: printed } = await runOk("openssl", [
    ...["x509", "-noout", "-fingerprint", "-sha256"],
    ...["-in", pki.root.certificateFile],
  ]);
  const fingerprint = printed.trim().replace(/^.*=/, "");
  for (
    const line of [
      ["status", ...pair],
      ["ca", "health", ...verified],
      ["ca", "root", "--ca-url", ca.url, "--fingerprint", fingerprint],
      ["ca", "rekey", "--dry-run", ...pair, ...verified],
    ]
  ) {
    const { code, stderr } = await run(PROGRAM.command, [
      ...PROGRAM.args,
      ...line,
    ], { env: { STEPPATH: `${directory}/none`, DENO_NO_UPDATE_CHECK: "1" } });
    assertEquals([line[1], code], [line[1], 0], stderr);
  }
});

sourceTest(
  "ca rekey --offline loads the library, so that the others can fail",
  async () => {
    await using dir = await tempDir();
    const ca = await createDevCa(dir.path);
    const host = await ca.issue("host");
    const { code, stderr } = await run(PROGRAM.command, [
      ...[...PROGRAM.args, "ca", "rekey", "--offline", "--force"],
      ...["--ca-config", ca.configFile, "--ca-password-file", ca.passwordFile],
      ...[host.certificateFile, host.keyFile],
    ], { env: { STEPPATH: dir.file("none"), DENO_NO_UPDATE_CHECK: "1" } });
    assertEquals(code === 0, false);
    assertStringIncludes(stderr, "the library was loaded");
  },
);

Deno.test({
  name: "a start from source reads no large library (needs strace)",
  ignore: Deno.env.has("REKEY_TEST_BINARY") || !CAN_TRACE,
  async fn() {
    await using dir = await tempDir();
    const log = dir.file("log");
    await runOk("strace", [
      ...["-f", "-e", "trace=openat", "-o", log],
      ...[PROGRAM.command, ...PROGRAM.args, "--version"],
    ], { env: { DENO_NO_UPDATE_CHECK: "1" } });
    const calls = await Deno.readTextFile(log);
    assertStringIncludes(calls, `${tree}/src/cli/run.ts`);
    for (const library of libraries) assert(!calls.includes(library), library);
  },
});
