import { RekeyError } from "../../src/errors.ts";
import { createReloader } from "../../src/reload/reloader.ts";
import type { ReloadOptions } from "../../src/options.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";
import { tempDir } from "../support/temp_dir.ts";

const { signal: NEVER } = new AbortController();

/** No process has it: pid_max is 2^22 at most. */
const NOBODY = 2 ** 30;

async function failureOf(
  options: ReloadOptions,
  signal = NEVER,
): Promise<readonly [kind: string, message: string, exitCode: number]> {
  const error = await assertRejects(() =>
    createReloader(options).reload(signal)
  );
  if (!(error instanceof RekeyError)) throw error;
  return [error.kind, error.message, error.exitCode];
}

Deno.test("reload() without options does nothing", async () => {
  await createReloader({}).reload(NEVER);
  await createReloader({ exec: [] }).reload(NEVER);
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
  await createReloader({
    signal: { target: { pid: receiver.pid }, number: 1 },
    exec: [
      "sh",
      "-c",
      `while [ ! -s ${out} ]; do sleep 0.05; done; echo exec >> ${out}`,
    ],
  }).reload(NEVER);
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
