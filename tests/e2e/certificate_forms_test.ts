/**
 * `certificate inspect`, `format`, `key` and `p12`, as a whole program, beside
 * the real step, openssl and keytool.
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { program, runProgram } from "../support/program.ts";
import { run, runOk, type RunOptions, type RunResult } from "../support/run.ts";
import { makeShownCertificates } from "../support/shown_certificates.ts";
import { STEP, stepCaMissing } from "../support/step_ca.ts";
import { tempDir } from "../support/temp_dir.ts";
import { makeTestPki, rightAnswer, startTestCa } from "../support/test_ca.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
if (stepCaMissing === undefined) await makeShownCertificates(directory);
await Deno.mkdir(`${directory}/pki`);

const env = {
  STEPPATH: `${directory}/none`,
  DENO_NO_UPDATE_CHECK: "1",
  NO_COLOR: "1",
};

function ours(words: string, options: RunOptions = {}): Promise<RunResult> {
  return runProgram(words.split(" "), { cwd: directory, env, ...options });
}

function theirs(words: string, options: RunOptions = {}): Promise<RunResult> {
  return run(STEP, words.split(" "), { cwd: directory, env, ...options });
}

function test(name: string, fn: () => Promise<void>, isMissing = false): void {
  Deno.test({ name, ignore: isMissing || stepCaMissing !== undefined, fn });
}

function bytesOf(name: string): Promise<Uint8Array> {
  return Deno.readFile(`${directory}/${name}`);
}

/** One line, a hint or not, and nothing on standard output. */
function assertRefused(
  { code, stdout, stderr }: RunResult,
  expected: number,
  pattern: RegExp,
): void {
  assertEquals(code, expected, stderr);
  assertEquals(stdout, "");
  assertMatch(stderr, pattern);
  assertMatch(stderr, /^.+\n(hint: .+\n)?$/);
}

test("certificate inspect prints what step prints, from a file, standard input and a bundle", async () => {
  for (
    const words of [
      "certificate inspect leaf.crt",
      "certificate inspect --bundle --short bundle.crt",
      "certificate inspect bundle.crt --format pem --bundle",
    ]
  ) {
    const [own, real] = await Promise.all([ours(words), theirs(words)]);
    assertEquals(own, real, words);
  }
  const stdin = await bytesOf("rsa.crt");
  const words = "certificate inspect --short";
  assertEquals(await ours(words, { stdin }), await theirs(words, { stdin }));
});

test("certificate inspect --format json is an object, and an array for several; --json one line", async () => {
  const one = await ours("certificate inspect --format json leaf.crt");
  assertEquals(JSON.parse(one.stdout).names, [
    "leaf.example.com",
    "localhost",
    "https://x.y/z",
    "10.0.0.1",
  ]);
  const all = await ours(
    "certificate inspect --format json --bundle bundle.crt",
  );
  assertEquals(JSON.parse(all.stdout).length, 3);
  const line = await ours("certificate inspect --json --bundle bundle.crt");
  assertEquals(line.stdout.trimEnd().split("\n").length, 1);
  assertEquals(JSON.parse(line.stdout).certificates.length, 3);
  const request = await ours("certificate inspect --json step.csr");
  assertEquals(JSON.parse(request.stdout).request.Version, 0);
});

