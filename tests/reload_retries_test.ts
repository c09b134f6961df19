import fc from "fast-check";
import { reloadPauseMs } from "../src/reload_retries.ts";
import { assert, assertEquals } from "./support/assert.ts";

Deno.test("reloadPauseMs() doubles from a second to five minutes", () => {
  assertEquals(
    [1, 2, 3, 8, 9, 10, 10_000].map((failures) => reloadPauseMs(failures, 0)),
    [1_000, 2_000, 4_000, 128_000, 256_000, 300_000, 300_000],
  );
});

Deno.test("reloadPauseMs() is never shorter than half of that, so that nothing spins", () => {
  fc.assert(fc.property(
    fc.integer({ min: 1, max: 2 ** 31 }),
    fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
    (failures, random) => {
      const pauseMs = reloadPauseMs(failures, random);
      assert(pauseMs >= 500 && pauseMs <= 300_000);
      assert(pauseMs <= reloadPauseMs(failures, 0));
      assert(pauseMs > reloadPauseMs(failures, 0) / 2 - 1);
    },
  ));
});
