import { denoRuntime } from "../../../src/cli/process/deno_runtime.ts";
import { assert, assertEquals } from "../../support/assert.ts";

const ONCE = { run: "once", file: "a.crt" } as const;

Deno.test("denoRuntime() has a clock that sleeps until the time has come", async () => {
  const { clock } = denoRuntime(ONCE);
  const begin = clock.now().getTime();
  await clock.sleep(20, new AbortController().signal);
  assert(clock.now().getTime() - begin >= 20);
});

Deno.test("denoRuntime() has a clock that an abort wakes, however long the sleep", async () => {
  const { clock } = denoRuntime(ONCE);
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
  await denoRuntime(ONCE).clock.sleep(1e12, AbortSignal.abort());
});

Deno.test("denoRuntime() gives chance in [0, 1)", () => {
  const value = denoRuntime(ONCE).random();
  assert(value >= 0 && value < 1);
});
