/**
 * `ca certificate`, `ca token` and `ca revoke` beside the original, on one real
 * step-ca: what the one makes, the other takes.
 *
 * Intended differences: exit codes (the original has 1 for every failure; here
 * 1 is a certificate that is revoked already); no menu of provisioners and no
 * question for a subject; who reads no terminal sees no colours; the CA of a
 * token is shown without the path of its audience; --password-file beside
 * another password or a token encrypts the key, which the manual says and
 * v0.21.0 forgets; ca revoke takes the flags of a provisioner; a serial number
 * has to be a number, and usage lines show that it may be left out.
 */
import { ROOT } from "../../scripts/paths.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { CAN_MOUNT, mount } from "../support/mounts.ts";
import { KEY_PASSWORD, pairKeyOf } from "../support/openssl_reads.ts";
import { runProgram } from "../support/program.ts";
import { run, runOk, type RunResult } from "../support/run.ts";
import { OpensslCa } from "../support/openssl_ca.ts";
import { startStepCa, STEP, stepCaMissing } from "../support/step_ca.ts";
import { closedPort } from "../support/tcp_peers.ts";
import { tempDir } from "../support/temp_dir.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
const ca = stepCaMissing === undefined
  ? await startStepCa(directory)
  : undefined;
addEventListener("unload", () => {
  ca?.kill();
  Deno.removeSync(directory, { recursive: true });
});

const ENV = {
  STEPPATH: directory,
  HOME: directory,
  DENO_NO_UPDATE_CHECK: "1",
};
/** A host that knows nothing of the CA. */
const STRANGER = { ...ENV, STEPPATH: `${directory}/none` };
const PASSWORD = ["--provisioner-password-file", `${directory}/password`];

let count = 0;

/** Files that are not there yet. */
function newFiles() {
  const at = `${directory}/host${++count}`;
  return {
    certificateFile: `${at}.crt`,
    keyFile: `${at}.key`,
    both: [`${at}.crt`, `${at}.key`],
  };
}

const ours = (args: readonly string[], env: Record<string, string> = ENV) =>
  runProgram(["ca", ...args], { env });
const theirs = (args: readonly string[], env: Record<string, string> = ENV) =>
  run(STEP, ["ca", ...args], { env });

async function ok(result: Promise<RunResult>): Promise<RunResult> {
  const { code, stdout, stderr, signal } = await result;
  assertEquals(code, 0, stderr);
  return { code, stdout, stderr, signal };
}

