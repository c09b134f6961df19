/**
 * Questions about certificates, beside the real step: the same input gets the
 * same bytes on standard output and the same exit code.
 *
 * The suite asks a sample; `deno task sweep` asks all.
 */
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { parityTest } from "../ca/offline/beside_step.ts";
import { program, runProgram } from "../support/program.ts";
import { run, runOk, type RunResult } from "../support/run.ts";
import { startStepCa, STEP } from "../support/step_ca.ts";
import { sample } from "../support/sweep.ts";
import { closedPort } from "../support/tcp_peers.ts";
import { tempDir } from "../support/temp_dir.ts";
import { HOST, makeTestPki } from "../support/test_ca.ts";

const directory = await Deno.makeTempDir({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
const pki = await makeTestPki(directory);
const env = {
  STEPPATH: `${directory}/none`,
  HOME: directory,
  DENO_NO_UPDATE_CHECK: "1",
};
/** Names in the lines below. */
const files: Record<string, string> = {
  ROOT: pki.root.certificateFile,
  CRT: pki.host.certificateFile,
  KEY: pki.host.keyFile,
  DER: `${directory}/host.der`,
  TEXT: `${directory}/text`,
  NONE: `${directory}/none.crt`,
  DIR: `${directory}/roots`,
  NOPEER: `https://127.0.0.1:${closedPort()}`,
  OLD: (await pki.intermediate.issue("old", {
    ...HOST,
    notBefore: new Date(Date.now() - 100 * 3_600_000),
    notAfter: new Date(Date.now() + 40 * 3_600_000),
  })).certificateFile,
  DEAD: (await pki.intermediate.issue("dead", {
    ...HOST,
    notBefore: new Date(Date.now() - 100 * 3_600_000),
    notAfter: new Date(Date.now() - 3_600_000),
  })).certificateFile,
};
await runOk("openssl", [
  ...["x509", "-in", pki.host.certificateFile],
  ...["-outform", "DER", "-out", `${directory}/host.der`],
]);
await Deno.writeTextFile(`${directory}/text`, "no certificate\n");
await Deno.mkdir(`${directory}/roots`);
await Deno.copyFile(
  pki.root.certificateFile,
  `${directory}/roots/root.crt`,
);

function wordsOf(line: string): readonly string[] {
  return line.split(" ").map((word) =>
    word.replace(/\b[A-Z]{3,}\b/g, (name) => files[name] ?? name)
  );
}

/** Why ours differs from the original, and in what. */
interface Difference {
  readonly why: string;
  readonly code?: number;
  readonly stdout?: string;
}

const SYSEXITS = "a failure that is no answer has the code of its kind";
const SAME: Difference = { why: "" };

const LINES: Readonly<Record<string, Difference>> = {
  "certificate needs-renewal CRT": SAME,
  "certificate needs-renewal DER": SAME,
  "certificate needs-renewal OLD": SAME,
  "certificate needs-renewal DEAD": SAME,
  "certificate needs-renewal OLD --expires-in 75%": SAME,
  "certificate needs-renewal --expires-in=70% OLD": SAME,
  "certificate needs-renewal OLD --expires-in 39h": SAME,
  "certificate needs-renewal OLD -expires-in 41h30m": SAME,
  "certificate needs-renewal DEAD --expires-in 0s": SAME,
  "certificate needs-renewal CRT --expires-in 0%": SAME,
  "certificate needs-renewal CRT --expires-in 101%": SAME,
  "certificate needs-renewal CRT --expires-in=-1%": SAME,
  "certificate needs-renewal CRT --expires-in x%": SAME,
  "certificate needs-renewal CRT --expires-in 3d": SAME,
  "certificate needs-renewal NONE": SAME,
  "certificate needs-renewal NONE/x": SAME,
  "certificate needs-renewal TEXT": SAME,
  "certificate needs-renewal TEXT/x": SAME,
  "certificate needs-renewal KEY": SAME,
  "certificate needs-renewal DIR": SAME,
  "certificate needs-renewal": SAME,
  "certificate needs-renewal CRT CRT": SAME,
  "certificate needs-renewal --nonsense CRT": {
    why: "1 would say that it is not due",
    code: 255,
    stdout: "",
  },
  "certificate needs-renewal NOPEER": SAME,
  "certificate verify CRT --roots ROOT": SAME,
  "certificate verify CRT -roots=ROOT": SAME,
  "certificate verify CRT --roots DIR": SAME,
  "certificate verify CRT --roots OLD,ROOT": SAME,
  "certificate verify --roots ROOT --host host.example CRT": SAME,
  "certificate verify CRT --roots ROOT --host 10.1.2.3": SAME,
  "certificate verify CRT --roots ROOT --host other.example": SAME,
  "certificate verify CRT --roots ROOT --host 10.1.2.4": SAME,
  "certificate verify CRT": SAME,
  "certificate verify OLD --roots ROOT": SAME,
  "certificate verify OLD --roots OLD": SAME,
  "certificate verify DEAD --roots ROOT": SAME,
  "certificate verify ROOT --roots ROOT": SAME,
  "certificate verify ROOT": SAME,
  "certificate verify DER --roots ROOT": { why: "DER is read, too", code: 1 },
  "certificate verify NONE": { why: SYSEXITS, code: 65 },
  "certificate verify TEXT": { why: SYSEXITS, code: 65 },
  "certificate verify CRT --roots NONE": { why: SYSEXITS, code: 78 },
  "certificate fingerprint CRT": SAME,
  "certificate fingerprint DER": SAME,
  "certificate fingerprint CRT --bundle": SAME,
  "certificate fingerprint CRT --sha1 --insecure": SAME,
  "certificate fingerprint CRT --sha1": { why: SYSEXITS, code: 64 },
  "certificate fingerprint CRT --format base64": SAME,
  "certificate fingerprint CRT --format base64-url": SAME,
  "certificate fingerprint CRT --format base64-raw": SAME,
  "certificate fingerprint --format=base64-url-raw CRT": SAME,
  "certificate fingerprint CRT --format hex": SAME,
  "certificate fingerprint CRT --format emoji": {
    why: "not supported",
    code: 64,
    stdout: "",
  },
  "certificate fingerprint CRT --format x": { why: SYSEXITS, code: 64 },
  "certificate fingerprint NONE": { why: SYSEXITS, code: 65 },
  "certificate fingerprint NOPEER": { why: SYSEXITS, code: 69 },
  "path": SAME,
  "path --base": SAME,
  "path --profile": SAME,
};

for (
  const [line, { why, code, stdout }] of sample(
    "answers",
    Object.entries(LINES),
    20,
  )
) {
  const reason = why === "" ? "" : `, but ${why}`;
  parityTest(`${line} answers as step does${reason}`, async () => {
    const words = wordsOf(line);
    const [theirs, ours] = await Promise.all([
      run(STEP, words, { env }),
      runProgram(words, { env }),
    ]);
    assertEquals(
      [ours.code, ours.stdout],
      [code ?? theirs.code, stdout ?? theirs.stdout],
      ours.stderr,
    );
    // It only says so where it is asked to, as newer versions of step.
    if (ours.code > 1 || why !== "") return;
    const first = ours.stderr.split("\n")[0] ?? "";
    if (words.includes("needs-renewal")) assertEquals(ours.stderr, "");
    else assertEquals(comparable(first), comparable(theirs.stderr), line);
  });
}

/** Without the moment, and the original's local time. */
function comparable(text: string): string {
  return text.trim().replace(/current time \S+/, "current time NOW");
}

parityTest("path follows contexts as step does", async () => {
  const base = `${directory}/contexts`;
  await Deno.mkdir(base);
  const context = { profile: "p", authority: "a" };
  await Deno.writeTextFile(
    `${base}/contexts.json`,
    JSON.stringify({ one: context, two: { ...context, authority: "b" } }),
  );
  await Deno.writeTextFile(`${base}/current-context.json`, '{"context":"two"}');
  for (const flag of ["", "--base", "--profile"]) {
    const words = ["path", flag].filter(Boolean);
    const options = { env: { ...env, STEPPATH: base } };
    const theirs = await run(STEP, words, options);
    const ours = await runProgram(words, options);
    assertEquals(ours.stdout, theirs.stdout);
    assertEquals(ours.code, theirs.code);
  }
});

parityTest("a server's own certificate is asked for as step does", async () => {
  await using dir = await tempDir();
  await using ca = await startStepCa(dir.path);
  const { port } = new URL(ca.url);
  for (
    const [line, code] of [
      [`certificate needs-renewal ${ca.url} --roots ${ca.rootFile}`],
      [`certificate needs-renewal tls://localhost:${port} --roots ${ca.rootFile} --expires-in 100000h`],
      [`certificate needs-renewal ${ca.url}`],
      [`certificate needs-renewal ${ca.url} --roots ${ca.rootFile} --servername nobody.example`],
      [`certificate verify ${ca.url} --roots ${ca.rootFile}`],
      [`certificate verify ${ca.url} --roots ${ca.rootFile} --servername localhost`],
      [`certificate verify ${ca.url} --roots ${ca.rootFile} --host localhost`],
      [`certificate verify ${ca.url} --roots ${ca.rootFile} --host nobody.example`],
      [`certificate verify ${ca.url}`],
      [`certificate verify ${ca.url} --roots ${files.CRT}`],
      [`certificate fingerprint ${ca.url} --roots ${ca.rootFile}`],
      [`certificate fingerprint ${ca.url} --insecure`],
      [`certificate fingerprint ${ca.url}`, 76],
    ] as const
  ) {
    const words = line.split(" ");
    const theirs = await run(STEP, words, { env });
    const ours = await runProgram(words, { env });
    assertEquals(ours.code, code ?? theirs.code, line + ours.stderr);
    assertEquals(ours.stdout, theirs.stdout, line);
    if (ours.code !== 0 && !line.includes("needs-renewal")) {
      assertEquals(ours.stderr.split("\n")[0], theirs.stderr.trim(), line);
    }
  }
  // Deno 2.7, on which compiled tests run, does not tell the issuers.
  const words = [
    "certificate",
    "fingerprint",
    ca.url,
    "--bundle",
    "--insecure",
  ];
  const theirs = await run(STEP, words, { env });
  const ours = await runProgram(words, { env });
  if (Deno.env.has("REKEY_TEST_BINARY")) assertEquals(ours.code, 78);
  else assertEquals(ours.stdout, theirs.stdout, theirs.stderr);
});

parityTest("a server is believed by the named roots alone", async () => {
  await using dir = await tempDir();
  await using ca = await startStepCa(dir.path);
  const ask = (store: Readonly<Record<string, string>>) =>
    runProgram(
      ["certificate", "verify", ca.url, "--roots", pki.root.certificateFile],
      { env: { ...env, ...store } },
    );
  for (
    const store of [
      { DENO_CERT: ca.rootFile },
      { NODE_EXTRA_CA_CERTS: ca.rootFile },
      { SSL_CERT_FILE: ca.rootFile, DENO_TLS_CA_STORE: "system" },
    ]
  ) {
    const { code, stderr } = await ask(store);
    assertEquals(code, 1, Object.keys(store).join(" "));
    assertStringIncludes(stderr, "certificate signed by unknown authority");
  }
  // The roots of the system, where none is named.
  const { code } = await runProgram(["certificate", "verify", ca.url], {
    env: { ...env, SSL_CERT_FILE: ca.rootFile },
  });
  assertEquals(code, 0);
});

/** The one object on standard output. */
function jsonOf({ stdout }: RunResult): Record<string, unknown> {
  assertMatch(stdout, /^\{.*\}\n$/);
  return JSON.parse(stdout);
}

async function ask(line: string): Promise<RunResult> {
  return await runProgram(wordsOf(line), { env });
}

Deno.test("--json answers with one object, and the same code", async () => {
  const due = await ask("certificate needs-renewal DEAD --json");
  assertEquals(due.code, 0);
  const { needsRenewal, usedPercent } = jsonOf(due);
  assertEquals([needsRenewal, usedPercent], [true, 101]);
  const early = await ask("certificate needs-renewal CRT --json");
  assertEquals([early.code, jsonOf(early).needsRenewal], [1, false]);
  const no = await ask("certificate verify OLD --roots ROOT --json");
  assertEquals(no.code, 1);
  assertEquals(jsonOf(no), {
    isValid: false,
    reason:
      "failed to verify certificate: x509: certificate signed by unknown authority",
    detail:
      'no trusted root issued certificate 1 of the chain: its issuer is "CN=Test Intermediate"',
  });
  const yes = await ask("certificate verify CRT --roots ROOT --json");
  assertEquals(jsonOf(yes), { isValid: true, reason: null, detail: null });
  const print = jsonOf(
    await ask("certificate fingerprint CRT --bundle --json"),
  );
  assertEquals([print.hash, print.format], ["SHA-256", "hex"]);
  assert(Array.isArray(print.fingerprints) && print.fingerprints.length === 2);
  assertEquals(jsonOf(await ask("path --json")).path, env.STEPPATH);
  assertEquals(jsonOf(await ask("version --json")).name, "step-rekey");
});

Deno.test("certificate needs-renewal --bundle looks at every certificate", async () => {
  const both = `${directory}/both.crt`;
  files.BOTH = both;
  const texts = [files.CRT, files.OLD].map((file) =>
    Deno.readTextFileSync(file ?? "")
  );
  await Deno.writeTextFile(both, texts.join(""));
  assertEquals((await ask("certificate needs-renewal BOTH")).code, 1);
  const whole = await ask("certificate needs-renewal --bundle -v BOTH");
  assertEquals(
    [whole.code, whole.stdout],
    [0, "certificate needs renewal\n"],
  );
  const early = await ask("certificate needs-renewal CRT --verbose");
  assertEquals(
    [early.code, early.stderr],
    [1, "certificate does not need renewal\n"],
  );
});

Deno.test("certificate fingerprint reads standard input", async () => {
  const stdin = await Deno.readTextFile(pki.host.certificateFile);
  const expected = await ask("certificate fingerprint CRT");
  for (const words of [[], ["-"]]) {
    const { stdout, code } = await runProgram(
      ["certificate", "fingerprint", ...words],
      { env, stdin },
    );
    assertEquals([code, stdout], [0, expected.stdout]);
  }
});

Deno.test("certificate needs-renewal is 255 for settings that cannot be read", async () => {
  const broken = `${directory}/broken`;
  await Deno.mkdir(`${broken}/config`, { recursive: true });
  await Deno.writeTextFile(`${broken}/config/defaults.json`, "{");
  const { code, stderr } = await runProgram(
    ["certificate", "needs-renewal", pki.host.certificateFile],
    { env: { ...env, STEPPATH: broken } },
  );
  assertEquals(code, 255);
  assertStringIncludes(stderr, "defaults.json");
});

const binary = Deno.env.get("REKEY_TEST_BINARY");

Deno.test("called as step, a command that it lacks is 255, and told where it is", async () => {
  const { command, args } = program();
  for (
    const line of ["ca init", "ssh list", "certificate lint x", "nonsense"]
  ) {
    const { code, stderr, stdout } = await run(
      command,
      [...args, ...line.split(" ")],
      { env: { ...env, STEP_REKEY_AS_STEP: "1" } },
    );
    assertEquals([code, stdout], [255, ""], stderr);
    const own = await runProgram(line.split(" "), { env });
    assertEquals(own.code, 64);
  }
  const { stderr } = await run(command, [...args, "ca", "init"], {
    env: { ...env, STEP_REKEY_AS_STEP: "1" },
  });
  assertMatch(
    stderr,
    /^'ca init' is a command of Smallstep's step; this is step-rekey under that name/,
  );
  assertStringIncludes(stderr, "https://smallstep.com/docs/step-cli");
});

for (const name of ["step", "step-cli"]) {
  Deno.test({
    name: `a link called ${name} stands in for it`,
    ignore: binary === undefined,
    async fn() {
      const bin = `${directory}/bin-${name}`;
      await Deno.mkdir(bin);
      await Deno.symlink(binary ?? "", `${bin}/${name}`);
      const call = (...words: string[]) =>
        run(`${bin}/${name}`, words, { env });
      assertEquals((await call("ca", "init")).code, 255);
      const { stdout } = await call("version");
      assertMatch(stdout, /^step-rekey step-compatible\/0\.24\.0 \(/);
      assertStringIncludes(stdout, "Version: step-rekey/");
      assertStringIncludes((await call("help")).stdout, `${name} [--config`);
      // By the search path, where the name stands alone.
      const found = await run("sh", ["-c", `${name} nonsense`], {
        env: { ...env, PATH: `${bin}:/usr/bin:/bin` },
      });
      assertEquals(found.code, 255);
    },
  });
}

Deno.test("version is read as the clients of step read it", async () => {
  const second = async (extra: Record<string, string>) => {
    const { stdout } = await runProgram(["version"], {
      env: { ...env, ...extra },
    });
    return stdout.split(" ")[1] ?? "";
  };
  assertMatch(await second({}), /^step-rekey\/\d+\.\d+\.\d+(-rc\.\d+)?$/);
  assertEquals(
    (await second({ STEP_REKEY_AS_STEP: "1" })).split("/")[1],
    "0.24.0",
  );
});
