/**
 * `ca bootstrap`, `ca health`, `ca root`, `ca roots` and `ca federation` beside
 * the real `step`, against the real step-ca.
 *
 * Intended differences: exit codes of failures are those of this program;
 * `--redirect-url` is written down (step 0.21.0 drops it); `ca bootstrap` takes
 * no argument; folders are no root certificates for step.
 *
 * The suite does a sample; `deno task sweep` does all.
 */
import { assertEquals, assertMatch } from "../support/assert.ts";
import { program, runProgram } from "../support/program.ts";
import { run, type RunResult } from "../support/run.ts";
import { startStepCa, STEP, stepCaMissing } from "../support/step_ca.ts";
import { sample } from "../support/sweep.ts";
import { closedPort } from "../support/tcp_peers.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
const ca = stepCaMissing === undefined
  ? await startStepCa(directory)
  : undefined;
addEventListener("unload", () => {
  ca?.kill();
  Deno.removeSync(directory, { recursive: true });
});
const url = ca?.url ?? "";
const rootPem = ca === undefined ? "" : await Deno.readTextFile(ca.rootFile);
const fingerprint = ca === undefined
  ? ""
  : (await ca.step("certificate", "fingerprint", ca.rootFile)).stdout.trim();
const ADDRESS = ["--ca-url", url, "--fingerprint", fingerprint];

const cases: (readonly [
  name: string,
  fn: (dir: TempDir) => Promise<void>,
])[] = [];

function besideStep(name: string, fn: (dir: TempDir) => Promise<void>): void {
  cases.push([name, fn]);
}

type Env = Readonly<Record<string, string>>;

const ours = (stepPath: string, args: readonly string[], env: Env = {}) =>
  runProgram(args, { cwd: directory, env: { STEPPATH: stepPath, ...env } });

const theirs = (stepPath: string, args: readonly string[], env: Env = {}) =>
  run(STEP, args, {
    cwd: directory,
    env: { STEPPATH: stepPath, HOME: stepPath, ...env },
  });

/** Every file and folder: its mode, and what it holds. */
async function tree(path: string): Promise<Readonly<Record<string, string>>> {
  const found: Record<string, string> = {};
  for await (const { name, isDirectory } of Deno.readDir(path)) {
    const file = `${path}/${name}`;
    const { mode } = await Deno.lstat(file);
    const below = isDirectory ? Object.entries(await tree(file)) : [];
    const content = isDirectory ? "" : await Deno.readTextFile(file);
    found[name] = `${((mode ?? 0) & 0o7777).toString(8)} ${content}`;
    for (const [inside, what] of below) found[`${name}/${inside}`] = what;
  }
  return found;
}

const answerOf = ({ code, stdout, stderr }: RunResult) => ({
  code,
  stdout,
  stderr,
});

/** Runs lines with both, each in a place of its own under the same path. */
async function runBoth(
  dir: TempDir,
  lines: readonly (readonly string[])[],
): Promise<void> {
  const stepPath = dir.file("step");
  const results = [];
  for (const runLine of [theirs, ours]) {
    await Deno.mkdir(stepPath);
    const answers = [];
    for (const line of lines) {
      answers.push(answerOf(await runLine(stepPath, line)));
      answers.push(await tree(stepPath));
    }
    results.push(answers);
    await Deno.remove(stepPath, { recursive: true });
  }
  assertEquals(results[1], results[0]);
}

besideStep("ca bootstrap leaves what step leaves", (dir) =>
  runBoth(dir, [
    ["ca", "bootstrap", ...ADDRESS],
    [
      ...["ca", "bootstrap", "-f", "--ca-url", `${url.slice(8)}/1.0`],
      ...["--fingerprint", ` ${fingerprint.toUpperCase()} `],
    ],
  ]));