/** Without codes for terminals. */
function plain(text: string): string {
  // deno-lint-ignore no-control-regex
  return text.replace(/\x1b\[[0-9;]*m/g, "");
}

/** Header and claims, without what is new in each token. */
function said(token: string): readonly string[] {
  return token.trim().split(".").slice(0, 2).map((part) =>
    new TextDecoder().decode(
      Uint8Array.fromBase64(part, { alphabet: "base64url" }),
    ).replaceAll(/"(exp|iat|nbf)":\d+|"jti":"[0-9a-f]{64}"/g, "$1")
  );
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

function test(name: string, fn: () => Promise<void>): void {
  Deno.test({ name, ignore: ca === undefined, fn });
}

test("ca token prints the token that step prints, and nothing else on stdout", async () => {
  for (
    const args of [
      ["host.example"],
      ["Host", "--san", "b", "--san", "a,c", "--san", "10.0.0.1"],
      ["host", "--issuer", "admin", "--not-before", "1m"],
      ["308893286343609293989051180431574390766", "--revoke"],
    ]
  ) {
    const [one, other] = await Promise.all([
      ok(ours(["token", ...args, ...PASSWORD])),
      ok(theirs(["token", ...args, ...PASSWORD])),
    ]);
    assertMatch(one.stdout, /^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    assertEquals(said(one.stdout), said(other.stdout));
    assertEquals(one.stderr, plain(other.stderr));
  }
});

test("ca token writes the file that step writes, and asks before another", async () => {
  await using dir = await tempDir();
  for (const [name, run] of Object.entries({ ours, theirs })) {
    const file = dir.file(name);
    const words = ["token", "host", "--output-file", file, ...PASSWORD];
    const { stdout } = await ok(run(words));
    const token = await Deno.readTextFile(file);
    assertEquals(stdout, "");
    assertMatch(token, /^[\w-]+\.[\w-]+\.[\w-]+$/);
    assertEquals(((await Deno.stat(file)).mode ?? 0) & 0o777, 0o600);
    assert((await run(words)).code !== 0, "nobody could be asked");
    assertEquals(await Deno.readTextFile(file), token);
    await ok(run([...words, "--force"]));
    assert(await Deno.readTextFile(file) !== token, "it is the old one");
  }
});

test("ca token has the life that is asked for", async () => {
  const { stdout } = await ok(ours([
    ...["token", "host", "--not-before", "1m", "--not-after", "10m"],
    ...PASSWORD,
  ]));
  const claims = JSON.parse(
    new TextDecoder().decode(
      Uint8Array.fromBase64(stdout.split(".")[1] ?? "", {
        alphabet: "base64url",
      }),
    ),
  );
  assertEquals(claims.exp - claims.nbf, 540);
  // The password takes its time, too.
  const delay = claims.nbf - claims.iat;
  assert(delay > 40 && delay <= 60, `${delay} s`);
});

test("ca token --json prints one object", async () => {
  const { stdout, stderr } = await ok(
    ours(["token", "host", "--json", ...PASSWORD]),
  );
  const { subject, token, notAfter, ...rest } = JSON.parse(stdout);
  assertEquals([subject, token.split(".").length], ["host", 3]);
  assert(Date.parse(notAfter) > Date.now());
  assertEquals([rest, stderr], [{}, ""]);
});

test("ca certificate takes a token of step, and step one of ca token", async () => {
  for (const [maker, taker] of [[theirs, ours], [ours, theirs]] as const) {
    const { both, ...files } = newFiles();
    const { stdout } = await ok(
      maker(["token", "host", "--san", "a.example", ...PASSWORD]),
    );
    const { stderr } = await ok(
      taker(["certificate", "host", ...both, "--token", stdout.trim()]),
    );
    assertEquals(
      plain(stderr),
      `✔ CA: ${ca?.url.replace("127.0.0.1", "localhost")}\n` +
        `✔ Certificate: ${both[0]}\n✔ Private Key: ${both[1]}\n`,
    );
    await pairKeyOf(files);
  }
});

test("ca certificate writes what step writes", async () => {
  const describe = async (
    act: typeof ours,
    flags: readonly string[],
  ) => {
    const { both: [certificateFile = "", keyFile = ""] } = newFiles();
    const both = [certificateFile, keyFile];
    const { stderr } = await ok(
      act(["certificate", "host", ...both, ...PASSWORD, ...flags]),
    );
    await pairKeyOf({ certificateFile, keyFile });
    await runOk("openssl", [
      ...["verify", "-CAfile", ca?.rootFile ?? ""],
      ...["-untrusted", certificateFile, certificateFile],
    ]);
    const { stdout } = await runOk("openssl", [
      ...["x509", "-in", certificateFile, "-noout", "-subject"],
      ...["-ext", "subjectAltName,keyUsage,extendedKeyUsage"],
    ]);
    const pem = await Deno.readTextFile(certificateFile);
    const [begin] = (await Deno.readTextFile(keyFile)).split("\n");
    return {
      stderr: plain(stderr).replaceAll(/host\d+/g, "host"),
      certificate: stdout,
      key: begin,
      chain: pem.split("BEGIN CERTIFICATE").length - 1,
      modes: both.map((file) => (Deno.statSync(file).mode ?? 0) & 0o777),
    };
  };
  for (
    const flags of [
      [],
      ["--san", "x.example", "--san", "10.0.0.1", "--san", "a@b.example"],
      ["--san", "spiffe://x/y", "--kty", "RSA"],
      ["--kty", "OKP", "--not-after", "10m"],
      ["--curve", "P-384", "--kty", "EC"],
    ]
  ) {
    const [one, other] = await Promise.all([
      describe(ours, flags),
      describe(theirs, flags),
    ]);
    assertEquals(one, other);
  }
});

test("ca certificate gets CA and root from the token, on a host that knows neither", async () => {
  const { both, ...files } = newFiles();
  const { stdout } = await ok(ours(["token", "host", ...PASSWORD]));
  const args = ["certificate", "host", ...both, "--token", stdout.trim()];
  await ok(ours(args, STRANGER));
  await pairKeyOf(files);
});

test("ca certificate asks no CA whose root is not that of the token", async () => {
  await using other = await startStepCa(
    await Deno.makeTempDir({
      prefix: "step-rekey-test-",
    }),
  );
  const { both } = newFiles();
  const { stdout } = await ok(ours(["token", "host", ...PASSWORD]));
  const token = stdout.trim();
  const args = ["certificate", "host", ...both, "--token", token];
  for (
    const flags of [
      ["--ca-url", other.url],
      // Who types a root wants that one.
      ["--root", other.rootFile],
    ]
  ) {
    const { code, stderr } = await ours([...args, ...flags], STRANGER);
    assert([69, 76, 77].includes(code), `${code}: ${stderr}`);
    assert(!await exists(both[0] ?? ""), "a certificate");
  }
  // It is still good: nobody has seen it.
  await ok(ours(args, STRANGER));
});

test("ca certificate encrypts the key where a second password asks for it", async () => {
  const passwordFile = `${directory}/key-password`;
  await Deno.writeTextFile(passwordFile, `${KEY_PASSWORD}\n`);
  const { both, ...files } = newFiles();
  await ok(ours([
    ...["certificate", "host", ...both, ...PASSWORD],
    ...["--password-file", passwordFile],
  ]));
  assertStringIncludes(
    await Deno.readTextFile(files.keyFile),
    "BEGIN ENCRYPTED PRIVATE KEY",
  );
  await pairKeyOf(files, KEY_PASSWORD);
});

test("ca certificate leaves the key plain where --password-file is the provisioner's, as step", async () => {
  for (const act of [ours, theirs]) {
    const { both, ...files } = newFiles();
    await ok(act([
      ...["certificate", "host", ...both],
      ...["--password-file", `${directory}/password`],
    ]));
    assertMatch(await Deno.readTextFile(files.keyFile), /BEGIN EC PRIVATE/);
  }
});

test("ca certificate --json prints one object", async () => {
  const { both: [certificate = "", key = ""] } = newFiles();
  const { stdout, stderr } = await ok(ours([
    ...["certificate", "host", certificate, key, "--json", ...PASSWORD],
  ]));
  const { serial, notBefore, notAfter, ...rest } = JSON.parse(stdout);
  assertEquals(rest, { certificate, key, names: ["DNS:host"] });
  assertMatch(serial, /^[0-9A-F]+$/);
  assert(Date.parse(notBefore) < Date.parse(notAfter));
  assertEquals(stderr, "");
});

test("ca certificate overwrites a pair with --force, and asks nobody for a token without", async () => {
  const { both, ...files } = newFiles();
  const args = ["certificate", "host", ...both, ...PASSWORD];
  await ok(ours(args));
  const before = await pairKeyOf(files);
  const { code, stderr } = await ours(args);
  assertEquals(code, 64);
  assertMatch(stderr, /^cannot ask whether to overwrite .*\nhint: use --force/);
  assertEquals(await pairKeyOf(files), before);
  await ok(ours([...args, "--force"]));
  assert(await pairKeyOf(files) !== before, "the same key");
});

/** Lines that both refuse, before a CA is asked or by its answer. */
const REFUSED: readonly (readonly [args: readonly string[], code: number])[] = [
  [["certificate", "a", "b"], 64],
  [["certificate", "a", "b", "c", "d"], 64],
  [["certificate", "a", "b", "c", "--token", "x"], 64],
  [["certificate", "host", "CRT", "KEY", "--token", "TOKEN", "--san", "x"], 64],
  [["certificate", "other", "CRT", "KEY", "--token", "TOKEN"], 64],
  [["certificate", "host", "CRT", "KEY", "--token", "TOKEN", "--kty", "x"], 64],
  [["certificate", "host", "CRT", "KEY", "--issuer", "x"], 64],
  [["token"], 64],
  [["token", "a", "b"], 64],
  [["token", "a", "--revoke", "--san", "x"], 64],
  [["token", "a", "--issuer", "x"], 64],
  [["token", "a", "--kid", "x"], 64],
  [["token", "a", "--not-after", "x"], 64],
  [["token", "a", "--not-before", "1 h"], 64],
  [["revoke"], 64],
  [["revoke", "1", "--reasonCode", "11"], 64],
  [["revoke", "1", "--reasonCode=-1"], 64],
  [["revoke", "1", "--reasonCode", "because"], 64],
  [["revoke", "1", "--token", "TOKEN"], 64],
  [["revoke", "--cert", "CRT"], 64],
  [["revoke", "--key", "KEY"], 64],
  [["revoke", "--cert", "CRT", "--key", "KEY", "1"], 64],
];

/** Theirs come from a library of another version. */
function asOurs(text: string): string {
  return plain(text).split("\n")
    .find((line) => line !== "" && !line.startsWith("✔"))
    ?.replace("square/go-jose: ", "")
    .replace(/\b(and|in) flag/, "$1 flag") ?? "";
}

test("ca certificate, ca token and ca revoke refuse in the words of step", async () => {
  const { stdout: token } = await ok(ours(["token", "host", ...PASSWORD]));
  const { both: [certificate = "", key = ""] } = newFiles();
  for (const [words, expected] of REFUSED) {
    const line = words.map((word) =>
      ({ CRT: certificate, KEY: key, TOKEN: token.trim() })[word] ?? word
    );
    const [one, other] = await Promise.all([ours(line), theirs(line)]);
    assertEquals(asOurs(one.stderr), asOurs(other.stderr), words.join(" "));
    assertEquals([one.code, other.code], [expected, 1], words.join(" "));
    assertEquals(one.stdout, "");
    assert(!one.stderr.includes(token.trim()), "the token");
    assert(!await exists(certificate) && !await exists(key), "a file");
  }
});

test("they name the flag that is missing, as step", async () => {
  const { both } = newFiles();
  for (
    const line of [
      ["certificate", "host", ...both],
      ["certificate", "host", ...both, "--ca-url", "localhost:1"],
      ["token", "host"],
      ["token", "host", "--ca-url", "localhost:1"],
      ["revoke", "1"],
      ["revoke", "1", "--ca-url", "localhost:1"],
    ]
  ) {
    const [one, other] = await Promise.all([
      ours(line, STRANGER),
      theirs(line, STRANGER),
    ]);
    assertEquals(asOurs(one.stderr), asOurs(other.stderr));
    assertEquals([one.code, other.code], [64, 1]);
  }
});

test("a wrong password, a token that is used up, and a life that is too long write nothing", async () => {
  const { both } = newFiles();
  const wrong = `${directory}/wrong`;
  await Deno.writeTextFile(wrong, "wrong");
  const used = (await ok(ours(["token", "host", ...PASSWORD]))).stdout.trim();
  const { both: others } = newFiles();
  await ok(ours(["certificate", "host", ...others, "--token", used]));
  for (
    const [flags, expected, words] of [
      [
        ["--provisioner-password-file", wrong],
        65,
        /^failed to decrypt JWE: invalid password$/m,
      ],
      [["--provisioner-password-file", `${directory}/no`], 65, /no such file/],
      [["--token", used], 77, /lacked necessary authorization/],
      [[...PASSWORD, "--not-after", "100h"], 77, /more than the authorized/],
      [[...PASSWORD, "--san", "h\u00f6st"], 64, /cannot be encoded/],
      [
        [...PASSWORD, "--not-after", "soon"],
        64,
        /'soon' for flag '--not-after'/,
      ],
      [[], 65, /^nobody can be asked for the password of the provisioner/m],
    ] as const
  ) {
    const { code, stdout, stderr } = await ours([
      ...["certificate", "host", ...both, ...flags],
    ]);
    assertEquals([code, stdout], [expected, ""], stderr);
    assertMatch(stderr, words);
    assert(!stderr.includes(used), "the token");
    assert(!await exists(both[0] ?? ""), "a certificate");
    assert(!await exists(both[1] ?? ""), "a key");
  }
});

test("flags for what is not supported are refused by name", async () => {
  for (
    const [line, words] of [
      [
        ["certificate", "a", "b", "c", "--acme", "x"],
        /'--acme'.*\nhint: .*ACME client/,
      ],
      [["certificate", "a", "b", "c", "--set", "x=y"], /'--set' is not/],
      [["certificate", "a", "b", "c", "--offline"], /'--offline' is not/],
      [["certificate", "a", "b", "c", "--x5c-cert", "x"], /hint: .*--token/],
      [["token", "a", "--ssh"], /'--ssh' is not.*\nhint: .*Smallstep's step/],
      [["token", "a", "--x5c-cert", "x"], /'--x5c-cert' is not/],
      [["revoke", "1", "--offline"], /'--offline' is not/],
    ] as const
  ) {
    const { code, stderr } = await ours(line);
    assertEquals(code, 64);
    assertMatch(stderr.replace(/\nusage:.*/, ""), words);
  }
});

/** A certificate of the CA, and its serial number in decimal. */
async function issued() {
  const { both, ...files } = newFiles();
  const { stdout } = await ok(ours([
    ...["certificate", "host", ...both, "--json", ...PASSWORD],
  ]));
  const serial = BigInt(`0x${JSON.parse(stdout).serial}`).toString();
  return { ...files, serial };
}

test("ca revoke revokes once, by the certificate itself, a token or a provisioner", async () => {
  const byToken = async ({ serial }: { serial: string }) => {
    const { stdout } = await ok(
      theirs(["token", serial, "--revoke", ...PASSWORD]),
    );
    return [serial, "--token", stdout.trim()];
  };
  const bySelf = (
    { certificateFile, keyFile }: { certificateFile: string; keyFile: string },
  ) => Promise.resolve(["--cert", certificateFile, "--key", keyFile]);
  const byPassword = ({ serial }: { serial: string }) =>
    Promise.resolve([
      `0x${BigInt(serial).toString(16)}`,
      ...PASSWORD,
      "--reason",
      "lost",
      "--reasonCode",
      "key Compromise",
    ]);
  for (const words of [bySelf, byToken, byPassword]) {
    const one = await issued();
    const { stderr } = await ok(ours(["revoke", ...await words(one)]));
    const text =
      `Certificate with Serial Number ${one.serial} has been revoked.\n`;
    assertStringIncludes(stderr, `✔ CA: `);
    assert(stderr.endsWith(text), stderr);
    const again = await ours(["revoke", ...await words(one)]);
    assertEquals(again.code, 1);
    assertStringIncludes(
      again.stderr,
      `certificate with serial number '${one.serial}' is already revoked`,
    );
    // And it is: nothing renews it.
    const rekeyed = await ours([
      ...["rekey", "--force", one.certificateFile, one.keyFile],
    ]);
    assertEquals(rekeyed.code, 77, rekeyed.stderr);
  }
});

test("ca revoke explains what cannot speak for itself, and asks no CA", async () => {
  if (ca === undefined) return;
  const now = Date.now();
  const over = await ca.issue("over", "admin", {
    notBefore: new Date(now - 7_200_000),
    notAfter: new Date(now - 3_600_000),
  });
  const forServers = await ca.issue("servers", "admin", {
    usages: "serverAuth",
  });
  const own = await OpensslCa.root(`${directory}/own`, "host");
  const nowhere = ["--ca-url", `localhost:${closedPort()}`];
  for (
    const [{ certificateFile, keyFile }, words] of [
      [over, /it expired on .*\nhint: .*step-rekey ca revoke \d+$/m],
      [forServers, /no clientAuth.*\nhint: .*step-rekey ca revoke \d+$/m],
      [own, /it is self-signed: no CA has issued it/],
    ] as const
  ) {
    const { code, stderr } = await ours([
      ...["revoke", "--cert", certificateFile, "--key", keyFile],
      ...nowhere,
    ]);
    assertEquals(code, 65, stderr);
    assertMatch(stderr, words);
  }
});

Deno.test({
  name:
    "ca certificate in a folder that cannot be written names its own flags (needs mount)",
  ignore: ca === undefined || !CAN_MOUNT,
  async fn() {
    await using dir = await tempDir();
    await using _mounted = await mount(dir.path, [
      ...["-t", "tmpfs", "-o", "ro", "none"],
    ]);
    const { code, stderr } = await runProgram([
      ...["ca", "certificate", "host", dir.file("a.crt"), dir.file("a.key")],
      ...PASSWORD,
    ], { env: ENV });
    assertEquals(code, 73, stderr);
    assertMatch(stderr, /\nhint: /);
    assert(!/--out/.test(stderr), stderr);
  },
});

test("ca revoke says what step says", async () => {
  const revoke = async (act: typeof ours) => {
    const { serial, certificateFile: cert, keyFile: key } = await issued();
    const args = ["revoke", "--cert", cert, "--key", key];
    const first = await ok(act(args));
    const second = await act(args);
    return [first, second].map(({ code, stdout, stderr }) => ({
      code,
      stdout,
      stderr: plain(stderr).replaceAll(serial, "N")
        .replace(/\n(hint|Re-run).*/, ""),
    }));
  };
  assertEquals(await revoke(ours), await revoke(theirs));
});

test("ca revoke refuses a serial number that is none, which step has revoked", async () => {
  for (const serial of ["AB12", "12:34", "", "1".repeat(60), "-1"]) {
    const { code, stderr } = await ours(["revoke", ...PASSWORD, "--", serial]);
    assertEquals(code, 64, stderr);
    assertMatch(stderr, /^argument <serial-number> must be a number/);
  }
});

/** The CA with other provisioners, for one test. */
async function withProvisioners(
  change: (jwk: Record<string, unknown>) => readonly object[],
  act: () => Promise<void>,
): Promise<void> {
  if (ca === undefined) throw new Error("there is no CA");
  const before = await Deno.readTextFile(ca.configFile);
  const config = JSON.parse(before);
  const [jwk] = config.authority.provisioners;
  config.authority.provisioners = change(jwk);
  await Deno.writeTextFile(ca.configFile, JSON.stringify(config));
  await ca.stop();
  await ca.restart();
  try {
    await act();
  } finally {
    await Deno.writeTextFile(ca.configFile, before);
    await ca.stop();
    await ca.restart();
  }
}

test("they name the provisioners where several could be meant, and take the one that is named", async () => {
  const acme = { type: "ACME", name: "acme" };
  await withProvisioners(
    (jwk) => [acme, { ...jwk, name: "one" }, { ...jwk, name: "two" }],
    async () => {
      const { code, stderr } = await ours(["token", "host", ...PASSWORD]);
      assertEquals(code, 64);
      assertMatch(
        stderr,
        /^which provisioner shall make the token\? The CA has 2 of type JWK: one \(JWK\) \[kid: \S+\], two \(JWK\) \[kid: \S+\]\nhint: name one with --provisioner/,
      );
      const { stdout } = await ok(
        ours(["token", "host", "--provisioner", "two", ...PASSWORD]),
      );
      assertMatch(said(stdout)[1] ?? "", /"iss":"two"/);
      const refused = await ours(["token", "host", "--issuer", "acme"]);
      assertEquals(refused.code, 64);
      assertMatch(
        refused.stderr,
        /there is acme \(ACME\)\nhint: .*ACME client/,
      );
    },
  );
  await withProvisioners((jwk) => [acme, jwk], async () => {
    await ok(ours(["token", "host", ...PASSWORD]));
  });
});

test("ca certificate takes a token of an X5C provisioner", async () => {
  const root = await Deno.readFile(ca?.rootFile ?? "");
  const holder = await ca?.issue("holder", "admin");
  await withProvisioners(
    (jwk) => [jwk, { type: "X5C", name: "x5c", roots: root.toBase64() }],
    async () => {
      const { stdout } = await ok(theirs([
        ...["token", "host", "--provisioner", "x5c"],
        ...["--x5c-cert", holder?.certificateFile ?? ""],
        ...["--x5c-key", holder?.keyFile ?? ""],
      ]));
      const { both, ...files } = newFiles();
      await ok(
        ours(["certificate", "host", ...both, "--token", stdout.trim()]),
      );
      await pairKeyOf(files);
    },
  );
});

Deno.test({
  name: "ca certificate loads no X.509 library for a plain key",
  ignore: ca === undefined || Deno.env.has("REKEY_TEST_BINARY"),
  async fn() {
    await using tree = await tempDir();
    const parts = ["main.ts", "deno.json", "deno.lock", "src"];
    await runOk("cp", [
      ...["-r", ...parts.map((part) => `${ROOT}${part}`), tree.path],
    ]);
    await Deno.writeTextFile(
      tree.file("src/pki/vendor/peculiar.js"),
      'throw new Error("the library was loaded");',
    );
    const { both, ...files } = newFiles();
    const main = [
      "run",
      "-A",
      "--no-prompt",
      "--no-check",
      tree.file("main.ts"),
    ];
    const line = ["ca", "certificate", "host", ...both, ...PASSWORD];
    await ok(run(Deno.execPath(), [...main, ...line], { env: ENV }));
    await pairKeyOf(files);
    const encrypted = await run(Deno.execPath(), [
      ...[...main, ...line, "--force"],
      ...["--password-file", `${directory}/password`],
    ], { env: ENV });
    assertStringIncludes(encrypted.stderr, "vendor/peculiar.js");
  },
});
