import { SETTING_NAMES } from "../../src/cli/remedies.ts";
import {
  createReloader,
  joinFailures,
  type Reloader,
  type ReloadFailures,
  type ReloadNotice,
} from "../../src/reload/reloader.ts";
import type { ReloadOptions } from "../../src/base/options.ts";
import { assertEquals } from "../support/assert.ts";
import { tempDir } from "../support/temp_dir.ts";

const { signal: NEVER } = new AbortController();

/** No process has it: pid_max is 2^22 at most. */
const NOBODY = 2 ** 30;

const FILES = { certificate: "a.crt", key: "./tls/a.key" };

const NOTICE: ReloadNotice = {
  undelivered: ["signal", "exec"],
  serial: "0B",
  previousSerial: "0A",
  notAfter: new Date("2030-01-02T03:04:05.600Z"),
  attempts: 3,
};

function reloader(options: ReloadOptions): Reloader {
  return createReloader({ reload: options, names: SETTING_NAMES }, {
    files: FILES,
  });
}

async function reload(
  options: ReloadOptions,
  signal = NEVER,
  notice = NOTICE,
): Promise<ReloadFailures> {
  return await reloader(options).reload(notice, signal);
}

async function failureOf(
  options: ReloadOptions,
  signal = NEVER,
): Promise<readonly [kind: string, message: string, exitCode: number]> {
  const error = joinFailures(await reload(options, signal));
  if (error === undefined) throw new Error("it succeeded");
  return [error.kind, error.message, error.exitCode];
}

Deno.test("reload() without options does nothing", async () => {
  for (const options of [{}, { exec: [] }]) {
    assertEquals(reloader(options).parts, []);
    assertEquals((await reload(options)).size, 0);
  }
});

Deno.test("reload() signals first, then runs the command", async () => {
  await using dir = await tempDir();
  // The receiver writes when it is signalled; the command waits for that.
  const out = dir.file("out");
  const receiver = new Deno.Command("sh", {
    args: [
      "-c",
      `trap 'echo signal >> ${out}; exit' HUP; echo ready; while :; do sleep 0.05; done`,
    ],
    stdout: "piped",
  }).spawn();
  const reader = receiver.stdout.getReader();
  await reader.read();
  await reload({
    signal: { target: { pid: receiver.pid }, number: 1 },
    exec: [
      "sh",
      "-c",
      `while [ ! -s ${out} ]; do sleep 0.05; done; echo exec >> ${out}`,
    ],
  });
  await reader.cancel();
  await receiver.status;
  assertEquals(await Deno.readTextFile(out), "signal\nexec\n");
});

Deno.test("reload() runs the command also when the signal failed", async () => {
  await using dir = await tempDir();
  const failure = await failureOf({
    signal: { target: { pid: NOBODY }, number: 1 },
    exec: ["touch", dir.file("ran")],
  });
  assertEquals(failure, [
    "signal",
    `kill ${NOBODY} with signal 1 failed: no such process`,
    71,
  ]);
  assertEquals((await Array.fromAsync(Deno.readDir(dir.path))).length, 1);
});

Deno.test("reload() reports both failures, with the command's exit code", async () => {
  const failure = await failureOf({
    signal: { target: { pid: NOBODY }, number: 1 },
    exec: ["sh", "-c", "exit 9"],
  });
  assertEquals(failure, [
    "hook",
    `kill ${NOBODY} with signal 1 failed: no such process; exit status 9`,
    9,
  ]);
});

Deno.test("reload() reports the command's failure alone", async () => {
  assertEquals(await failureOf({ exec: ["sh", "-c", "exit 3"] }), [
    "hook",
    "exit status 3",
    3,
  ]);
});

Deno.test("reload() tells the service by signal even when it was told to stop", async () => {
  const failure = await failureOf({
    signal: { target: { pid: NOBODY }, number: 1 },
    exec: ["true"],
  }, AbortSignal.abort());
  assertEquals(failure[0], "interrupted");
  assertEquals(failure[1].startsWith(`kill ${NOBODY} with signal 1`), true);
});

Deno.test("reload() tells the hook which pair it is, in addition to the environment", async () => {
  await using dir = await tempDir();
  await reload({ exec: ["sh", "-c", `env > ${dir.file("env")}`] });
  const variables = new Map(
    (await Deno.readTextFile(dir.file("env"))).trim().split("\n").map((line) =>
      line.split(/=(.*)/s)
    ).map(([name, value]) => [name, value]),
  );
  const told = [...variables].filter(([name]) =>
    name?.startsWith("STEP_REKEY_")
  );
  assertEquals(told.sort(), [
    ["STEP_REKEY_ATTEMPT", "3"],
    ["STEP_REKEY_CERT", `${Deno.cwd()}/a.crt`],
    ["STEP_REKEY_KEY", `${Deno.cwd()}/tls/a.key`],
    ["STEP_REKEY_NOT_AFTER", "2030-01-02T03:04:05Z"],
    ["STEP_REKEY_PREVIOUS_SERIAL", "0A"],
    ["STEP_REKEY_SERIAL", "0B"],
  ]);
  assertEquals(variables.get("PATH"), Deno.env.get("PATH"));
});

for (const part of ["signal", "exec"] as const) {
  Deno.test(`reload() tells only by ${part} when only that is undelivered`, async () => {
    const failures = await reload(
      {
        signal: { target: { pid: NOBODY }, number: 1 },
        exec: ["sh", "-c", "exit 9"],
      },
      NEVER,
      { ...NOTICE, undelivered: [part] },
    );
    assertEquals([...failures.keys()], [part]);
  });
}

Deno.test("reload() does nothing for what is undelivered but not configured any more", async () => {
  const failures = await reload({ exec: ["true"] }, NEVER, {
    ...NOTICE,
    undelivered: ["signal"],
  });
  assertEquals(failures.size, 0);
});
