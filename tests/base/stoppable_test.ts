import { stoppable } from "../../src/base/stoppable.ts";
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
