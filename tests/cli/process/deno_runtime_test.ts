import type { LossText } from "../../../src/cli/process/output_queue.ts";
import { denoRuntime } from "../../../src/cli/process/deno_runtime.ts";
import { denoProgram } from "../../../src/cli/process/program.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { REKEY_SPEAKER } from "../../support/hint.ts";

const ONCE = { run: "once", file: "a.crt" } as const;

Deno.test("denoRuntime() has a clock that sleeps until the time has come", async () => {
  const { clock } = denoRuntime(ONCE, denoProgram());
  const begin = clock.now().getTime();
  await clock.sleep(20, new AbortController().signal);
  assert(clock.now().getTime() - begin >= 20);
});

Deno.test("denoRuntime() has a clock that an abort wakes, however long the sleep", async () => {
  const { clock } = denoRuntime(ONCE, denoProgram());
  const controller = new AbortController();
  // Above 2^31-1 ms a plain timer would fire at once.
  const sleep = clock.sleep(1e12, controller.signal).then(() => "woken");
  const first = await Promise.race([
    sleep,
    clock.sleep(5, new AbortController().signal).then(() => "asleep"),
  ]);
  assertEquals(first, "asleep");
  controller.abort();
  assertEquals(await sleep, "woken");
});

Deno.test("denoRuntime() does not sleep when it was aborted before", async () => {
  await denoRuntime(ONCE, denoProgram()).clock.sleep(1e12, AbortSignal.abort());
});

Deno.test("denoRuntime() gives chance in [0, 1)", () => {
  const value = denoRuntime(ONCE, denoProgram()).random();
  assert(value >= 0 && value < 1);
});

for (
  const [format, run, line] of [
    [
      "text",
      "daemon",
      /^WARN: .* 2 lines of the log were dropped: nobody reads standard output\n$/,
    ],
    [
      "text",
      "once",
      /^warning: 2 lines of the log were dropped: nobody reads standard output\n$/,
    ],
    [
      "json",
      "daemon",
      /^\{.*"level":"warning","event":"warning","file":"a.crt".*"message":"2 lines of the log were dropped: nobody reads standard output"\}\n$/,
    ],
  ] as const
) {
  Deno.test(`denoRuntime() says in the form of a ${format} log (${run}) what was dropped`, () => {
    const losses: (LossText | undefined)[] = [];
    const sink = {
      write: (_: string, loss?: LossText) => void losses.push(loss),
      isTerminal: () => false,
      columns: () => undefined,
    };
    const silent = {
      write: () => {},
      isTerminal: () => false,
      columns: () => undefined,
    };
    const isOut = run === "daemon";
    const { log } = denoRuntime({ run, file: "a.crt", format }, {
      stdout: isOut ? sink : silent,
      stderr: isOut ? silent : sink,
      flush: () => Promise.resolve(),
      speaker: REKEY_SPEAKER,
    });
    log.write({ event: "not-due", act: "rekey", expiresInMs: 1_000 });
    assertEquals(losses.length, 1);
    const text = losses[0]?.(2).replace("standard error", "standard output");
    assert(text !== undefined && line.test(text), text);
    assert(losses[0]?.(1).includes("1 line of the log was dropped"));
  });
}

for (
  const [format, isTerminal, isLong, wanted] of [
    ["text", true, true, ["thinking …", "\r          \r"]],
    ["text", true, false, []],
    ["text", false, true, []],
    ["json", true, true, []],
  ] as const
) {
  Deno.test(`denoRuntime() says that it is busy: ${format}, terminal ${isTerminal}, more than a second ${isLong}`, async () => {
    const texts: string[] = [];
    const sink = {
      write: (text: string) => void texts.push(text),
      isTerminal: () => isTerminal,
      columns: () => undefined,
    };
    const { terminal, clock } = denoRuntime({
      run: "once",
      file: "a.crt",
      format,
    }, {
      stdout: sink,
      stderr: sink,
      flush: () => Promise.resolve(),
      speaker: REKEY_SPEAKER,
    });
    {
      using _busy = terminal.busy("thinking");
      await clock.sleep(isLong ? 1_100 : 10, new AbortController().signal);
    }
    assertEquals(texts, [...wanted]);
  });
}
