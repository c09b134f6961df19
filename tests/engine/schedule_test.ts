import fc from "fast-check";
import {
  backoffMs,
  dueTimes,
  type FailedPass,
  isDue,
  isDueAtStart,
  lifetimeMs,
  MIN_WAIT_MS,
  planWait,
  type Validity,
} from "../../src/engine/schedule.ts";
import type { Schedule } from "../../src/base/options.ts";
import { assert, assertEquals } from "../support/assert.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const YEAR = 365 * 24 * HOUR;
const START = Date.UTC(2026, 0, 1);
/** The largest number below 1: as unlucky as chance gets. */
const ALMOST_ONE = 1 - Number.EPSILON / 2;

function validity(hours: number): Validity {
  return {
    notBefore: new Date(START),
    notAfter: new Date(START + hours * HOUR),
  };
}

function at(hours: number, random: number) {
  return { now: new Date(START + hours * HOUR), random };
}

function startWait(
  valid: Validity,
  schedule: Schedule,
  chance: { readonly now: Date; readonly random: number },
): number {
  return planWait(valid, schedule, { ...chance, after: "start" }).waitMs;
}

const TWO_THIRDS: Schedule = { rule: "two-thirds" };

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

Deno.test("planWait() by default ends between 61.7 % and 66.7 % of the lifetime", () => {
  assertEquals(startWait(validity(24), TWO_THIRDS, at(0, 0)), 16 * HOUR);
  const early = startWait(validity(24), TWO_THIRDS, at(0, ALMOST_ONE));
  assert(Math.abs(early / HOUR - 14.8) < 1e-6, `${early / HOUR} h`);
});

Deno.test("planWait() waits until the window of --expires-in begins", () => {
  const rule = { rule: "before-expiry", beforeMs: 8 * HOUR } as const;
  assertEquals(startWait(validity(24), rule, at(4, 0)), 12 * HOUR);
  assertEquals(startWait(validity(24), rule, at(4, 0.5)), 11.4 * HOUR);
});

Deno.test("planWait() leaves a minute for the first try, however short --expires-in", () => {
  const rule = { rule: "before-expiry", beforeMs: 1e-6 } as const;
  assertEquals(startWait(validity(24), rule, at(0, 0)), 24 * HOUR - MINUTE);
});

Deno.test("planWait() waits the period less up to a twentieth, or not when less is left", () => {
  const rule = { rule: "period", periodMs: 16 * HOUR } as const;
  assertEquals(startWait(validity(24), rule, at(0, 0)), 16 * HOUR);
  assertEquals(startWait(validity(24), rule, at(0, 0.5)), 15.6 * HOUR);
  assertEquals(startWait(validity(24), rule, at(10, 0.5)), MIN_WAIT_MS);
});

Deno.test("planWait() does not take jitter of zero width for a mistake", () => {
  // In the original rand.Int63n(0) panics.
  const rule = { rule: "before-expiry", beforeMs: 24 * HOUR - 1e-6 } as const;
  assertEquals(startWait(validity(24), rule, at(0, 0.5)), MIN_WAIT_MS);
});

Deno.test("planWait() waits a minute when a rekey is due again at once, and says so", () => {
  const tooLong = [
    { rule: "before-expiry", beforeMs: 48 * HOUR },
    { rule: "before-expiry", beforeMs: 24 * HOUR - 1 },
    { rule: "period", periodMs: 24 * HOUR },
  ] as const;
  for (const schedule of tooLong) {
    assertEquals(
      planWait(validity(24), schedule, { ...at(0, 0), after: "rekey" }),
      { waitMs: MINUTE, isRaised: true },
    );
  }
});

Deno.test("planWait() keeps a period of a twentieth of a short life", () => {
  const valid = {
    notBefore: new Date(START),
    notAfter: new Date(START + MINUTE),
  };
  assertEquals(
    planWait(valid, { rule: "period", periodMs: 3 * SECOND }, {
      ...at(0, 0.5),
      after: "rekey",
    }),
    { waitMs: 3 * SECOND, isRaised: false },
  );
});

Deno.test("planWait() makes no hot loop of a period of a nanosecond", () => {
  assertEquals(
    planWait(validity(24), { rule: "period", periodMs: 1e-6 }, {
      ...at(0, 0),
      after: "rekey",
    }),
    { waitMs: MINUTE, isRaised: true },
  );
});

