import {
  fingerprint,
  hookLimitMs,
  leftMs,
  passLimitMs,
  type Plan,
  statusOf,
} from "../../src/daemon/plan.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { daemonOptions } from "../support/daemon_options.ts";
import { tempDir } from "../support/temp_dir.ts";

const BEGIN = Date.parse("2030-01-01T00:00:00Z");
const HOUR = 3_600_000;

const PLAN: Plan = {
  waitMs: HOUR,
  fromMs: BEGIN,
  due: "rekey",
  failures: 0,
  serial: "0A",
  files: "",
};

function at(ms: number): Date {
  return new Date(BEGIN + ms);
}

Deno.test("leftMs() counts down to zero, and is never more than was planned", () => {
  assertEquals(
    [0, HOUR / 2, HOUR, 2 * HOUR, -HOUR].map((ms) => leftMs(PLAN, at(ms))),
    [HOUR, HOUR / 2, 0, 0, HOUR],
  );
});

for (
  const [failures, status] of [
    [0, "next rekey at 2030-01-01T01:00:00Z"],
    [1, "failed once, next attempt at 2030-01-01T01:00:00Z"],
    [3, "failed 3 times in a row, next attempt at 2030-01-01T01:00:00Z"],
  ] as const
) {
  Deno.test(`statusOf() tells of ${failures} failures`, () => {
    assertEquals(statusOf({ ...PLAN, failures }, at(1), "rekey"), status);
  });
}

Deno.test("fingerprint() is another one after a file was written, replaced or removed", async () => {
  await using dir = await tempDir();
  const files = { certificate: dir.file("a.crt"), key: dir.file("a.key") };
  const options = { input: files, output: files };
  const seen = [fingerprint(options)];
  await Deno.writeTextFile(files.certificate, "one");
  seen.push(fingerprint(options));
  assertEquals(fingerprint(options), seen[1]);
  await Deno.writeTextFile(files.certificate, "other");
  seen.push(fingerprint(options));
  await Deno.writeTextFile(dir.file("new"), "other");
  await Deno.rename(dir.file("new"), files.certificate);
  seen.push(fingerprint(options));
  assertEquals(new Set(seen).size, 4);
});

Deno.test("passLimitMs() has room for lock and hook, and no end without a limit of the hook", () => {
  const options = daemonOptions({ certificate: "a.crt", key: "a.key" }, {});
  const least = passLimitMs(options);
  const write = { ...options.write, lockTimeoutMs: HOUR };
  assertEquals(passLimitMs({ ...options, write }), least + HOUR);
  const reload = { execTimeoutMs: 0 };
  assertEquals(passLimitMs({ ...options, reload }), Infinity);
});

Deno.test("hookLimitMs() leaves a hook ten seconds at the least", () => {
  assertEquals([0, HOUR].map(hookLimitMs), [10_000, HOUR]);
  assert(hookLimitMs(-1) === 10_000);
});
