import { hintOf } from "../support/hint.ts";
import { RekeyError } from "../../src/base/errors.ts";
import { runCommand } from "../../src/reload/exec.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { run } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const { signal: NEVER } = new AbortController();

const PROGRAM = { name: "--exec" };

async function failureOf(
  words: readonly string[],
  signal = NEVER,
): Promise<readonly [kind: string, message: string, exitCode: number]> {
  const error = await assertRejects(() =>
    runCommand(words, { ...PROGRAM, signal })
  );
  if (!(error instanceof RekeyError)) throw error;
  return [error.kind, error.message, error.exitCode];
}

async function script(
  dir: TempDir,
  text: string,
  mode = 0o755,
): Promise<string> {
  const file = dir.file("hook");
  await Deno.writeTextFile(file, text);
  await Deno.chmod(file, mode);
  return file;
}

Deno.test("runCommand() passes each word as one argument", async () => {
  await using dir = await tempDir();
  const hook = await script(
    dir,
    `#!/bin/sh\nprintf '<%s>' "$@" > ${dir.file("out")}\n`,
  );
  await runCommand([hook, "a b", "", "$HOME", "*"], {
    ...PROGRAM,
    signal: NEVER,
  });
  assertEquals(await Deno.readTextFile(dir.file("out")), "<a b><><$HOME><*>");
});

for (const code of [1, 3, 255]) {
  Deno.test(`runCommand() passes exit status ${code} through`, async () => {
    assertEquals(await failureOf(["sh", "-c", `exit ${code}`]), [
      "hook",
      `exit status ${code}`,
      code,
    ]);
  });
}

for (
  const [name, word] of [
    ["KILL", "killed"],
    ["TERM", "terminated"],
    ["HUP", "hangup"],
    ["INT", "interrupt"],
    ["QUIT", "quit"],
    ["SEGV", "segmentation fault"],
    ["ABRT", "aborted"],
    ["PIPE", "broken pipe"],
    ["USR1", "user defined signal 1"],
    ["ALRM", "alarm clock"],
  ]
) {
  Deno.test(`runCommand() says that SIG${name} ended the program`, async () => {
    assertEquals(
      await failureOf([
        // A shell that runs the tests in the background has them ignored.
        ...["env", "--default-signal=INT,QUIT"],
        ...["sh", "-c", `ulimit -c 0; kill -${name} $$`],
      ]),
      ["hook", `signal: ${word}`, 255],
    );
  });
}

Deno.test("runCommand() says that no such program is in PATH", async () => {
  assertEquals(await failureOf(["no-such-program"]), [
    "hook",
    'exec: "no-such-program": executable file not found in $PATH',
    127,
  ]);
});

Deno.test("runCommand() says that the empty name is no program", async () => {
  assertEquals(await failureOf([""]), [
    "hook",
    'exec: "": executable file not found in $PATH',
    127,
  ]);
});

Deno.test("runCommand() says that a path leads nowhere", async () => {
  await using dir = await tempDir();
  assertEquals(await failureOf([dir.file("hook")]), [
    "hook",
    `fork/exec ${dir.file("hook")}: no such file or directory`,
    127,
  ]);
});

Deno.test("runCommand() says that a file may not be executed", async () => {
  await using dir = await tempDir();
  const hook = await script(dir, "#!/bin/sh\n", 0o644);
  assertEquals(await failureOf([hook]), [
    "hook",
    `fork/exec ${hook}: permission denied`,
    126,
  ]);
});

Deno.test("runCommand() says that the interpreter is missing", async () => {
  await using dir = await tempDir();
  const hook = await script(dir, "#!/no/such/interpreter\n");
  assertEquals(await failureOf([hook]), [
    "hook",
    `fork/exec ${hook}: no such file or directory`,
    127,
  ]);
});

