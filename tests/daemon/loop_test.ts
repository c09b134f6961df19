/**
 * The loop, with a clock that skips the waits and an authority that says what a
 * test wants; the pair is real, on a real disk.
 */
import { RekeyError } from "../../src/base/errors.ts";
import { rememberPasswords } from "../../src/daemon/loop.ts";
import type { LogEvent } from "../../src/base/runtime.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { fakeTerminal } from "../support/fake_terminal.ts";
import {
  type DaemonRun,
  daemonRun,
  type Files,
  HOUR,
  refusal,
} from "../support/daemon_run.ts";

function failures({ events }: DaemonRun) {
  return events.flatMap((event) => {
    if (event.event !== "failed") return [];
    const { leftMs = NaN } = event;
    return [{ ...event, leftMs }];
  });
}

function scheduleWarnings({ events }: DaemonRun) {
  return events.filter((event) =>
    event.event === "warning" && event.message.includes("schedule")
  );
}

Deno.test("runDaemon() plans each cycle by the new certificate", async () => {
  const { waits } = await daemonRun(["issue", "issue", "issue"], {
    lifetimeMs: 6 * HOUR,
    random: 0,
  });
  assertEquals(waits.map((ms) => Math.round(ms / HOUR)), [16, 4, 4, 4]);
});

Deno.test("runDaemon() renews, and says so, where the key stays", async () => {
  const { events } = await daemonRun(["issue", "issue"], { command: "renew" });
  const acts = events.flatMap((event) =>
    event.event === "scheduled" ? [event.act] : []
  );
  assertEquals(acts, ["renew", "renew", "renew"]);
  const done = events.map(({ event }) => event)
    .filter((event) => event !== "scheduled");
  assertEquals(done, ["renewed", "renewed", "stopped"]);
});

Deno.test("runDaemon() counts failures in a row, and forgets them after a success", async () => {
  const life = await daemonRun([
    refusal("unreachable"),
    refusal("unreachable"),
    "issue",
    refusal("unreachable"),
  ]);
  assertEquals(failures(life).map(({ attempt }) => attempt), [1, 2, 1]);
});

Deno.test("runDaemon() tries for ever before and after the end, never more than once a second", async () => {
  const answers = Array.from({ length: 110 }, () => refusal("unreachable"));
  const life = await daemonRun(answers);
  const tries = failures(life);
  assertEquals(tries.length, 110);
  for (const { nextAttemptMs, leftMs } of tries) {
    assert(nextAttemptMs >= 1_000 && nextAttemptMs <= HOUR);
    if (leftMs > 4_000) assert(nextAttemptMs <= leftMs / 4);
  }
  assert(tries.some(({ leftMs }) => leftMs > 0));
  assert(tries.some(({ leftMs }) => leftMs < 0));
});

Deno.test("runDaemon() waits for what Retry-After asks, and no longer than the life allows", async () => {
  const life = await daemonRun([
    refusal("unreachable", { retryAfterMs: HOUR }),
    refusal("unreachable", { retryAfterMs: 24 * HOUR }),
  ], { random: 0 });
  const [first, second] = failures(life);
  assertEquals(first?.nextAttemptMs, HOUR);
  assert(second !== undefined && second.nextAttemptMs < second.leftMs);
});

Deno.test("runDaemon() plans anew for a pair that somebody puts there while the CA is asked", async () => {
  const others: Files[] = [];
  const life = await daemonRun([
    (files) => {
      const [other] = others;
      if (other === undefined) throw new Error("it has not slept");
      putInPlace(other, files);
    },
    "issue",
  ], { sleeping: (_sleep, _files, other) => others.push(other) });
  assertEquals(failures(life), []);
  // After 16 of 24 hours: a pair that has lived for 16 of 12.
  const warnings = life.events.filter(({ event }) => event === "warning");
  assertEquals(warnings.length, 1);
  assertEquals(
    life.events.filter(({ event }) => event === "scheduled").length,
    3,
  );
});

Deno.test("runDaemon() is slow where it is refused", async () => {
  const life = await daemonRun([refusal("refused"), refusal("refused")], {
    random: 0,
  });
  assertEquals(failures(life).map(({ nextAttemptMs }) => nextAttemptMs), [
    60_000,
    60_000,
  ]);
});

