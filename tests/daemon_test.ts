/**
 * The loop, with a clock that skips the waits and an authority that says what a
 * test wants; the pair is real, on a real disk.
 */
import type { CertificateAuthority } from "../src/ca/authority.ts";
import { connectServiceManager } from "../src/daemon/service_manager.ts";
import { type DaemonSignals, runDaemon } from "../src/daemon.ts";
import { RekeyError, type RekeyErrorOptions } from "../src/errors.ts";
import { parseChain } from "../src/pki/certificate.ts";
import { createReloader } from "../src/reload/reloader.ts";
import type { LogEvent, Runtime } from "../src/runtime.ts";
import { assert, assertEquals, assertRejects } from "./support/assert.ts";
import { runLine } from "./support/command_line.ts";
import { noTerminal } from "./support/fake_terminal.ts";
import { OpensslCa } from "./support/openssl_ca.ts";
import { tempDir } from "./support/temp_dir.ts";
import { fakeClock } from "./daemon/fake_clock.ts";

const HOUR = 3_600_000;

/** What the authority does with the n-th request. */
type Answer = "issue" | RekeyError | (() => void);

function refusal(
  kind: "unreachable" | "refused" | "untrusted",
  options: RekeyErrorOptions = {},
): RekeyError {
  return new RekeyError(kind, `the CA is ${kind}`, options);
}

interface Life {
  readonly events: readonly LogEvent[];
  /** Waits between the steps, in ms, as the log tells them. */
  readonly waits: readonly number[];
  /** How much time passed, by the clock. */
  readonly elapsedMs: number;
}

/** Lives until the answers are used up. */
async function live(
  answers: readonly Answer[],
  { args = [], lifetimeMs = 24 * HOUR, random = 0.5 }: {
    readonly args?: readonly string[];
    /** Of every certificate that is issued; the first one lives for a day. */
    readonly lifetimeMs?: number;
    readonly random?: number;
  } = {},
): Promise<Life> {
  await using dir = await tempDir();
  const ca = await OpensslCa.root(dir.file("ca"), "Root");
  const start = new Date(Math.floor(Date.now() / 1000) * 1000);
  const clock = fakeClock(start);
  const issue = (name: string, lifeMs: number) => ({
    subject: `/CN=${name}`,
    names: `DNS:${name}`,
    notBefore: clock.now(),
    notAfter: new Date(clock.now().getTime() + lifeMs),
  });
  const pair = await ca.issue("host", issue("host", 24 * HOUR));
  const { options } = await runLine([
    ...["ca", "rekey", "--daemon", "--ca-url", "https://ca.example"],
    ...[...args, pair.certificateFile, pair.keyFile],
  ]);
  assert(options !== undefined);
  const stop = new AbortController();
  const signals: DaemonSignals = {
    stop: stop.signal,
    wake: () => new AbortController().signal,
    clearWake: () => {},
  };
  const events: LogEvent[] = [];
  let asked = 0;
  const authority: CertificateAuthority = {
    name: "test",
    doubts: "refuse",
    roots: () => Promise.resolve(chainOf(ca.certificate)),
    async rekey({ csr }) {
      const answer = answers[asked++];
      if (asked >= answers.length) queueStop();
      if (answer === undefined) throw new Error("asked too often");
      if (answer instanceof RekeyError) throw answer;
      if (typeof answer === "function") answer();
      return chainOf(await ca.sign(csr.pem, issue("host", lifetimeMs)));
    },
  };
  // After the step that the last answer belongs to.
  const state = { isLast: false };
  const queueStop = () => state.isLast = true;
  const runtime: Runtime = {
    clock,
    random: () => random,
    terminal: noTerminal(),
    log: {
      write(event) {
        events.push(event);
        const ends = event.event === "failed" || event.event === "scheduled";
        if (ends && state.isLast) stop.abort();
      },
    },
  };
  await using service = connectServiceManager({
    socket: undefined,
    watchdogUsec: undefined,
    watchdogPid: undefined,
    runtimeDirectory: undefined,
    pid: 1,
  }, () => {});
  const job = {
    options,
    openAuthority: () => authority,
    reloader: createReloader(options.reload, options.output),
  };
  await runDaemon(job, runtime, { signals, service });
  return {
    events,
    waits: events.flatMap((event) =>
      event.event === "scheduled"
        ? [event.waitMs]
        : event.event === "failed"
        ? [event.nextAttemptMs]
        : []
    ),
    elapsedMs: clock.now().getTime() - start.getTime(),
  };
}

function chainOf(pem: string) {
  return parseChain(new TextEncoder().encode(pem));
}

function failures({ events }: Life) {
  return events.flatMap((event) => event.event === "failed" ? [event] : []);
}

function scheduleWarnings({ events }: Life) {
  return events.filter((event) =>
    event.event === "warning" && event.message.includes("schedule")
  );
}

Deno.test("runDaemon() plans each cycle by the new certificate", async () => {
  const { waits } = await live(["issue", "issue", "issue"], {
    lifetimeMs: 6 * HOUR,
    random: 0,
  });
  assertEquals(waits.map((ms) => Math.round(ms / HOUR)), [16, 4, 4, 4]);
});

Deno.test("runDaemon() counts failures in a row, and forgets them after a success", async () => {
  const life = await live([
    ...[refusal("unreachable"), refusal("unreachable"), "issue" as const],
    refusal("unreachable"),
  ]);
  assertEquals(failures(life).map(({ attempt }) => attempt), [1, 2, 1]);
});

Deno.test("runDaemon() tries for ever before and after the end, never more than once a second", async () => {
  const answers = Array.from({ length: 110 }, () => refusal("unreachable"));
  const life = await live(answers);
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
  const life = await live([
    refusal("unreachable", { retryAfterMs: HOUR }),
    refusal("unreachable", { retryAfterMs: 24 * HOUR }),
  ], { random: 0 });
  const [first, second] = failures(life);
  assertEquals(first?.nextAttemptMs, HOUR);
  assert(second !== undefined && second.nextAttemptMs < second.leftMs);
});

Deno.test("runDaemon() is slow where it is refused", async () => {
  const life = await live([refusal("refused"), refusal("refused")], {
    random: 0,
  });
  assertEquals(failures(life).map(({ nextAttemptMs }) => nextAttemptMs), [
    60_000,
    60_000,
  ]);
});

Deno.test("runDaemon() ends with what no other try can mend", async () => {
  await assertRejects(
    () => live([refusal("unreachable"), refusal("untrusted"), "issue"]),
    "untrusted",
  );
});

Deno.test("runDaemon() goes on where an error of a kind that ends it says that it may heal", async () => {
  const life = await live([refusal("untrusted", { retry: "slowly" }), "issue"]);
  assertEquals(failures(life).length, 1);
});

Deno.test("runDaemon() makes no hot loop when the CA shortens lifetimes, and warns", async () => {
  for (
    const args of [["--expires-in", "8h"], ["--rekey-period", "8h"]]
  ) {
    const life = await live(["issue", "issue", "issue"], {
      args,
      lifetimeMs: 4 * HOUR,
    });
    assertEquals(life.waits.slice(1), [60_000, 60_000, 60_000]);
    assertEquals(scheduleWarnings(life).length, 3);
  }
});

Deno.test("runDaemon() says nothing about a schedule that fits", async () => {
  assertEquals(scheduleWarnings(await live(["issue", "issue"])), []);
});
