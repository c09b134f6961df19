/**
 * An online rekey loads no X.509 library, which alone takes longer to load than
 * all the rest, and none for tokens: the program works where the library throws at its first line.
 */
import { createDevCa } from "../../scripts/dev_ca.ts";
import { ROOT } from "../../scripts/paths.ts";
import { assertEquals, assertStringIncludes } from "../support/assert.ts";
import { run, runOk } from "../support/run.ts";
import { startProgram } from "../support/running_program.ts";
import { tempDir } from "../support/temp_dir.ts";
import {
  HOST,
  makeTestPki,
  rightAnswer,
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
for (const name of ["vendor/peculiar", "vendor/jose", "pkcs12/vendor/pkijs"]) {
  const library = `${tree}/src/pki/${name}.js`;
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
