/** From tokens to exit codes: what is printed, where, and how it ends. */
import { VERSION } from "../../src/cli/grammar/command.ts";
import {
  ERROR_KINDS,
  type ErrorKind,
  RekeyError,
} from "../../src/base/errors.ts";
import type { REKEY_FLAGS } from "../../src/cli/resolve/flags.ts";
import {
  assert,
  assertEquals,
  assertStringIncludes,
} from "../support/assert.ts";
import { runLine } from "../support/command_line.ts";

const GOOD = ["ca", "rekey", "a", "k", "--ca-url=ca"];

Deno.test("a successful run prints nothing of its own and exits 0", async () => {
  const { code, stdout, stderr } = await runLine(GOOD);
  assertEquals([code, stdout, stderr], [0, "", ""]);
});

const USAGE =
  "usage: step-rekey ca rekey <crt-file> <key-file> [flags] (step-rekey ca rekey --help tells more)\n";

Deno.test("a flag mistake is told on stderr with one line of usage, exit 64", async () => {
  const { code, stdout, stderr, options } = await runLine(
    [...GOOD, "--out-crtt", "x"],
  );
  assertEquals([code, stdout, options], [64, "", undefined]);
  assertEquals(
    stderr,
    `flag provided but not defined: -out-crtt\n${USAGE}hint: did you mean --out-cert?\n`,
  );
});

Deno.test("a flag mistake in front of the command is told with the group's usage", async () => {
  for (
    const [line, name] of [
      [["--foo", "ca"], "step-rekey"],
      [["ca", "-foo"], "step-rekey ca"],
    ] as const
  ) {
    const result = await runLine([...line, "rekey"]);
    assertEquals([result.code, result.stdout, result.stderr], [
      64,
      "",
      `flag provided but not defined: -foo\nusage: ${name} <command> [arguments] (${name} --help tells more)\n`,
    ]);
  }
});

Deno.test("the usage of the short form names the words that were typed", async () => {
  const { stderr } = await runLine(["rekey", "--nonsense"]);
  assertStringIncludes(
    stderr,
    "\nusage: step-rekey rekey <crt-file> <key-file> [flags] (step-rekey rekey --help tells more)\n",
  );
});

for (
  const [words, problem, hint] of [
    [[], "not enough", "<crt-file>, <key-file> are missing"],
    [["a"], "not enough", "<key-file> is missing"],
    [
      ["a", "b", "c", "d"],
      "too many",
      'nothing belongs to "c"; the value of a flag that has blanks needs quotes',
    ],
  ] as const
) {
  Deno.test(`${problem} arguments (${words.length}) are told in the original's words, with usage and hint`, async () => {
    const { code, stdout, stderr } = await runLine(["ca", "rekey", ...words]);
    assertEquals([code, stdout], [64, ""]);
    assertEquals(
      stderr,
      `${problem} positional arguments were provided in 'step ca rekey <crt-file> <key-file>'\n${USAGE}hint: ${hint}\n`,
    );
  });
}

Deno.test("no mistake prints more than three lines", async () => {
  for (
    const line of [
      ["--foo"],
      ["ca", "--foo"],
      ["ca", "nonsense"],
      ["ca", "layout"],
      ["ca", "rollback", "a"],
      ["ca", "rekey", "--size=x"],
      ["ca", "rekey", "--exec"],
      ["version", "x"],
    ]
  ) {
    const { code, stdout, stderr } = await runLine(line);
    assertEquals([code, stdout], [64, ""], line.join(" "));
    assert(stderr.split("\n").length <= 4, stderr);
  }
});

Deno.test("a mistake is one JSON object where that is the format", async () => {
  const { stdout, stderr } = await runLine(
    ["ca", "rekey", "a", "--log-format=json"],
  );
  assertEquals(stdout, "");
  assertEquals(JSON.parse(stderr).hint, "<key-file> is missing");
});