Deno.test("planWait() keeps to a period of seconds that was asked for", () => {
  const { waitMs, isRaised } = planWait(
    validity(24),
    { rule: "period", periodMs: 5_000 },
    { ...at(0, 0), after: "rekey" },
  );
  assertEquals([waitMs, isRaised], [5_000, false]);
});

Deno.test("planWait() does not take the jitter of a short period for a mistake", () => {
  assertEquals(
    planWait(validity(24), { rule: "period", periodMs: MINUTE }, {
      ...at(0, 0.5),
      after: "rekey",
    }),
    { waitMs: MINUTE, isRaised: false },
  );
});

Deno.test("planWait() does not warn of a schedule that fits", () => {
  const plan = planWait(validity(24), TWO_THIRDS, {
    ...at(0, 0.5),
    after: "rekey",
  });
  assertEquals(plan.isRaised, false);
});

const RANDOM = fc.double({
  min: 0,
  max: 1,
  maxExcluded: true,
  noNaN: true,
});

const SCHEDULE = fc.oneof(
  fc.constant<Schedule>(TWO_THIRDS),
  fc.double({ min: 1e-6, max: 2 ** 63 / 1e6, noNaN: true }).map(
    (beforeMs): Schedule => ({ rule: "before-expiry", beforeMs }),
  ),
  fc.double({ min: 1e-6, max: 40 * YEAR, noNaN: true }).map(
    (periodMs): Schedule => ({ rule: "period", periodMs }),
  ),
);

/** Ten seconds to thirty years, as often seconds as years. */
const LIFETIME = fc.double({
  min: Math.log(10 * SECOND),
  max: Math.log(30 * YEAR),
  noNaN: true,
}).map((log) => Math.round(Math.exp(log)));

Deno.test("planWait() keeps floor, end and jitter bounds in 100,000 schedules", () => {
  fc.assert(
    fc.property(
      LIFETIME,
      fc.double({ min: -0.5, max: 1.5, noNaN: true }),
      RANDOM,
      SCHEDULE,
      fc.constantFrom("start" as const, "rekey" as const),
      (lifeMs, used, random, schedule, after) => {
        const now = new Date(START + Math.floor(lifeMs * used));
        const valid = {
          notBefore: new Date(START),
          notAfter: new Date(START + lifeMs),
        };
        const { waitMs } = planWait(valid, schedule, { now, random, after });
        assert(Number.isFinite(waitMs) && waitMs >= MIN_WAIT_MS, `${waitMs}`);
        const leftMs = valid.notAfter.getTime() - now.getTime();
        // The first try comes before the end.
        assert(
          waitMs <= leftMs * 0.951 || leftMs - waitMs >= MINUTE - 1 ||
            waitMs === MIN_WAIT_MS,
          `${waitMs} of ${leftMs}`,
        );
        // No later than the rule without jitter, no earlier than its jitter.
        const [latest, width] = ruleOf(schedule, lifeMs, leftMs);
        assert(waitMs <= Math.max(latest, MINUTE, MIN_WAIT_MS), `${waitMs}`);
        const reserveMs = Math.min(MINUTE, leftMs / 20);
        const earliest = Math.min(latest - width, leftMs - reserveMs);
        assert(waitMs >= earliest - 1, `${waitMs} of ${earliest}`);
      },
    ),
    { numRuns: 100_000 },
  );
});

/** An independent reading of the rules: the latest wait, and the jitter's width. */
function ruleOf(
  schedule: Schedule,
  lifeMs: number,
  leftMs: number,
): readonly [latest: number, width: number] {
  switch (schedule.rule) {
    case "two-thirds":
      return [leftMs - lifeMs / 3, lifeMs / 20];
    case "before-expiry":
      return [leftMs - schedule.beforeMs, lifeMs / 20];
    case "period":
      return leftMs > schedule.periodMs
        ? [schedule.periodMs, schedule.periodMs / 20]
        : [0, 0];
  }
}

function failed(change: Partial<FailedPass>): FailedPass {
  return { retry: "later", failures: 1, validity: validity(1000), ...change };
}

Deno.test("backoffMs() grows from a minute to an hour, with full jitter", () => {
  const most = (failures: number) =>
    Math.round(backoffMs(failed({ failures }), at(0, ALMOST_ONE)));
  assertEquals([1, 2, 3, 6, 7, 50].map(most), [
    MINUTE,
    2 * MINUTE,
    4 * MINUTE,
    32 * MINUTE,
    HOUR,
    HOUR,
  ]);
  assertEquals(backoffMs(failed({ failures: 50 }), at(0, 0)), MIN_WAIT_MS);
});