test("certificate inspect shows what a server has, verified or not", async () => {
  const pki = await makeTestPki(`${directory}/pki`);
  await using ca = await startTestCa(pki, rightAnswer(pki));
  const roots = `--roots ${pki.root.certificateFile}`;
  for (
    const flags of [
      `--short ${roots}`,
      `--short --bundle ${roots}`,
      `--format pem ${roots} --servername localhost`,
      "--short --insecure",
    ]
  ) {
    const words = `certificate inspect ${flags} ${ca.url}`;
    const own = await ours(words);
    if (Deno.env.has("REKEY_TEST_BINARY") && own.code === 78) {
      // Deno 2.7, which a program may be compiled with.
      assertMatch(own.stderr, /does not tell the issuers of a server's/);
      continue;
    }
    assertEquals(own, await theirs(words), words);
  }
  const root = `${directory}/root.crt`;
  assertRefused(
    await ours(`certificate inspect --roots ${root} ${ca.url}`),
    76,
    /certificate signed by unknown authority/,
  );
  assertRefused(
    await ours(`certificate inspect --roots ${root} https://127.0.0.1:1`),
    69,
    /connection refused/,
  );
});

test("certificate inspect finds the certificate behind a key, where step refuses the file", async () => {
  const parts = ["leaf.key", "leaf.crt"].map((name) =>
    Deno.readTextFile(`${directory}/${name}`)
  );
  await Deno.writeTextFile(
    `${directory}/combined.pem`,
    (await Promise.all(parts)).join(""),
  );
  const { stdout } = await theirs("certificate inspect leaf.crt");
  assertEquals((await ours("certificate inspect combined.pem")).stdout, stdout);
  assertEquals((await theirs("certificate inspect combined.pem")).code, 1);
});

test("certificate inspect refuses what it cannot show, with a line and a code", async () => {
  await Deno.writeTextFile(`${directory}/empty`, "");
  await Deno.writeTextFile(
    `${directory}/garbage`,
    "\u001b[2J not a certificate",
  );
  assertRefused(
    await ours("certificate inspect none.crt"),
    65,
    /^open none\.crt failed: no such file or directory/,
  );
  for (const name of ["empty", "garbage"]) {
    assertRefused(
      await ours(`certificate inspect ${name}`),
      65,
      /^error parsing \w+: it is (?:empty|neither PEM nor a certificate)/,
    );
  }
  assertRefused(
    await ours("certificate inspect leaf.key"),
    65,
    /but got "EC PRIVATE KEY"/,
  );
  assertRefused(
    await ours("certificate inspect --bundle combined.pem"),
    65,
    /contains an unexpected PEM block of type EC PRIVATE KEY/,
  );
  assertRefused(
    await ours("certificate inspect --format yaml leaf.crt"),
    64,
    /^invalid value 'yaml' for flag '--format'; options are text, json, pem\n/,
  );
  assertRefused(
    await ours("certificate inspect --short --format json leaf.crt"),
    64,
    /^flag '--short' is incompatible with '--format json'\n/,
  );
});

test("certificate format turns PEM into DER and DER into PEM, as step does", async () => {
  for (const name of ["leaf.crt", "bundle.crt", "all.csr"]) {
    const convert = async (program: typeof ours, as: string) => {
      const der = `${as}.${name}.der`;
      const pem = `${as}.${name}.pem`;
      const there = await program(`certificate format ${name} --out ${der}`);
      const back = await program(`certificate format --out ${pem} ${der}`);
      return {
        codes: [there.code, back.code],
        said: [there.stderr, back.stderr].join("").replaceAll(as, "AS"),
        der: await bytesOf(der),
        pem: await bytesOf(pem),
      };
    };
    assertEquals(await convert(ours, "ours"), await convert(theirs, "real"));
  }
});

test("certificate format without --out writes bytes to standard output", async () => {
  const stdin = await bytesOf("leaf.crt");
  const words = "certificate format -";
  // As text, damaged in the same way.
  assertEquals(await ours(words, { stdin }), await theirs(words, { stdin }));
  const der = await bytesOf("leaf.der");
  assertEquals(
    await ours("certificate format", { stdin: der }),
    await theirs("certificate format", { stdin: der }),
  );
});

test("certificate format gives a new file the mode of its source, and asks before it replaces one", async () => {
  await Deno.chmod(`${directory}/leaf.crt`, 0o644);
  const words = "certificate format --out mode.der leaf.crt";
  assertEquals((await ours(words)).code, 0);
  const mode = async () =>
    ((await Deno.stat(`${directory}/mode.der`)).mode ?? 0) & 0o777;
  assertEquals(await mode(), 0o644);
  await Deno.writeTextFile(`${directory}/mode.der`, "old", { mode: 0o644 });
  await Deno.chmod(`${directory}/mode.der`, 0o600);
  assertRefused(
    await runInNewSession(words),
    64,
    /cannot ask whether to overwrite mode\.der/,
  );
  assertEquals(await Deno.readTextFile(`${directory}/mode.der`), "old");
  assertEquals((await ours(`${words} -f`)).code, 0);
  assertEquals(await mode(), 0o600);
  assertEquals(await bytesOf("mode.der"), await bytesOf("leaf.der"));
});

/** Without a terminal, also where the tests have one. */
async function runInNewSession(words: string): Promise<RunResult> {
  const { command, args } = program();
  return await run("setsid", ["-w", command, ...args, ...words.split(" ")], {
    cwd: directory,
    env,
  });
}

test("certificate format writes nothing for bad input", async () => {
  for (
    const [words, code, pattern] of [
      [
        "certificate format --out bad.der none.crt",
        65,
        /^open none\.crt failed/,
      ],
      ["certificate format --out bad.der leaf.key", 65, /EC PRIVATE KEY/],
      ["certificate format --out bad.der garbage", 65, /neither PEM nor/],
      ["certificate format --out none/bad.der leaf.crt", 73, /no such file/],
      ["certificate format --out . leaf.crt", 73, /is a directory/],
      ["certificate format a b", 64, /^too many positional arguments were/],
    ] as const
  ) {
    const { code: got, stderr } = await ours(words);
    assertEquals(got, code, `${words}: ${stderr}`);
    assertMatch(stderr, pattern);
  }
  assert(await Deno.stat(`${directory}/bad.der`).then(() => false, () => true));
});

test("certificate key prints the public key that step and openssl print", async () => {
  for (const name of ["leaf", "rsa", "ed25519"]) {
    const words = `certificate key ${name}.crt`;
    const own = await ours(words);
    assertEquals(own, await theirs(words));
    const { stdout } = await runOk("openssl", [
      ...["pkey", "-in", `${directory}/${name}.key`, "-pubout"],
    ]);
    assertEquals(own.stdout, stdout);
    const ofKey = await ours(`certificate key ${name}.key`);
    assertEquals(ofKey.stdout, stdout, ofKey.stderr);
  }
  const request = "certificate key step.csr --output-file step.pub";
  const { code, stderr } = await ours(request);
  assertEquals(code, 0, stderr);
  assertEquals(stderr, "The public key has been saved in step.pub.\n");
  const { stdout } = await theirs("certificate key step.csr");
  assertEquals(await Deno.readTextFile(`${directory}/step.pub`), stdout);
});

test("certificate key never prints a private key, other than step", async () => {
  const { stdout } = await theirs("certificate key leaf.key");
  assertStringIncludes(stdout, "PRIVATE KEY");
  const own = await ours("certificate key leaf.key");
  assert(!own.stdout.includes("PRIVATE KEY"));
  assertStringIncludes(own.stdout, "-----BEGIN PUBLIC KEY-----");
});

const keytoolMissing = await run("keytool", ["-help"])
  .then(
    ({ code }) => code === 0 ? undefined : "keytool fails",
    () => "keytool is not installed",
  );

/** What keytool lists. */
function keytool(file: string, password: string): Promise<RunResult> {
  return run("keytool", [
    ...["-J-Duser.language=en", "-list", "-keystore", `${directory}/${file}`],
    ...["-storetype", "PKCS12", "-storepass", password],
  ]);
}

for (const name of ["leaf", "rsa", "ed25519"]) {
  test(`certificate p12 holds the ${name} key and its chain, by openssl and keytool`, async () => {
    await Deno.writeTextFile(`${directory}/p12.pass`, "correct horse\n");
    const p12 = `${name}.p12`;
    const { code, stdout, stderr } = await ours(
      `certificate p12 ${p12} ${name}.crt ${name}.key --ca intermediate.crt --ca root.crt --password-file p12.pass`,
    );
    assertEquals(code, 0, stderr);
    assertEquals(stdout, "");
    assertEquals(stderr, `Your .p12 bundle has been saved as ${p12}.\n`);
    const { mode } = await Deno.stat(`${directory}/${p12}`);
    assertEquals((mode ?? 0) & 0o777, 0o600);
    const open = (...args: string[]) =>
      runOk("openssl", [
        ...["pkcs12", "-in", `${directory}/${p12}`, "-passin"],
        ...["pass:correct horse", ...args],
      ]);
    const info = await open("-info", "-noout");
    assertMatch(info.stderr, /MAC: sha256/);
    assertEquals(info.stderr.match(/PBES2, PBKDF2, AES-256-CBC/g)?.length, 2);
    const { stdout: certificates } = await open("-nokeys");
    assertEquals(certificates.match(/BEGIN CERTIFICATE/g)?.length, 3);
    const { stdout: leaf } = await open("-nokeys", "-clcerts");
    assertStringIncludes(
      leaf,
      await Deno.readTextFile(`${directory}/${name}.crt`),
    );
    const { stdout: key } = await open("-nocerts", "-nodes");
    const publicKey = (stdin: string) =>
      runOk("openssl", ["pkey", "-pubout"], { stdin });
    assertEquals(
      (await publicKey(key)).stdout,
      (await publicKey(await Deno.readTextFile(`${directory}/${name}.key`)))
        .stdout,
    );
    const wrong = await run("openssl", [
      ...["pkcs12", "-in", `${directory}/${p12}`, "-noout"],
      ...["-passin", "pass:wrong"],
    ]);
    assert(wrong.code !== 0);
    if (keytoolMissing !== undefined) return;
    const listed = await keytool(p12, "correct horse");
    assertEquals(listed.code, 0, listed.stdout);
    assertStringIncludes(listed.stdout, "PrivateKeyEntry");
  });
}

test(
  `certificate p12 of CAs alone is a trust store, by keytool${
    keytoolMissing === undefined ? "" : ` (ignored: ${keytoolMissing})`
  }`,
  async () => {
    await Deno.writeTextFile(`${directory}/p12.pass`, "correct horse\n");
    const { code, stderr } = await ours(
      "certificate p12 trust.p12 --ca root.crt --ca intermediate.crt --password-file p12.pass",
    );
    assertEquals(code, 0, stderr);
    const { stdout } = await keytool("trust.p12", "correct horse");
    assertEquals(stdout.match(/trustedCertEntry/g)?.length, 2, stdout);
    assertMatch(stdout, /cn=root ca - [0-9a-f]{64}/);
  },
  keytoolMissing !== undefined,
);

test("certificate p12 --no-password needs --insecure, and openssl opens it with an empty password", async () => {
  assertRefused(
    await ours("certificate p12 --no-password open.p12 leaf.crt leaf.key"),
    64,
    /^flag '--no-password' requires the '--insecure' flag\n/,
  );
  const { code, stderr } = await ours(
    "certificate p12 --no-password --insecure open.p12 leaf.crt leaf.key",
  );
  assertEquals(code, 0, stderr);
  await runOk("openssl", [
    ...["pkcs12", "-in", `${directory}/open.p12`, "-noout", "-passin", "pass:"],
  ]);
});

test("certificate p12 opens an encrypted key, and leaves no plain one anywhere", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.file("key.pass"), "key password");
  await Deno.writeTextFile(dir.file("p12.pass"), "p12 password");
  await runOk("openssl", [
    ...["pkey", "-in", `${directory}/leaf.key`, "-aes256", "-passout"],
    ...["pass:key password", "-out", dir.file("sealed.key")],
  ]);
  const words =
    `certificate p12 ${dir.path}/a.p12 leaf.crt ${dir.path}/sealed.key --password-file ${dir.path}/p12.pass --key-password-file ${dir.path}`;
  assertRefused(
    await ours(`${words}/p12.pass`),
    65,
    /p12\.pass does not open it/,
  );
  const { code, stderr } = await ours(`${words}/key.pass`);
  assertEquals(code, 0, stderr);
  await runOk("openssl", [
    ...["pkcs12", "-in", dir.file("a.p12"), "-noout", "-passin"],
    "pass:p12 password",
  ]);
  const entries = await Array.fromAsync(Deno.readDir(dir.path));
  const names = entries.map(({ name }) => name);
  assertEquals(names.toSorted(), [
    "a.p12",
    "key.pass",
    "p12.pass",
    "sealed.key",
  ]);
});