for (
  const [flag, meant] of [
    ["--password", "--password-file"],
    ["-password=x", "--password-file"],
    ["--ca-password", "--ca-password-file"],
    ["--private-key-password", "--private-key-password-file"],
  ] as const
) {
  Deno.test(`${flag} makes think of ${meant}, and does not show the secret`, async () => {
    const { code, stderr } = await runLine([...GOOD, flag, "s3cret"]);
    assertEquals(code, 64);
    assertStringIncludes(stderr, `\nhint: did you mean ${meant}?\n`);
    assert(!stderr.includes("s3cret"), stderr);
  });
}

for (
  const [line, command, help] of [
    [
      "certificate lint a.crt",
      "certificate lint",
      "step-rekey certificate help",
    ],
    ["crypto", "crypto", "step-rekey help"],
    ["ssh certificate", "ssh", "step-rekey help"],
    ["ca provisioner add x", "ca provisioner", "step-rekey ca help"],
    ["ca help policy", "ca policy", "step-rekey ca help"],
    ["help ca admin", "ca admin", "step-rekey ca help"],
  ] as const
) {
  Deno.test(`'${line}' is said to be a command of step`, async () => {
    const { code, stdout, stderr } = await runLine(line.split(" "));
    assertEquals([code, stdout], [64, ""]);
    assertEquals(
      stderr,
      `'${command}' is a command of step, and not of step-rekey\nhint: call step ${command}; ${help} lists the commands\n`,
    );
  });
}

Deno.test("a secret in the place of an argument is not printed", async () => {
  const token = `eyJhbGciOiJFUzI1NiJ9.${"a".repeat(90)}.${"b".repeat(86)}`;
  const key =
    "-----BEGIN PRIVATE KEY-----\nMC4CAQAw\n-----END PRIVATE KEY-----\n";
  for (const secret of [token, key, `${token}.x.y`]) {
    for (
      const line of [
        ["ca", "certificate", "host", "a", "b", secret],
        ["ca", "rekey", secret],
        ["ca", "rekey", "--kty", secret, "a", "b"],
        ["ca", "rekey", "--pid", secret, "a", "b"],
        ["ca", "rekey", `--x${secret}`, "a", "b"],
        ["ca", secret],
        [secret],
        ["ca", "rekey", "--log-format", "json", secret],
      ]
    ) {
      const { code, stdout, stderr } = await runLine(line);
      assertEquals([code === 0, stdout], [false, ""], line.join(" "));
      assert(!/eyJhb|aaaa|bbbb|MC4C/.test(stderr), stderr);
    }
  }
});

for (const calledAs of ["step", "step-cli"] as const) {
  Deno.test(`called as ${calledAs}, it names itself so, and 255 is what it lacks`, async () => {
    const lacks = await runLine(["crypto", "hash"], { calledAs });
    assertEquals([lacks.code, lacks.stdout], [255, ""]);
    assertEquals(
      lacks.stderr,
      `'crypto' is a command of Smallstep's ${calledAs}; this is step-rekey under that name, which does not have it\nhint: the original from https://smallstep.com/docs/step-cli/installation has it; ${calledAs} help lists the commands\n`,
    );
    const unknown = await runLine(["ca", "rekye"], { calledAs });
    assertEquals(unknown.code, 255);
    assertStringIncludes(unknown.stderr, `did you mean ${calledAs} ca rekey?`);
    // What it has keeps its codes.
    const usage = await runLine(["ca", "rekey", "a"], { calledAs });
    assertEquals(usage.code, 64);
    assertStringIncludes(
      usage.stderr,
      `usage: ${calledAs} ca rekey <crt-file>`,
    );
    const { stdout } = await runLine(["help"], { calledAs });
    assertStringIncludes(stdout, `  ${calledAs} [--config=<file>]`);
    assertStringIncludes(stdout, `This is step-rekey ${VERSION}, called as`);
  });
}