Deno.test("runDaemon() ends with what no other try can mend", async () => {
  await assertRejects(
    () => daemonRun([refusal("unreachable"), refusal("untrusted"), "issue"]),
    "untrusted",
  );
});

Deno.test("runDaemon() goes on where an error of a kind that ends it says that it may heal", async () => {
  const life = await daemonRun([
    refusal("untrusted", { retry: "slowly" }),
    "issue",
  ]);
  assertEquals(failures(life).length, 1);
});

Deno.test("runDaemon() makes no hot loop when the CA shortens lifetimes, and warns", async () => {
  for (
    const args of [["--expires-in", "8h"], ["--rekey-period", "8h"]]
  ) {
    const life = await daemonRun(["issue", "issue", "issue"], {
      args,
      lifetimeMs: 4 * HOUR,
    });
    assertEquals(life.waits.slice(1), [60_000, 60_000, 60_000]);
    assertEquals(scheduleWarnings(life).length, 3);
  }
});

Deno.test("runDaemon() says nothing about a schedule that fits", async () => {
  assertEquals(scheduleWarnings(await daemonRun(["issue", "issue"])), []);
});

Deno.test("runDaemon() lets no SIGHUP make a hot loop, and warns", async () => {
  const life = await daemonRun(Array.from({ length: 20 }, () => "issue"), {
    isWoken: true,
  });
  // Pauses of 0, 1, 2, 4, 8, 16, 32, and then 60 s.
  assertEquals(life.elapsedMs, (63 + 13 * 60) * 1_000);
  const warnings = life.events.filter(({ event }) => event === "warning");
  assertEquals(warnings.length, 1);
});

Deno.test("runDaemon() rekeys no more than once a minute by a period, and names the flag", async () => {
  const life = await daemonRun(["issue", "issue", "issue"], {
    args: ["--rekey-period", "1ms"],
  });
  assertEquals(life.waits.slice(1), [60_000, 60_000, 60_000]);
  for (const event of life.events) {
    if (event.event !== "warning") continue;
    assert(event.message.startsWith("--rekey-period is too short"));
    assertEquals(event.once, true);
  }
});

Deno.test("runDaemon() plans before it tells the service, which has until then", async () => {
  const events: LogEvent[] = [];
  const limits: (number | undefined)[] = [];
  const { waits } = await daemonRun(["issue", "issue"], {
    events,
    reload({ limitMs }) {
      assertEquals(events.at(-1)?.event, "scheduled");
      limits.push(limitMs);
      return new Map();
    },
  });
  assertEquals(limits, waits.slice(1));
});

Deno.test("runDaemon() goes by a pair that somebody put in the place while it waited", async () => {
  const { events, waits } = await daemonRun(["issue"], {
    random: 0,
    sleeping(sleep, files, other) {
      if (sleep === 3) putInPlace(other, files);
    },
  });
  assertEquals(waits.map((ms) => Math.round(ms / HOUR)), [16, 8, 16]);
  assertEquals(events.filter(({ event }) => event === "replaced").length, 1);
});

Deno.test("runDaemon() delivers what the run that put another pair there left pending", async () => {
  const events: LogEvent[] = [];
  let told = 0;
  await daemonRun(["issue"], {
    events,
    pendingFor: "other",
    reload: () => (told++, new Map()),
    sleeping(sleep, files, other) {
      if (sleep !== 3) return;
      putInPlace(other, files);
      moveNote(other);
    },
  });
  // Once for the other, within its wait, and once for the new one.
  assertEquals(told, 2);
  const names = events.map(({ event }) => event);
  assertEquals(names.slice(names.indexOf("replaced"), -1), [
    "replaced",
    "scheduled",
    "reloaded",
    "rekeyed",
    "scheduled",
  ]);
});

Deno.test("runDaemon() goes on with its wait when the same pair was written again", async () => {
  const { waits, elapsedMs } = await daemonRun(["issue"], {
    random: 0,
    sleeping(sleep, { certificateFile }) {
      if (sleep % 7 === 0) touch(certificateFile, sleep);
    },
  });
  assertEquals([waits.length, elapsedMs], [2, 16 * HOUR]);
});

