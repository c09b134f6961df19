import fc from "fast-check";
import { FailureHook } from "../../src/engine/failure_hook.ts";
import { lockPair } from "../../src/files/lock/pair_lock.ts";
import { resolveTarget } from "../../src/files/disk/target.ts";
import { loadChain } from "../../src/files/pair/key_pair.ts";
import { parseNote } from "../../src/files/reload_note/note.ts";
import {
  findPendingReload,
  ReloadDraft,
} from "../../src/files/reload_note/pending_reload.ts";
import type { ReloadPart } from "../../src/base/options.ts";
import { parseChain } from "../../src/pki/certificate/certificate.ts";
import { createReloader } from "../../src/reload/reloader.ts";
import {
  reloadPauseMs,
  ReloadRetries,
} from "../../src/daemon/reload_retries.ts";
import type { LogEvent, Runtime } from "../../src/base/runtime.ts";
import { fakeClock } from "./fake_clock.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { daemonOptions } from "../support/daemon_options.ts";
import { noTerminal } from "../support/fake_terminal.ts";
import { OpensslCa } from "../support/openssl_ca.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";

const NEVER = new AbortController().signal;
const HOUR = 3_600_000;

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

interface Place {
  readonly pair: { readonly certificate: string; readonly key: string };
  readonly retries: ReloadRetries;
  readonly events: readonly LogEvent[];
  /** Waits, with nothing that wakes. */
  during(ms: number): Promise<void>;
  /** How often the hook ran. */
  runs(): Promise<number>;
  /** Milliseconds that passed on the clock. */
  passedMs(): number;
}

/** A reload is pending, and the hook fails `failures` times. */
async function place(
  dir: TempDir,
  { failures, attempts = 20, undelivered = ["exec"] }: {
    readonly failures: number;
    readonly attempts?: number;
    readonly undelivered?: readonly ReloadPart[];
  },
): Promise<Place> {
  const root = await OpensslCa.root(dir.file("ca"), "Root");
  const host = await root.issue("host", { subject: "/CN=host" });
  const pair = { certificate: host.certificateFile, key: host.keyFile };
  const [leaf] = parseChain(new TextEncoder().encode(host.certificate));
  if (leaf === undefined) throw new Error("no certificate");
  using draft = new ReloadDraft(resolveTarget(pair.certificate), undelivered);
  const pending = await draft.around(() => {}, { certificate: leaf });
  pending?.[Symbol.dispose]();
  const runs = dir.file("runs");
  await Deno.writeTextFile(
    dir.file("hook"),
    `#!/bin/sh\necho run >> ${runs}\n[ $(wc -l < ${runs}) -gt ${failures} ]\n`,
    { mode: 0o755 },
  );
  const options = daemonOptions(pair, { exec: [dir.file("hook")], attempts });
  const begin = new Date("2030-01-01T00:00:00Z");
  const clock = fakeClock(begin);
  const events: LogEvent[] = [];
  const runtime: Runtime = {
    clock,
    random: () => 0,
    terminal: noTerminal(),
    log: { write: (event) => events.push(event) },
  };
  const job = {
    options,
    reloader: createReloader(options, { files: pair }),
    openAuthority: () => {
      throw new Error("no certificate was asked for");
    },
  };
  const hook = new FailureHook(options, runtime, NEVER);
  const retries = new ReloadRetries(job, runtime, hook);
  return {
    pair,
    retries,
    events,
    during: (ms) =>
      retries.during(ms, {
        sleep: (slice) => clock.sleep(slice, NEVER),
        deliver: () => retries.deliver(NEVER),
        awake: NEVER,
      }),
    runs: async () =>
      (await Deno.readTextFile(runs).catch(() => "")).split("\n").length - 1,
    passedMs: () => clock.now().getTime() - begin.getTime(),
  };
}

Deno.test("during() delivers at once what an earlier run left pending, and only once", async () => {
  await using dir = await tempDir();
  const { during, runs, events, passedMs } = await place(dir, { failures: 0 });
  await during(HOUR);
  assertEquals([await runs(), passedMs()], [1, HOUR]);
  assertEquals(events, [{ event: "reloaded" }]);
});

Deno.test("during() tries again after 1, 2 and 4 s, and waits no longer in all", async () => {
  await using dir = await tempDir();
  const { during, runs, events, passedMs } = await place(dir, { failures: 3 });
  await during(HOUR);
  assertEquals([await runs(), passedMs()], [4, HOUR]);
  assertEquals(
    events.map((event) =>
      event.event === "reload-failed" && event.nextAttemptMs
    ),
    [1_000, 2_000, 4_000, false],
  );
});

