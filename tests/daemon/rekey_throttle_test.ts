import { RekeyThrottle } from "../../src/daemon/rekey_throttle.ts";
import { assertEquals } from "../support/assert.ts";

const BEGIN = Date.parse("2030-01-01T00:00:00Z");

function at(seconds: number): Date {
  return new Date(BEGIN + seconds * 1_000);
}

const DAY = { notBefore: at(0), notAfter: at(86_400) };
const MINUTE = { notBefore: at(0), notAfter: at(60) };

Deno.test("delay() is none for the first request, and for one long after a rekey", () => {
  const throttle = new RekeyThrottle();
  assertEquals(throttle.delay(at(0)).waitMs, 0);
  throttle.rekeyed(at(0), DAY);
  assertEquals(throttle.delay(at(60)).waitMs, 0);
});

Deno.test("delay() counts from the rekey before, not from the request", () => {
  const throttle = new RekeyThrottle();
  throttle.rekeyed(at(0), DAY);
  assertEquals(throttle.delay(at(0.4)).waitMs, 600);
  assertEquals(throttle.delay(at(30)).waitMs, 0);
});

Deno.test("delay() doubles in a row to a twentieth of a short life, and is suspicious once", () => {
  const throttle = new RekeyThrottle();
  const delays = [];
  for (let row = 0; row < 5; row++) {
    throttle.rekeyed(at(100), MINUTE);
    delays.push(throttle.delay(at(100)));
  }
  assertEquals(
    delays.map(({ waitMs }) => waitMs),
    [1_000, 2_000, 3_000, 3_000, 3_000],
  );
  assertEquals(
    delays.map(({ isSuspicious }) => isSuspicious),
    [false, false, true, false, false],
  );
});

Deno.test("delay() begins anew after a request that came late", () => {
  const throttle = new RekeyThrottle();
  for (const seconds of [0, 1, 2]) {
    throttle.rekeyed(at(seconds), DAY);
    throttle.delay(at(seconds));
  }
  throttle.delay(at(100));
  throttle.rekeyed(at(100), DAY);
  assertEquals(throttle.delay(at(100)).waitMs, 1_000);
});

Deno.test("delay() is not made longer by a clock that is set back", () => {
  const throttle = new RekeyThrottle();
  throttle.rekeyed(at(1_000), DAY);
  assertEquals(throttle.delay(at(0)).waitMs, 1_000);
});