Deno.test("called as step, the version is that of step, and says who answers", async () => {
  const calledAs = "step-cli";
  const { stdout } = await runLine(["version"], { calledAs });
  assertEquals(
    stdout,
    `step-rekey step-compatible/0.24.0 (${SYSTEM})\nVersion: step-rekey/${VERSION}, called as step-cli; "step-cli help" lists the commands that it has\n${MADE}`,
  );
  const json = await runLine(["version", "--json"], { calledAs });
  assertEquals(JSON.parse(json.stdout).compatibleWith, "step 0.24.0");
  const own = await runLine(["version", "--json"]);
  const { compatibleWith, commit, deno } = JSON.parse(own.stdout);
  assertEquals([compatibleWith, commit, deno], [null, null, Deno.version.deno]);
});

for (const failure of [new TypeError("x"), new RekeyError("config", "x")]) {
  Deno.test(`certificate needs-renewal is 255 for ${failure.name}`, async () => {
    const { code } = await runLine(["certificate", "needs-renewal", "a"], {
      failure,
    });
    assertEquals(code, 255);
  });
}

Deno.test("an unknown command is told on stderr only, with the nearest one", async () => {
  const { code, stdout, stderr } = await runLine(["ca", "rekye", "a", "k"]);
  assertEquals([code, stdout], [64, ""]);
  assertEquals(
    stderr,
    "No help topic for 'rekye'\nhint: did you mean step-rekey ca rekey?\n",
  );
});

/** What built it: no commit is known in a checkout. */
const MADE = `From source, Deno ${Deno.version.deno}\n`;

/** As Go names it. */
const SYSTEM = `${Deno.build.os}/${
  Deno.build.arch === "x86_64" ? "amd64" : "arm64"
}`;

for (const line of [["version"], ["--version"], ["-v"]]) {
  Deno.test(`'${line.join(" ")}' prints the version of deno.json`, async () => {
    const config = JSON.parse(
      await Deno.readTextFile(new URL("../../deno.json", import.meta.url)),
    );
    assertEquals(VERSION, config.version);
    const { code, stdout, stderr } = await runLine(line);
    assertEquals(
      [code, stdout, stderr],
      [0, `Version: step-rekey/${VERSION} (${SYSTEM})\n${MADE}`, ""],
    );
  });
}

for (const kind of Object.keys(ERROR_KINDS) as ErrorKind[]) {
  if (kind === "bug") continue;
  Deno.test(`an error of kind ${kind} exits ${ERROR_KINDS[kind].exitCode} with its message and hint`, async () => {
    const failure = new RekeyError(kind, "cannot do it", {
      hint: "do that",
      cause: new Error("underneath"),
    });
    const { code, stdout, stderr } = await runLine(GOOD, { failure });
    assertEquals(
      [code, stdout, stderr],
      [ERROR_KINDS[kind].exitCode, "", "cannot do it\nhint: do that\n"],
    );
  });
}

Deno.test("the exit code of a hook or a signal is passed through", async () => {
  for (const exitCode of [7, 130, 143, 255]) {
    const failure = new RekeyError("hook", "exit status 7", { exitCode });
    const { code, stderr } = await runLine(GOOD, { failure });
    assertEquals([code, stderr], [exitCode, "exit status 7\n"]);
  }
});

Deno.test("an unexpected error exits 70 with its stack and a wish for a report", async () => {
  const failure = new TypeError("x is not a function", {
    cause: new Error("because"),
  });
  const { code, stderr } = await runLine(GOOD, { failure });
  assertEquals(code, 70);
  assertStringIncludes(stderr, "unexpected error: x is not a function\n");
  assertStringIncludes(stderr, "run_test.ts");
  assertStringIncludes(stderr, "caused by: Error: because");
  assertStringIncludes(stderr, "please report");
});