Deno.test("runDaemon() waits for a certificate that is being written while it waits", async () => {
  const content = { text: "" };
  const { elapsedMs } = await daemonRun(["issue"], {
    random: 0,
    sleeping(sleep, { certificateFile }) {
      if (sleep === 3) content.text = exchange(certificateFile, "");
      if (sleep === 6) exchange(certificateFile, content.text);
    },
  });
  assertEquals(elapsedMs, 16 * HOUR);
});

Deno.test("runDaemon() names the first failure when the certificate cannot be read after it", async () => {
  const events: LogEvent[] = [];
  await assertRejects(() =>
    daemonRun([({ certificateFile }) => {
      exchange(certificateFile, "");
      throw refusal("unreachable");
    }], { events }), "pair");
  assert(
    events.some((event) =>
      event.event === "warning" && event.message === "the CA is unreachable"
    ),
  );
});

Deno.test("runDaemon() delivers a pending reload before it ends at its start", async () => {
  let told = 0;
  await assertRejects(() =>
    daemonRun(["issue"], {
      pendingFor: "host",
      isBroken: true,
      reload: () => (told++, new Map()),
    }), "config");
  assertEquals(told, 1);
});

Deno.test("runDaemon() tells that it has started, and not when the first look fails", async () => {
  for (const isBroken of [false, true]) {
    let starts = 0;
    const life = daemonRun(["issue"], { isBroken, started: () => starts++ });
    if (isBroken) await assertRejects(() => life, "config");
    else await life;
    assertEquals(starts > 0, !isBroken);
  }
});

function putInPlace(other: Files, files: Files): void {
  Deno.copyFileSync(other.keyFile, files.keyFile);
  Deno.copyFileSync(other.certificateFile, files.certificateFile);
}

/** As if the run had installed it as the host's. */
function moveNote({ certificateFile }: Files): void {
  const directory = certificateFile.replace(/\/[^/]*$/, "");
  const found = [...Deno.readDirSync(directory)].find(({ name }) =>
    name.endsWith(".reload")
  );
  if (found === undefined) throw new Error("there is no note");
  const name = found.name.replace(".other.crt.", ".host.crt.");
  Deno.renameSync(`${directory}/${found.name}`, `${directory}/${name}`);
}

function touch(file: string, seconds: number): void {
  Deno.utimeSync(file, seconds, seconds);
}

/** Writes the file; returns what was in it. */
function exchange(file: string, text: string): string {
  const before = Deno.readTextFileSync(file);
  Deno.writeTextFileSync(file, text);
  return before;
}

const { signal } = new AbortController();

Deno.test("rememberPasswords() asks once for each file", async () => {
  const asked = fakeTerminal("first", "second");
  const terminal = rememberPasswords(asked);
  const answers = [];
  for (const label of ["a.key: ", "ca.key: ", "a.key: ", "ca.key: "]) {
    answers.push(await terminal.readPassword(label, signal));
  }
  assertEquals(answers, ["first", "second", "first", "second"]);
  assertEquals(asked.questions, ["a.key: ", "ca.key: "]);
});

Deno.test("rememberPasswords() does not remember that nobody answered", async () => {
  const declined = new RekeyError("declined", "no password");
  const terminal = rememberPasswords(fakeTerminal(declined, "secret"));
  await assertRejects(() => terminal.readPassword("a: ", signal), "declined");
  assertEquals(await terminal.readPassword("a: ", signal), "secret");
});

Deno.test("runDaemon() that only a stop ends goes on after what only a person can mend", async () => {
  const life = await daemonRun([refusal("untrusted"), "issue"], {
    endsBy: "stop",
  });
  const [failed, ...more] = failures(life);
  assert(failed !== undefined);
  assertEquals([failed.error.kind, more.length], ["untrusted", 0]);
  // Slowly: a person has to do something first.
  assert(failed.nextAttemptMs >= 60_000, `${failed.nextAttemptMs} ms`);
  assert(life.events.some(({ event }) => event === "rekeyed"));
});
