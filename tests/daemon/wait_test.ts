import fc from "fast-check";
import { MAX_SLICE_MS, wait } from "../../src/daemon/wait.ts";
import { denoRuntime } from "../../src/cli/process/deno_runtime.ts";
import { denoProgram } from "../../src/cli/process/program.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { fakeClock } from "./fake_clock.ts";

const START = new Date("2026-01-01T00:00:00Z");
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/** Waits, and tells what happened. */
async function waited(
  waitMs: number,
  options: {
    readonly during?: (sleep: number) => number;
    readonly sliceMs?: number;
  } = {},
) {
  const clock = fakeClock(START, options.during);
  const steps: number[] = [];
  let pings = 0;
  await wait(waitMs, {
    clock,
    signal: new AbortController().signal,
    sliceMs: options.sliceMs,
    onSlice: () => pings++,
    onStep: (byMs) => steps.push(byMs),
  });
  const elapsedMs = clock.sleeps.reduce((sum, { ms }) => sum + ms, 0);
  const wallMs = clock.now().getTime() - START.getTime();
  return { sleeps: clock.sleeps, pings, steps, elapsedMs, wallMs };
}

Deno.test("wait() sleeps in slices of at most a minute, beyond 24.8 days", async () => {
  const { sleeps, pings, elapsedMs, steps } = await waited(60 * DAY);
  assertEquals(Math.max(...sleeps.map(({ ms }) => ms)), MAX_SLICE_MS);
  assertEquals(elapsedMs, 60 * DAY);
  assertEquals(pings, sleeps.length);
  assertEquals(steps, []);
});

Deno.test("wait() takes the shorter slices of a watchdog", async () => {
  const { sleeps } = await waited(10_000, { sliceMs: 2_500 });
  assertEquals(sleeps.map(({ ms }) => ms), [2_500, 2_500, 2_500, 2_500]);
});

Deno.test("wait() counts the time of a suspend, and reports it", async () => {
  const { elapsedMs, steps } = await waited(10 * HOUR, {
    during: (sleep) => sleep === 3 ? 8 * HOUR : 0,
  });
  assertEquals(elapsedMs, 2 * HOUR);
  assertEquals(steps, [8 * HOUR]);
});

Deno.test("wait() ends when a suspend outlasted it", async () => {
  const { elapsedMs, steps } = await waited(10 * HOUR, {
    during: (sleep) => sleep === 1 ? 80 * DAY : 0,
  });
  assertEquals(elapsedMs, MAX_SLICE_MS);
  assertEquals(steps, [80 * DAY]);
});

Deno.test("wait() is not made longer by a clock that is set back, and reports it", async () => {
  const { elapsedMs, steps } = await waited(10 * HOUR, {
    during: (sleep) => sleep === 5 ? -40 * 365 * DAY : 0,
  });
  assertEquals(elapsedMs, 10 * HOUR);
  assertEquals(steps, [-40 * 365 * DAY]);
});

Deno.test("wait() takes late timers for late timers", async () => {
  const { steps } = await waited(HOUR, { during: () => 5_000 });
  assertEquals(steps, []);
});

Deno.test("wait() ends at once when it is aborted before or in a slice", async () => {
  const clock = fakeClock(START);
  const options = {
    clock,
    onSlice: () => {},
    onStep: () => {},
  };
  await wait(DAY, { ...options, signal: AbortSignal.abort() });
  assertEquals(clock.sleeps.length, 0);
  const controller = new AbortController();
  await wait(DAY, {
    ...options,
    signal: controller.signal,
    onSlice: () => controller.abort(),
  });
  assertEquals(clock.sleeps.length, 1);
});

Deno.test("wait() ends at once when it is aborted while the real clock sleeps", async () => {
  const { clock } = denoRuntime(
    { run: "once", file: "a.crt" },
    denoProgram(),
  );
  const controller = new AbortController();
  const ended = wait(DAY, {
    clock,
    signal: controller.signal,
    onSlice: () => {},
    onStep: () => {},
  });
  const begin = performance.now();
  controller.abort();
  await ended;
  assert(performance.now() - begin < 10_000);
});

Deno.test("wait() never waits longer than asked, whatever the clock does", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 2 * HOUR }),
      fc.array(fc.integer({ min: -400 * DAY, max: 400 * DAY }), {
        maxLength: 5,
      }),
      async (waitMs, moves) => {
        const { elapsedMs, wallMs, sleeps } = await waited(waitMs, {
          during: (sleep) => moves[sleep - 1] ?? 0,
        });
        assert(elapsedMs <= waitMs + 5 * 1_000, `${elapsedMs} of ${waitMs}`);
        // Nor shorter, by the clock that the certificate is judged by.
        const back = moves.slice(0, sleeps.length)
          .reduce((sum, move) => sum + Math.min(move, 0), 0);
        assert(wallMs - back >= waitMs - 1, `${wallMs}`);
      },
    ),
    { numRuns: 2_000 },
  );
});
