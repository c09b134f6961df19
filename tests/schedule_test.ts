import fc from "fast-check";
import { backoffMs, isDue, MIN_WAIT_MS, nextWaitMs } from "../src/schedule.ts";
import { assert, assertEquals } from "./support/assert.ts";

const HOUR = 3_600_000;
const START = Date.UTC(2026, 0, 1);

function validity(hours: number) {
  return {
    notBefore: new Date(START),
    notAfter: new Date(START + hours * HOUR),
  };
}

function at(hours: number, random: number) {
  return { now: new Date(START + hours * HOUR), random };
}

Deno.test("isDue() compares what is left with the window", () => {
  assertEquals(isDue(validity(24), 8 * HOUR, at(15.9, 0)), false);
  assertEquals(isDue(validity(24), 8 * HOUR, at(16, 0)), true);
  assertEquals(isDue(validity(24), 8 * HOUR, at(25, 0)), true);
});

Deno.test("isDue() adds at most a twentieth, so that jitter is only earlier", () => {
  // 8 h window, 24 min of jitter at the most.
  assertEquals(isDue(validity(24), 8 * HOUR, at(15.7, 0.999)), true);
  assertEquals(isDue(validity(24), 8 * HOUR, at(15.5, 0.999)), false);
});

Deno.test("isDue() takes windows from one nanosecond to the largest duration", () => {
  assertEquals(isDue(validity(24), 1e-6, at(23, 0.5)), false);
  assertEquals(isDue(validity(24), 2 ** 63 / 1e6, at(0, 0.5)), true);
});

Deno.test("nextWaitMs() by default ends between 61.7 % and 66.7 % of the lifetime", () => {
  const rule = { rule: "two-thirds" } as const;
  assertEquals(nextWaitMs(validity(24), rule, at(0, 0)), 16 * HOUR);
  assertEquals(
    Math.round(nextWaitMs(validity(24), rule, at(0, 0.999999)) / HOUR * 10),
    148,
  );
});

Deno.test("nextWaitMs() waits until the window of --expires-in begins", () => {
  const rule = { rule: "before-expiry", beforeMs: 8 * HOUR } as const;
  assertEquals(nextWaitMs(validity(24), rule, at(4, 0)), 12 * HOUR);
});

Deno.test("nextWaitMs() waits the period, or not when less is left", () => {
  const rule = { rule: "period", periodMs: 16 * HOUR } as const;
  assertEquals(nextWaitMs(validity(24), rule, at(0, 0.5)), 16 * HOUR);
  assertEquals(nextWaitMs(validity(24), rule, at(10, 0.5)), 60_000);
  assertEquals(nextWaitMs(validity(24), rule, at(24, 0.5)), MIN_WAIT_MS);
});

Deno.test("nextWaitMs() never goes below the floor and never past the expiry", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 10, max: 30 * 365 * 86_400 }),
      fc.double({ min: 0, max: 1.5, noNaN: true }),
      fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
      fc.oneof(
        fc.constant({ rule: "two-thirds" } as const),
        fc.integer({ min: 1, max: 2 ** 52 }).map((beforeMs) =>
          ({ rule: "before-expiry", beforeMs }) as const
        ),
        fc.integer({ min: 1, max: 2 ** 52 }).map((periodMs) =>
          ({ rule: "period", periodMs }) as const
        ),
      ),
      (seconds, used, random, schedule) => {
        const lifetimeMs = seconds * 1000;
        const now = new Date(START + Math.floor(lifetimeMs * used));
        const notAfter = new Date(START + lifetimeMs);
        const wait = nextWaitMs(
          { notBefore: new Date(START), notAfter },
          schedule,
          { now, random },
        );
        assert(wait >= MIN_WAIT_MS, `${wait} ms`);
        const left = notAfter.getTime() - now.getTime();
        assert(wait <= Math.max(left, MIN_WAIT_MS), `${wait} of ${left} ms`);
      },
    ),
    { numRuns: 20_000 },
  );
});

Deno.test("backoffMs() grows, stays under a quarter of what is left, and under an hour", () => {
  assertEquals(backoffMs(1, 1000 * HOUR, 0.999999) < 60_000, true);
  assertEquals(backoffMs(2, 1000 * HOUR, 0), 60_000);
  assertEquals(backoffMs(50, 1000 * HOUR, 1), HOUR);
  assertEquals(backoffMs(9, 40_000, 1), 10_000);
  assertEquals(backoffMs(9, 1, 0.5), MIN_WAIT_MS);
  // Expired: go on, slowly and for ever.
  assertEquals(backoffMs(50, -1, 1), HOUR);
});
