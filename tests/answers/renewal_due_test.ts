import {
  isRenewalDue,
  type RenewalWindow,
  usedPercent,
} from "../../src/answers/renewal_due.ts";
import { assertEquals } from "../support/assert.ts";

const HOUR = 3_600_000;
const LIFE = {
  notBefore: new Date("2026-01-01T00:00:00Z"),
  notAfter: new Date("2026-01-05T04:00:00Z"), // 100 hours
};

const after = (hours: number) =>
  new Date(LIFE.notBefore.getTime() + hours * HOUR);

const used = (percent: number): RenewalWindow => ({ rule: "used", percent });
const before = (hours: number): RenewalWindow => ({
  rule: "before-expiry",
  beforeMs: hours * HOUR,
});

for (
  const [window, hours, isDue] of [
    [used(66), 65.99, false],
    [used(66), 66, true],
    [used(33), 32.99, false],
    [used(33), 33, true],
    [used(0), 0, true],
    // Not valid yet: it has used less than nothing.
    [used(0), -1, false],
    [used(100), 99.99, false],
    [used(100), 100, true],
    [used(100), 1000, true],
    [before(34), 65.99, false],
    [before(34), 66, true],
    [before(0), 99.99, false],
    [before(0), 100, true],
    [before(-1), 100.5, false],
    [before(-1), 101, true],
  ] as const
) {
  Deno.test(`isRenewalDue() of ${JSON.stringify(window)} after ${hours} of 100 hours is ${isDue}`, () => {
    assertEquals(isRenewalDue(LIFE, window, after(hours)), isDue);
  });
}

Deno.test("isRenewalDue() is true of a life without length", () => {
  const none = { notBefore: LIFE.notAfter, notAfter: LIFE.notAfter };
  for (const window of [used(66), before(1)]) {
    assertEquals(isRenewalDue(none, window, after(0)), true);
  }
});

Deno.test("usedPercent() cuts fractions off", () => {
  assertEquals(usedPercent(LIFE, after(65.99)), 65);
  assertEquals(usedPercent(LIFE, after(-0.5)), 0);
});
