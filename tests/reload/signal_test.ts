import { RekeyError } from "../../src/base/errors.ts";
import {
  requirePidFile,
  sendSignal,
  type SignalOptions,
} from "../../src/reload/signal.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";
import { CAN_CHANGE_USER, runAsNobody } from "../support/as_nobody.ts";
import { runOk } from "../support/run.ts";
import { tempDir } from "../support/temp_dir.ts";

const PID_FILE = "--pid-file";

/** A process that prints the signals it gets, and ends with the first. */
async function startReceiver(): Promise<{
  readonly pid: number;
  readonly received: Promise<string>;
}> {
  const child = new Deno.Command("sh", {
    args: [
      "-c",
      'for s in HUP USR2 TERM; do trap "echo $s; exit" $s; done; echo ready; while :; do sleep 0.05; done',
    ],
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  await reader.read();
  const received = reader.read().then(async ({ value }) => {
    await reader.cancel();
    await child.status;
    return new TextDecoder().decode(value).trim();
  });
  return { pid: child.pid, received };
}

async function failureOf(options: SignalOptions): Promise<string> {
  const error = await assertRejects(
    () => sendSignal(options, PID_FILE),
    "signal",
  );
  assertEquals(error instanceof RekeyError && error.exitCode, 71);
  return error.message;
}

async function failureOfPidFile(
  content: string,
): Promise<readonly [message: string, file: string]> {
  await using dir = await tempDir();
  const pidFile = dir.file("x.pid");
  await Deno.writeTextFile(pidFile, content);
  return [await failureOf({ target: { pidFile }, number: 1 }), pidFile];
}

/** The id of a process that has ended. */
async function deadPid(): Promise<number> {
  const { stdout } = await runOk("sh", ["-c", "echo $$"]);
  return Number(stdout);
}

Deno.test("sendSignal() signals a process by its number", async () => {
  const { pid, received } = await startReceiver();
  await sendSignal({ target: { pid }, number: 1 }, PID_FILE);
  assertEquals(await received, "HUP");
});

Deno.test("sendSignal() sends the signal that was asked for", async () => {
  const { pid, received } = await startReceiver();
  await sendSignal({ target: { pid }, number: 12 }, PID_FILE);
  assertEquals(await received, "USR2");
});

for (
  const [before, after] of [
    ["", ""],
    ["", "\n"],
    [" \t+00", " \r\n\n"],
    // As PostgreSQL writes postmaster.pid.
    ["", "\n/var/lib/postgresql\n1700000000\n5432\n"],
  ]
) {
  Deno.test(`sendSignal() reads a pid-file of ${JSON.stringify(`${before}N${after}`)}`, async () => {
    await using dir = await tempDir();
    const { pid, received } = await startReceiver();
    const pidFile = dir.file("x.pid");
    await Deno.writeTextFile(pidFile, `${before}${pid}${after}`);
    await sendSignal({ target: { pidFile }, number: 15 }, PID_FILE);
    assertEquals(await received, "TERM");
  });
}

Deno.test("sendSignal() reads the pid-file anew each time", async () => {
  await using dir = await tempDir();
  const pidFile = dir.file("x.pid");
  for (let restart = 0; restart < 2; restart++) {
    const { pid, received } = await startReceiver();
    await Deno.writeTextFile(pidFile, `${pid}\n`);
    await sendSignal({ target: { pidFile }, number: 1 }, PID_FILE);
    assertEquals(await received, "HUP");
  }
});

Deno.test("sendSignal() says that there is no such process", async () => {
  const pid = await deadPid();
  assertEquals(
    await failureOf({ target: { pid }, number: 1 }),
    `kill ${pid} with signal 1 failed: no such process`,
  );
});

Deno.test("sendSignal() says that the signal is none", async () => {
  assertEquals(
    await failureOf({ target: { pid: Deno.ppid }, number: 65 }),
    `kill ${Deno.ppid} with signal 65 failed: invalid argument`,
  );
});

Deno.test("sendSignal() does not cut a number down to another process", async () => {
  const pid = 2 ** 32 + Deno.pid;
  assertEquals(
    await failureOf({ target: { pid }, number: 9 }),
    `kill ${pid} with signal 9 failed: no such process`,
  );
});

Deno.test("sendSignal() does not signal the program itself", async () => {
  assertEquals(
    await failureOf({ target: { pid: Deno.pid }, number: 1 }),
    `kill ${Deno.pid} with signal 1 failed: it is this program itself`,
  );
});

Deno.test({
  name: "sendSignal() says that the process is not ours (needs root)",
  ignore: !CAN_CHANGE_USER,
  async fn() {
    await using dir = await tempDir();
    const { stdout } = await runAsNobody(
      dir,
      "tests/support/signal_child.ts",
      ["1", "1"],
    );
    assertEquals(
      stdout,
      "kill 1 with signal 1 failed: operation not permitted",
    );
  },
});

Deno.test("sendSignal() says that the pid-file is missing", async () => {
  await using dir = await tempDir();
  const pidFile = dir.file("x.pid");
  assertEquals(
    await failureOf({ target: { pidFile }, number: 1 }),
    `open ${pidFile} failed: no such file or directory`,
  );
});

Deno.test("sendSignal() says that the pid-file is a directory", async () => {
  await using dir = await tempDir();
  assertEquals(
    await failureOf({ target: { pidFile: dir.path }, number: 1 }),
    `open ${dir.path} failed: is a directory`,
  );
});

Deno.test("sendSignal() does not hang on a pid-file that is a FIFO", async () => {
  await using dir = await tempDir();
  const pidFile = dir.file("fifo");
  await runOk("mkfifo", [pidFile]);
  assertEquals(
    await failureOf({ target: { pidFile }, number: 1 }),
    `open ${pidFile} failed: not a pid-file`,
  );
});

for (
  const content of [
    "",
    "\n",
    "abc",
    "12a",
    "1 2",
    "0x10",
    "1.5",
    "1e3",
    "--1",
    "1_0",
  ]
) {
  Deno.test(`sendSignal() refuses a pid-file of ${JSON.stringify(content)}`, async () => {
    const [message, file] = await failureOfPidFile(`${content}\n`);
    assertEquals(
      message,
      `error converting ${
        JSON.stringify(content.trim())
      } in ${file} to integer process id: invalid syntax`,
    );
  });
}

for (const content of ["0", "-3", "-1"]) {
  Deno.test(`sendSignal() signals no group of processes for ${content}`, async () => {
    const [message] = await failureOfPidFile(content);
    assertEquals(message, `invalid value '${content}' for flag '--pid-file'`);
  });
}

Deno.test("sendSignal() refuses a number beyond all numbers", async () => {
  const [message, file] = await failureOfPidFile("9".repeat(30));
  assertEquals(
    message,
    `error converting "${
      "9".repeat(30)
    }" in ${file} to integer process id: value out of range`,
  );
});

Deno.test("sendSignal() shows no more than the beginning of a wrong file", async () => {
  const [message] = await failureOfPidFile("x".repeat(4000));
  assertEquals(message.includes("x".repeat(41)), false);
});

Deno.test("requirePidFile() accepts a number, be the process there or not", async () => {
  await using dir = await tempDir();
  const pidFile = dir.file("x.pid");
  await Deno.writeTextFile(pidFile, `${await deadPid()}\n`);
  await requirePidFile(pidFile, PID_FILE);
});

for (const content of ["", "abc", "0", "-3", "9".repeat(30)]) {
  Deno.test(`requirePidFile() refuses ${JSON.stringify(content)} as a mistake of usage`, async () => {
    await using dir = await tempDir();
    const pidFile = dir.file("x.pid");
    await Deno.writeTextFile(pidFile, content);
    const error = await assertRejects(
      () => requirePidFile(pidFile, PID_FILE),
      "usage",
    );
    assertEquals(error instanceof RekeyError && error.exitCode, 64);
  });
}