test("certificate p12 writes nothing for bad input", async () => {
  for (
    const [words, code, pattern] of [
      ["bad.p12", 64, /^flag '--ca' must be provided when no <crt_path>/],
      ["bad.p12 leaf.crt", 64, /^missing positional argument/],
      ["bad.p12 leaf.crt rsa.key", 65, /is not the key of the certificate/],
      ["bad.p12 leaf.crt none.key", 65, /none\.key/],
      ["bad.p12 --ca leaf.key", 65, /error reading certificate chain/],
      ["bad.p12 --ca root.crt --password-file none", 65, /none/],
      [
        "bad.p12 --ca root.crt --password-file p12.pass --no-password",
        64,
        /^flag '--no-password' is incompatible with '--password-file'\n/,
      ],
    ] as const
  ) {
    const result = await runInNewSession(`certificate p12 ${words}`);
    assertRefused(result, code, pattern);
  }
  assertRefused(
    await runInNewSession("certificate p12 bad.p12 leaf.crt leaf.key"),
    64,
    /^nobody can be asked for a password: .*\nhint: use --password-file\n/,
  );
  assert(await Deno.stat(`${directory}/bad.p12`).then(() => false, () => true));
});

test("certificate p12 does not replace what it packs, whatever --force says", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.file("p12.pass"), "p12 password");
  for (const name of ["leaf.crt", "leaf.key", "root.crt"]) {
    await Deno.copyFile(`${directory}/${name}`, dir.file(name));
  }
  const packed = `${dir.path}/leaf.crt ${dir.path}/leaf.key`;
  const words = `--force --password-file ${dir.path}/p12.pass`;
  for (
    const [name, role] of [
      ["leaf.key", "argument <key-path>"],
      ["leaf.crt", "argument <crt-path>"],
      ["root.crt", "flag '--ca'"],
      ["p12.pass", "flag '--password-file'"],
    ] as const
  ) {
    const before = await Deno.readTextFile(dir.file(name));
    const result = await ours(
      `certificate p12 ${dir.path}/./${name} ${packed} --ca ${dir.path}/root.crt ${words}`,
    );
    assertRefused(
      result,
      64,
      new RegExp(
        `^argument <p12-path> and ${
          role.replaceAll(/[<>]/g, ".")
        } name the same file`,
      ),
    );
    assertEquals(await Deno.readTextFile(dir.file(name)), before);
  }
});