Deno.test("during() goes on where a shorter wait ended", async () => {
  await using dir = await tempDir();
  const { during, runs } = await place(dir, { failures: 3 });
  await during(1);
  assertEquals(await runs(), 1);
  await during(998);
  assertEquals(await runs(), 1);
  await during(1_000);
  assertEquals(await runs(), 2);
});

for (const attempts of [1, 3]) {
  Deno.test(`during() gives up after ${attempts}, and keeps the note`, async () => {
    await using dir = await tempDir();
    const { during, runs, events, retries } = await place(dir, {
      failures: 99,
      attempts,
    });
    await during(100 * HOUR);
    assertEquals([await runs(), retries.waitMs()], [attempts, Infinity]);
    const last = events.at(-1);
    assert(last?.event === "reload-failed");
    assertEquals([last.attempt, last.nextAttemptMs], [attempts, undefined]);
    const names = await Array.fromAsync(Deno.readDir(dir.file("ca")));
    assert(names.some(({ name }) => name.endsWith(".reload")));
  });
}

Deno.test("during() never gives up without a limit", async () => {
  await using dir = await tempDir();
  const { during, runs } = await place(dir, { failures: 25, attempts: 0 });
  await during(100 * HOUR);
  assertEquals(await runs(), 26);
});

Deno.test("deliver() does not count a pair that somebody works on as a failure", async () => {
  await using dir = await tempDir();
  const { pair, during, runs, retries, events } = await place(dir, {
    failures: 0,
    attempts: 1,
  });
  {
    await using _lock = await lockPair(pair);
    for (const pauseMs of [1_000, 2_000, 4_000]) {
      await retries.deliver(NEVER);
      assertEquals(retries.waitMs(), pauseMs);
    }
    assertEquals(await runs(), 0);
    assertEquals(events.length, 1);
  }
  await during(HOUR);
  assertEquals(await runs(), 1);
  assertEquals(events.at(-1), { event: "reloaded" });
});

Deno.test("deliver() looks again when another run that delivers may yet fail", async () => {
  await using dir = await tempDir();
  const { pair, during, runs, retries, events } = await place(dir, {
    failures: 0,
  });
  const [leaf] = await loadChain(pair.certificate);
  const from = { load: () => Promise.resolve(leaf), parts: ["exec"] as const };
  const other = await findPendingReload(resolveTarget(pair.certificate), from);
  assert(typeof other === "object");
  await retries.deliver(NEVER);
  assertEquals([await runs(), retries.waitMs()], [0, 1_000]);
  other[Symbol.dispose]();
  await during(HOUR);
  assertEquals(await runs(), 1);
  assertEquals(events, [{ event: "reloaded" }]);
});

Deno.test("deliver() looks again when the certificate could not be read for a moment", async () => {
  await using dir = await tempDir();
  const { pair, during, runs, retries, events } = await place(dir, {
    failures: 0,
  });
  const content = await Deno.readTextFile(pair.certificate);
  await Deno.writeTextFile(pair.certificate, "");
  await retries.deliver(NEVER);
  assertEquals([await runs(), retries.waitMs()], [0, 1_000]);
  await Deno.writeTextFile(pair.certificate, content);
  await during(HOUR);
  assertEquals(await runs(), 1);
  assertEquals(events.map(({ event }) => event), ["warning", "reloaded"]);
});

Deno.test("deliver() warns of a reload that only another run can deliver, and keeps the note", async () => {
  await using dir = await tempDir();
  const { during, runs, events } = await place(dir, {
    failures: 0,
    undelivered: ["signal"],
  });
  await during(HOUR);
  assertEquals([await runs(), names(events)], [0, ["warning"]]);
  assert(await noteIn(dir) !== undefined);
});

Deno.test("deliver() keeps the part that it cannot deliver, and delivers the other", async () => {
  await using dir = await tempDir();
  const { during, runs, events } = await place(dir, {
    failures: 0,
    undelivered: ["signal", "exec"],
  });
  await during(HOUR);
  assertEquals([await runs(), names(events)], [1, ["warning", "reloaded"]]);
  assertEquals((await noteIn(dir))?.undelivered, ["signal"]);
});

function names(events: readonly LogEvent[]): readonly string[] {
  return events.map(({ event }) => event);
}

async function noteIn(dir: TempDir) {
  const names = await Array.fromAsync(Deno.readDir(dir.file("ca")));
  const note = names.find(({ name }) => name.endsWith(".reload"));
  if (note === undefined) return undefined;
  return parseNote(await Deno.readTextFile(dir.file(`ca/${note.name}`)));
}