besideStep("ca bootstrap adds contexts as step does", (dir) =>
  runBoth(dir, [
    ["ca", "bootstrap", ...ADDRESS, "--context", "one"],
    [
      ...["ca", "bootstrap", ...ADDRESS, "--context", "a"],
      ...["--authority", "b", "--profile", "c"],
    ],
    ["ca", "bootstrap", ...ADDRESS, "--context", "one", "--force"],
    // Contexts are in use now, so it makes one for the host.
    ["ca", "bootstrap", ...ADDRESS],
    ["ca", "health"],
    ["ca", "root"],
  ]));

besideStep(
  "ca bootstrap --profile names a context by the host",
  (dir) => runBoth(dir, [["ca", "bootstrap", ...ADDRESS, "--profile", "p"]]),
);

besideStep(
  "ca health, root, roots and federation print what step prints",
  (dir) =>
    runBoth(dir, [
      ["ca", "bootstrap", ...ADDRESS],
      ["ca", "health"],
      ["ca", "root"],
      ["ca", "root", `${dir.path}/step/root.pem`],
      ["ca", "roots"],
      ["ca", "roots", `${dir.path}/step/roots.pem`],
      ["ca", "federation"],
      ["ca", "federation", `${dir.path}/step/federation.pem`],
      ["ca", "root", "--force", `${dir.path}/step/roots.pem`],
      [
        ...["ca", "root", "--fingerprint"],
        fingerprint.replaceAll(/(..)(?!$)/g, "$1-").toUpperCase(),
      ],
    ]),
);

besideStep("ca bootstrap makes flags of ca rekey unnecessary", async (dir) => {
  const host = await ca?.issue("host", "admin");
  if (host === undefined) throw new Error("no step-ca");
  const { code } = await ours(dir.path, ["ca", "bootstrap"], {
    STEP_CA_URL: url,
    STEP_FINGERPRINT: fingerprint,
  });
  assertEquals(code, 0);
  const files = [host.certificateFile, host.keyFile];
  const rekeyed = await ours(dir.path, ["ca", "rekey", "-f", ...files]);
  assertEquals(rekeyed.code, 0, rekeyed.stderr);
});

besideStep("ca bootstrap writes --redirect-url down", async (dir) => {
  const redirect = ["--redirect-url", "https://a.example/?<&>"];
  await ours(dir.path, ["ca", "bootstrap", ...ADDRESS, ...redirect]);
  const file = `${dir.path}/config/defaults.json`;
  const { "redirect-url": written } = JSON.parse(await Deno.readTextFile(file));
  assertEquals(written, redirect[1]);
});

besideStep("--json prints one object on one line", async (dir) => {
  const object = async (...args: string[]) => {
    const { code, stdout, stderr } = await ours(dir.path, [...args, "--json"]);
    assertEquals([code, stderr, stdout.split("\n").length], [0, "", 2]);
    return JSON.parse(stdout);
  };
  assertEquals(await object("ca", "bootstrap", ...ADDRESS), {
    url,
    fingerprint,
    root: `${dir.path}/certs/root_ca.crt`,
    defaults: `${dir.path}/config/defaults.json`,
    context: null,
  });
  assertEquals(await object("ca", "health"), { url, status: "ok" });
  const root = {
    subject: "CN=Test Root CA",
    fingerprint,
    notAfter: "2045-01-01T00:00:00Z",
    pem: rootPem,
  };
  const file = `${dir.path}/r.pem`;
  assertEquals(await object("ca", "root"), {
    file: null,
    certificates: [root],
  });
  assertEquals(await object("ca", "roots", file), {
    file,
    certificates: [root],
  });
});