/** Runs runCommand() in a process of its own; the arguments are its words. */
async function runElsewhere(
  dir: TempDir,
  words: readonly string[],
  options: {
    readonly flags?: readonly string[];
    readonly stdin?: string;
    readonly env?: Readonly<Record<string, string>>;
  } = {},
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const program = dir.file("program.ts");
  const module = new URL("../../src/reload/exec.ts", import.meta.url).href;
  await Deno.writeTextFile(
    program,
    `import { runCommand } from ${JSON.stringify(module)};
     const { signal } = new AbortController();
     await runCommand(Deno.args, { name: "--exec", signal }).catch((error) =>
       console.log(error.kind + ": " + error.message));`,
  );
  const { flags = ["-A"], ...rest } = options;
  return await run(Deno.execPath(), [
    "run",
    ...flags,
    "--no-check",
    "--no-config",
    program,
    ...words,
  ], rest);
}

Deno.test("runCommand() hands on standard input, output, error, environment and directory", async () => {
  await using dir = await tempDir();
  const { stdout, stderr } = await runElsewhere(
    dir,
    ["sh", "-c", 'cat; pwd; echo "$HOOK_TEST" >&2'],
    { stdin: "from stdin\n", env: { HOOK_TEST: "from the environment" } },
  );
  assertEquals(stdout, `from stdin\n${Deno.cwd()}\n`);
  assertEquals(stderr, "from the environment\n");
});

Deno.test("runCommand() names the flag when the runtime may run nothing", async () => {
  await using dir = await tempDir();
  const { stdout } = await runElsewhere(dir, ["/bin/true"], {
    flags: ["--no-prompt", "--allow-read"],
  });
  assertEquals(
    stdout,
    'hook: fork/exec /bin/true: requires run access to "/bin/true", run again with the --allow-run flag\n',
  );
});

Deno.test("runCommand() ends the program when it is told to stop", async () => {
  await using dir = await tempDir();
  const fifo = dir.file("fifo");
  await run("mkfifo", [fifo]);
  // It says that it runs, and what ended it.
  const hook = await script(
    dir,
    `#!/bin/sh
trap 'echo TERM > ${dir.file("out")}; kill $!; exit 7' TERM
sleep 60 &
echo runs > ${fifo}
wait
`,
  );
  const controller = new AbortController();
  const failure = failureOf([hook], controller.signal);
  assertEquals(await Deno.readTextFile(fifo), "runs\n");
  controller.abort(
    new RekeyError("interrupted", "stopped by SIGTERM", { exitCode: 143 }),
  );
  assertEquals(await failure, [
    "interrupted",
    "stopped by SIGTERM during --exec",
    143,
  ]);
  assertEquals(await Deno.readTextFile(dir.file("out")), "TERM\n");
});

Deno.test("runCommand() starts nothing when it was told to stop before", async () => {
  await using dir = await tempDir();
  const [kind, message] = await failureOf(
    ["touch", dir.file("out")],
    AbortSignal.abort(),
  );
  assertEquals(kind, "interrupted");
  assert(message.includes("before --exec"), message);
  assertEquals(await Array.fromAsync(Deno.readDir(dir.path)), []);
});

for (
  const [timeoutMs, mostMs, hint] of [
    [0, 200, /the next rekey/],
    [60_000, 200, /the next rekey/],
    [200, 60_000, /--exec-timeout/],
    [200, Infinity, /--exec-timeout/],
    // No timer is as long as that.
    [200, 2 ** 40, /--exec-timeout/],
  ] as const
) {
  Deno.test(`runCommand() ends a hook at the shorter of ${timeoutMs} and ${mostMs} ms`, async () => {
    const error = await assertRejects(
      () =>
        runCommand(["sleep", "60"], {
          ...PROGRAM,
          signal: NEVER,
          timeoutMs,
          mostMs,
        }),
      "hook",
      /did not end within 200ms/,
    );
    assert(error instanceof RekeyError && hint.test(hintOf(error)));
  });
}

Deno.test("runCommand() ends as a shell does, whatever cannot be started", async () => {
  await using dir = await tempDir();
  const closed = await script(dir, "#!/bin/sh\n", 0o644);
  for (const program of ["no-such-program", "/no/such", closed, dir.path]) {
    const { code } = await run("sh", ["-c", '"$0"', program]);
    const [, , exitCode] = await failureOf([program]);
    assertEquals(exitCode, code, program);
  }
});
