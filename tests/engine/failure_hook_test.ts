import { RekeyError } from "../../src/base/errors.ts";
import { type FailedTry, FailureHook } from "../../src/engine/failure_hook.ts";
import type { LogEvent, Runtime } from "../../src/base/runtime.ts";
import { assertEquals } from "../support/assert.ts";
import { daemonOptions } from "../support/daemon_options.ts";
import { noTerminal } from "../support/fake_terminal.ts";
import { fakeClock } from "../daemon/fake_clock.ts";
import { OpensslCa } from "../support/openssl_ca.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const HOUR = 3_600_000;
const BEGIN = new Date("2030-01-01T00:00:00Z");
const END = new Date("2030-01-01T12:00:00Z");
const NEVER = new AbortController().signal;

const AGAIN: FailedTry = {
  error: new RekeyError("unreachable", "no route\x07 to the CA"),
  attempt: 3,
  next: "again",
};

interface Place {
  readonly hook: FailureHook;
  readonly events: readonly LogEvent[];
  /** Tells of a failure so many hours after the beginning, and waits. */
  tell(hours: number, failed?: FailedTry): Promise<void>;
  /** What the program was told so far. */
  told(): Promise<readonly string[]>;
}

/** A certificate that lives 12 hours, and a program that fails with `code`. */
async function place(
  dir: TempDir,
  {
    code = 0,
    certificate = dir.file("ca/host.crt"),
    hang = false,
    execTimeoutMs,
  }: {
    readonly code?: number;
    readonly certificate?: string;
    /** The first call does not end. */
    readonly hang?: boolean;
    readonly execTimeoutMs?: number;
  } = {},
): Promise<Place> {
  const root = await OpensslCa.root(dir.file("ca"), "Root");
  await root.issue("host", {
    subject: "/CN=host",
    notBefore: BEGIN,
    notAfter: END,
  });
  const told = dir.file("told");
  await Deno.writeTextFile(
    dir.file("program"),
    `#!/bin/sh
echo "$STEP_REKEY_ERROR|$STEP_REKEY_ERROR_CLASS|$STEP_REKEY_ERROR_KIND|$STEP_REKEY_ATTEMPT|$STEP_REKEY_NOT_AFTER" >> ${told}
[ ${hang} = true ] && [ $(wc -l < ${told}) = 1 ] && exec sleep 600
exit ${code}
`,
    { mode: 0o755 },
  );
  const options = daemonOptions(
    { certificate, key: dir.file("ca/host.key") },
    { onFailure: [dir.file("program")], execTimeoutMs },
  );
  const events: LogEvent[] = [];
  const clock = fakeClock(BEGIN);
  const runtime: Runtime = {
    clock,
    random: () => 0,
    terminal: noTerminal(),
    log: { write: (event) => events.push(event) },
  };
  const hook = new FailureHook(options, runtime, NEVER);
  return {
    hook,
    events,
    async tell(hours, failed = AGAIN) {
      clock.set(new Date(BEGIN.getTime() + hours * HOUR));
      await hook.report(failed);
      await hook[Symbol.asyncDispose]();
    },
    told: async () =>
      (await Deno.readTextFile(told).catch(() => "")).split("\n").slice(0, -1),
  };
}

Deno.test("tell() is silent while more than a sixth of the certificate's life is left", async () => {
  await using dir = await tempDir();
  const { tell, told } = await place(dir);
  for (const hours of [0, 8, 9.9]) await tell(hours);
  assertEquals(await told(), []);
  await tell(10);
  assertEquals(await told(), [
    "no route\\x07 to the CA|later|unreachable|3|2030-01-01T12:00:00Z",
  ]);
});

Deno.test("tell() says it again after an hour, not before, until a success", async () => {
  await using dir = await tempDir();
  const { hook, tell, told } = await place(dir);
  for (const hours of [10, 10.5, 10.9, 11, 11.5]) await tell(hours);
  assertEquals((await told()).length, 2);
  hook.succeeded();
  await tell(11.6);
  assertEquals((await told()).length, 3);
});

Deno.test("tell() tells of the last try at once, whatever is left and was said", async () => {
  await using dir = await tempDir();
  const { tell, told } = await place(dir);
  await tell(1, { ...AGAIN, next: "last" });
  await tell(1.1, { ...AGAIN, next: "last" });
  assertEquals((await told()).length, 2);
});

Deno.test("tell() speaks when the certificate cannot be read", async () => {
  await using dir = await tempDir();
  const { tell, told } = await place(dir, { certificate: dir.file("none") });
  await tell(0);
  assertEquals(await told(), [
    "no route\\x07 to the CA|later|unreachable|3|",
  ]);
});

Deno.test("tell() warns, and no more, when its program fails", async () => {
  await using dir = await tempDir();
  const { tell, events } = await place(dir, { code: 3 });
  await tell(11);
  assertEquals(events.map((event) => event.event), ["warning"]);
});

Deno.test("tell() starts no second program while one runs", async () => {
  await using dir = await tempDir();
  const { hook, told } = await place(dir);
  await hook.report({ ...AGAIN, next: "last" });
  await hook.report(AGAIN);
  await hook[Symbol.asyncDispose]();
  assertEquals((await told()).length, 1);
});

Deno.test("tell() does not drop the last message while one before it is told", async () => {
  await using dir = await tempDir();
  const { hook, told } = await place(dir);
  await hook.report({ ...AGAIN, next: "last" });
  await hook.report({ ...AGAIN, attempt: 4, next: "last" });
  await hook[Symbol.asyncDispose]();
  assertEquals((await told()).map((line) => line.split("|")[3]), ["3", "4"]);
});

Deno.test("tell() ends a program that hangs, to tell the last message", async () => {
  await using dir = await tempDir();
  const { hook, told } = await place(dir, { hang: true, execTimeoutMs: 0 });
  await hook.report({ ...AGAIN, next: "last" });
  await hook.report({ ...AGAIN, attempt: 4, next: "last" });
  await hook[Symbol.asyncDispose]();
  assertEquals((await told()).map((line) => line.split("|")[3]), ["3", "4"]);
});