Deno.test("an unexpected value that is no error exits 70, too", async () => {
  const { code, stderr } = await runLine(GOOD, { failure: "text" });
  assertEquals(code, 70);
  assertStringIncludes(stderr, "unexpected error: text\n");
});

Deno.test("a missing permission of the runtime is told by its own text, exit 78", async () => {
  const failure = new Deno.errors.NotCapable("Requires net access to ca");
  const { code, stderr } = await runLine(GOOD, { failure });
  assertEquals([code, stderr], [78, "Requires net access to ca\n"]);
});

Deno.test("STEPDEBUG=1 adds the stack and the causes, any other value does not", async () => {
  const cause = new Error("connection refused");
  cause.cause = cause;
  const failure = new RekeyError("unreachable", "client POST failed", {
    cause,
  });
  const quiet = await runLine(GOOD, { failure, env: { STEPDEBUG: "true" } });
  assertEquals(quiet.stderr, "client POST failed\n");
  const loud = await runLine(GOOD, { failure, env: { STEPDEBUG: "1" } });
  assertEquals(loud.code, 69);
  assertStringIncludes(loud.stderr, "RekeyError: client POST failed\n    at ");
  assertStringIncludes(loud.stderr, "caused by: Error: connection refused");
});

/** A wrong value for each flag, and the exit code that it must lead to. */
const MISTAKES: Readonly<Record<keyof typeof REKEY_FLAGS, readonly string[]>> =
  {
    "out-cert": ["--out-cert=k"],
    "out-key": ["--out-key=a"],
    "private-key": ["--private-key=x", "--kty=EC"],
    "expires-in": ["--expires-in=1d"],
    "pid": ["--pid=-1"],
    "pid-file": ["--pid-file=x", "--pid=1"],
    "signal": ["--signal=HUP"],
    "exec": ["--exec='"],
    "exec-timeout": ["--exec-timeout=-1s"],
    "exec-on-failure": ['--exec-on-failure="'],
    "reload-attempts": ["--reload-attempts=-1", "--daemon"],
    "daemon": ["--daemon=x"],
    "rekey-period": ["--rekey-period=1h"],
    "kty": ["--kty=ec"],
    "curve": ["--curve=P256"],
    "size": ["--size=1024"],
    "force": ["--force=yes"],
    "layout": ["--layout=Plain"],
    "in-place": ["--in-place", "--layout=versioned"],
    "state-dir": ["--state-dir=here"],
    "key-mode": ["--key-mode=rw"],
    "cert-mode": ["--cert-mode=0244"],
    "owner": ["--owner=a:b"],
    "group": ["--group=a b"],
    "lock-timeout": ["--lock-timeout=-1s"],
    "offline": ["--offline=no"],
    "password-file": ["--password-file"],
    "private-key-password-file": ["--private-key-password-file=x"],
    "ca-password-file": ["--ca-password-file=x"],
    "root": ["--root"],
    "ca-url": ["--ca-url="],
    "renew-fallback": ["--renew-fallback", "--private-key=x"],
    "connect-timeout": ["--connect-timeout=-1s"],
    "timeout": ["--timeout=soon"],
    "ca-config": ["--offline", "--ca-config="],
    "log-format": ["--log-format=xml"],
    "ignore-database": ["--ignore-database"],
    "context": ["--context=none"],
    "dry-run": ["--dry-run=no"],
    "json": ["--json"],
  };

for (const [flag, mistake] of Object.entries(MISTAKES)) {
  Deno.test(`a mistake in --${flag} is refused before the engine is called`, async () => {
    const { code, options, stderr } = await runLine([...GOOD, ...mistake]);
    assertEquals([code, options], [64, undefined]);
    assertStringIncludes(stderr, flag);
  });
}

Deno.test("the variable of a flag that is given is not looked at", async () => {
  const { variables } = await runLine(GOOD);
  assert(variables.includes("STEP_CA_URL") === false);
  assert(variables.includes("STEP_KTY"));
});
