import { pause, stoppable } from "../../src/base/stoppable.ts";
import { assertEquals, assertRejects } from "../support/assert.ts";

Deno.test("stoppable() gives the result of work that ends first", async () => {
  const { signal } = new AbortController();
  assertEquals(await stoppable(Promise.resolve(1), signal), 1);
});

Deno.test("stoppable() fails as the work fails", async () => {
  const { signal } = new AbortController();
  await assertRejects(
    () => stoppable(Promise.reject(new Error("broken")), signal),
    undefined,
    /broken/,
  );
});

Deno.test("stoppable() ends with the reason, although the work never does", async () => {
  const controller = new AbortController();
  const result = stoppable(new Promise(() => {}), controller.signal);
  controller.abort(new Error("stopped"));
  await assertRejects(() => result, undefined, /stopped/);
});

Deno.test("stoppable() does not wait when it was stopped before", async () => {
  const signal = AbortSignal.abort(new Error("stopped"));
  await assertRejects(
    () => stoppable(Promise.resolve(1), signal),
    undefined,
    /stopped/,
  );
});

Deno.test("pause() ends after its time, or when it is stopped", async () => {
  await pause(1);
  await pause(1, new AbortController().signal);
  await pause(3_600_000, AbortSignal.abort());
  const controller = new AbortController();
  const paused = pause(3_600_000, controller.signal);
  controller.abort();
  await paused;
});

for (const ms of [2 ** 31, Infinity]) {
  Deno.test(`pause() of ${ms} ms is not over at once`, async () => {
    const controller = new AbortController();
    const paused = pause(ms, controller.signal).then(() => "over");
    assertEquals(await Promise.race([paused, pause(20)]), undefined);
    controller.abort();
    assertEquals(await paused, "over");
  });
}

Deno.test("stoppable() lets work fail unheard when the signal has come already", async () => {
  const unheard: unknown[] = [];
  const listen = (event: PromiseRejectionEvent) => {
    event.preventDefault();
    unheard.push(event.reason);
  };
  addEventListener("unhandledrejection", listen);
  try {
    const work = Promise.reject(new Error("closed meanwhile"));
    await stoppable(work, AbortSignal.abort(new Error("stopped")))
      .catch(() => {});
    await new Promise((resolve) => setTimeout(resolve));
    assertEquals(unheard, []);
  } finally {
    removeEventListener("unhandledrejection", listen);
  }
});