Deno.test("backoffMs() comes closer as the end comes near", () => {
  const left = (ms: number) =>
    Math.round(backoffMs(
      failed({ failures: 50 }),
      at(1000 - ms / HOUR, ALMOST_ONE),
    ));
  assertEquals([HOUR, MINUTE, 8 * SECOND, SECOND].map(left), [
    HOUR / 4,
    MINUTE / 4,
    2 * SECOND,
    MIN_WAIT_MS,
  ]);
});

Deno.test("backoffMs() goes on for ever after the end, at most an hour apart", () => {
  assertEquals(
    Math.round(backoffMs(failed({ failures: 1e6 }), at(1001, ALMOST_ONE))),
    HOUR,
  );
  // A certificate of a minute does not wait for an hour when the CA is back.
  assertEquals(
    Math.round(backoffMs(
      failed({ failures: 50, validity: validity(1 / 60) }),
      at(1, ALMOST_ONE),
    )),
    MINUTE,
  );
});

Deno.test("backoffMs() is slow after a refusal, also when chance is hasty", () => {
  const refused = failed({ retry: "slowly" });
  assertEquals(backoffMs(refused, at(0, 0)), MINUTE);
  assertEquals(Math.round(backoffMs(refused, at(0, ALMOST_ONE))), 5 * MINUTE);
});

Deno.test("backoffMs() honours Retry-After, and spreads it", () => {
  const asked = failed({ retryAfterMs: 2 * HOUR });
  assertEquals(backoffMs(asked, at(0, 0)), 2 * HOUR);
  assertEquals(backoffMs(asked, at(0, 0.5)), 2.1 * HOUR);
});

Deno.test("backoffMs() lets no Retry-After outlast the certificate", () => {
  const asked = failed({ retryAfterMs: 24 * HOUR });
  assertEquals(backoffMs(asked, at(996, 0.5)), 3 * HOUR);
  assertEquals(backoffMs(asked, at(1001, 0)), 24 * HOUR);
});

Deno.test("backoffMs() is monotone and within its bounds in 100,000 failures", () => {
  fc.assert(
    fc.property(
      LIFETIME,
      fc.double({ min: 0, max: 1.5, noNaN: true }),
      RANDOM,
      fc.integer({ min: 1, max: 2 ** 31 }),
      fc.constantFrom("later" as const, "slowly" as const),
      (lifeMs, used, random, failures, retry) => {
        const valid = {
          notBefore: new Date(START),
          notAfter: new Date(START + lifeMs),
        };
        const now = new Date(START + Math.floor(lifeMs * used));
        const wait = (count: number) =>
          backoffMs({ retry, failures: count, validity: valid }, {
            now,
            random,
          });
        const waitMs = wait(failures);
        const leftMs = valid.notAfter.getTime() - now.getTime();
        const floor = retry === "later"
          ? MIN_WAIT_MS
          : Math.max(MIN_WAIT_MS, Math.min(MINUTE, lifetimeMs(valid) / 20));
        assert(waitMs >= floor, `${waitMs} below ${floor}`);
        assert(waitMs <= HOUR);
        if (leftMs > 0) assert(waitMs <= Math.max(floor, leftMs / 4));
        assert(wait(failures + 1) >= waitMs, "more failures, longer wait");
        assert(wait(1) <= waitMs, "the first is the shortest");
      },
    ),
    { numRuns: 100_000 },
  );
});

Deno.test("isDueAtStart() is the end of what jitter decides", () => {
  for (
    const [schedule, due, notDue] of [
      [{ rule: "two-thirds" }, 16.01, 15.9],
      [{ rule: "before-expiry", beforeMs: 8 * HOUR }, 16.01, 15.9],
      // By then the next one would be late.
      [{ rule: "period", periodMs: 4 * HOUR }, 20, 19.9],
    ] as const
  ) {
    const isDueAt = (hours: number) =>
      isDueAtStart(validity(24), schedule, at(hours, 0).now);
    assertEquals([isDueAt(due), isDueAt(notDue), isDueAt(25)], [
      true,
      false,
      true,
    ], schedule.rule);
  }
});

Deno.test("dueTimes() begin before they end, also where chance makes it later", () => {
  const valid = validity(24);
  // Due after 16 h; within the twentieth of the life before that.
  const { from, to } = dueTimes(valid, TWO_THIRDS, at(15.5, 0).now);
  assert(from < to);
  assertEquals(to.getTime(), START + 16 * HOUR);
});