/** Nobody listens there. */
const CLOSED = `https://127.0.0.1:${closedPort()}`;
const WRONG = fingerprint.replaceAll(/./g, "0");
const MISTAKES: readonly (readonly [
  line: readonly string[],
  code: number,
  message: RegExp,
])[] = [
  [
    ["ca", "bootstrap"],
    64,
    /^'step ca bootstrap' requires the '--ca-url' flag$/m,
  ],
  [
    ["ca", "bootstrap", "--ca-url", url],
    64,
    /^'step ca bootstrap' requires the '--fingerprint' flag$/m,
  ],
  [["ca", "bootstrap", ...ADDRESS, "x"], 64, /^too many positional arguments/],
  [
    ["ca", "bootstrap", ...ADDRESS, "--install"],
    64,
    /^flag '--install' is not supported by step-rekey\nhint: leave it out/,
  ],
  [
    ["ca", "bootstrap", "--team", "t"],
    64,
    /^flag '--team' is not supported by step-rekey\nhint: give --ca-url/,
  ],
  [
    ["ca", "bootstrap", ...ADDRESS, "--authority", "../x"],
    64,
    /^invalid value '\.\.\/x' for flag '--authority'/,
  ],
  [
    ["ca", "bootstrap", "--ca-url", url, "--fingerprint", "zz"],
    64,
    /^invalid value 'zz' for flag '--fingerprint'; a SHA-256 has 64/,
  ],
  [
    ["ca", "bootstrap", "--ca-url", url, "--fingerprint", WRONG],
    77,
    /^error downloading root certificate: .* was not found$/m,
  ],
  [
    ["ca", "root", "--ca-url", CLOSED, "--fingerprint", WRONG],
    69,
    /client GET https:.*\/root\/0+ failed: dial tcp 127.0.0.1:\d+: connect: connection refused$/m,
  ],
  [
    ["ca", "root", "--ca-url", "http://x", "--fingerprint", WRONG],
    78,
    /^invalid value 'http:\/\/x' for flag '--ca-url'; must have https/,
  ],
  [["ca", "root", ...ADDRESS, "a", "b"], 64, /^too many positional arguments/],
  [["ca", "root", ...ADDRESS, "/"], 73, /^open \/ failed: is a directory$/m],
  [
    ["ca", "health", "--ca-url", url],
    64,
    /^'step ca health' requires the '--root' flag$/m,
  ],
  [
    ["ca", "roots", "--ca-url", url],
    64,
    /^'step ca roots' requires the '--root' flag$/m,
  ],
  [
    ["ca", "health", "--ca-url", url, "--root", "/nonexistent"],
    78,
    /^error reading cert pool: open \/nonexistent: no such file/,
  ],
  [
    [
      "ca",
      "health",
      "--ca-url",
      CLOSED,
      "--root",
      ca?.rootFile ?? "",
    ],
    69,
    /^client GET https:.*\/health failed: dial tcp .*: connection refused$/m,
  ],
];

for (const [line, code, message] of MISTAKES) {
  const shown = line.map((word) =>
    [url, CLOSED].includes(word)
      ? "URL"
      : word.replace(/^[0-9a-f]{64}$/, "SHA256")
  ).join(" ").replace(directory, "");
  besideStep(`${shown} is refused, and writes nothing`, async (dir) => {
    const result = await ours(dir.path, line);
    assertMatch(result.stderr, message);
    assertEquals([result.code, result.stdout], [code, ""]);
    assertEquals(await tree(dir.path), {});
  });
}

besideStep(
  "ca bootstrap replaces nothing when nobody can be asked",
  async (dir) => {
    await Deno.mkdir(`${dir.path}/certs`);
    await Deno.writeTextFile(`${dir.path}/certs/root_ca.crt`, "mine");
    const before = await tree(dir.path);
    const { command, args } = program();
    const { code, stderr } = await run("setsid", [
      ...["-w", command, ...args],
      ...["ca", "bootstrap", ...ADDRESS],
    ], { env: { STEPPATH: dir.path } });
    assertMatch(stderr, /^cannot ask whether to overwrite .*root_ca.crt/);
    assertEquals(code, 64);
    assertEquals(await tree(dir.path), before);
  },
);

for (const [name, fn] of sample("beside step", cases, 10)) {
  Deno.test({
    name,
    ignore: stepCaMissing !== undefined,
    async fn() {
      await using dir = await tempDir();
      await fn(dir);
    },
  });
}
