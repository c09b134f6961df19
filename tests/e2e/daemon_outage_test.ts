/**
 * The daemon and a CA that is gone, silent, slow, busy or unwilling.
 */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import type { RunningProgram } from "../support/running_program.ts";
import { watchStalls } from "../support/stalls.ts";
import { blackHole } from "../support/tcp_peers.ts";
import { type DaemonPlace, daemonTests } from "../support/daemon_place.ts";
import { pairKeyOf } from "../support/openssl_reads.ts";

/** A CA that serves, whatever the test before left. */
async function serve({ ca }: DaemonPlace): Promise<void> {
  ca.thaw();
  await ca.stop();
  await ca.setClaims({
    admin: { allowRenewalAfterExpiry: true },
    strict: { allowRenewalAfterExpiry: false },
  });
  await ca.restart();
}

const daemonTest = await daemonTests(serve);

const JSON_LOG = ["--log-format", "json"] as const;

/** The lines of a JSON log, each of which has to be one. */
function linesOf(running: RunningProgram) {
  return running.text.split("\n").filter((line) => line !== "")
    .map((line) => JSON.parse(line));
}

function failuresOf(running: RunningProgram) {
  return linesOf(running).filter(({ event }) => event === "failed");
}

daemonTest(
  "ca rekey --daemon outlives a CA that is stopped and started",
  async ({ ca, pair, daemon }) => {
    const files = await pair("stopped", 60);
    await using running = daemon(files, [...JSON_LOG, "--rekey-period", "1s"]);
    await running.says('"rekeyed"');
    await ca.stop();
    const failed = JSON.parse(await failure(running));
    assertEquals(
      [failed.class, failed.kind, failed.level],
      ["later", "unreachable", "error"],
    );
    running.kill("SIGHUP");
    await running.says('"attempt":2');
    const before = await pairKeyOf(files);
    await ca.restart();
    // Without waiting for the next try, which the test above all would.
    running.kill("SIGHUP");
    await running.says('"rekeyed"');
    assert(await pairKeyOf(files) !== before);
  },
);

daemonTest(
  "ca rekey --daemon tries closer and closer to the end, and heals after it",
  async ({ ca, daemon }) => {
    // step-ca renews no expired certificate whose life was below a minute.
    // The rest is what a busy machine needs for a start, and for some tries.
    const files = await ca.issue("late", "admin", {
      notBefore: new Date(Date.now() - 104_000),
      notAfter: new Date(Date.now() + 16_000),
    });
    await ca.stop();
    await using running = daemon(files, [...JSON_LOG]);
    // Each pause is at most a quarter of the rest.
    while (
      failuresOf(running).every(({ time, notAfter }) =>
        Date.parse(time) < Date.parse(notAfter)
      )
    ) {
      await running.says('"event":"failed"');
    }
    const waits = failuresOf(running).map((
      { time, nextAttempt, notAfter },
    ) => ({
      waitS: (Date.parse(nextAttempt) - Date.parse(time)) / 1000,
      leftS: (Date.parse(notAfter) - Date.parse(time)) / 1000,
    }));
    assert(waits.length >= 3, `${waits.length} tries`);
    for (const { waitS, leftS } of waits) {
      if (leftS > 0) assert(waitS <= Math.max(1, leftS / 4) + 0.1, `${waitS}`);
    }
    await ca.restart();
    // step-ca takes no token of the second in which it started.
    while (!running.text.includes('"event":"rekeyed"')) {
      running.kill("SIGHUP");
      await running.says('"woken"');
      await running.says('"event":');
    }
    await pairKeyOf(files);
  },
);

daemonTest(
  "ca rekey --daemon goes on after a CA that is silent, within its own time limit",
  async ({ ca, pair, daemon }) => {
    const files = await pair("frozen", 60);
    await using running = daemon(files, [
      ...JSON_LOG,
      ...["--timeout", "500ms", "--rekey-period", "1s"],
    ]);
    await running.says('"rekeyed"');
    ca.freeze();
    const failed = JSON.parse(await failure(running));
    assertEquals(failed.kind, "unreachable");
    ca.thaw();
    running.kill("SIGHUP");
    await running.says('"rekeyed"');
  },
);

daemonTest(
  "ca rekey --daemon waits for a CA that is slow, within the limit",
  async ({ ca, pair, daemon }) => {
    const files = await pair("slow", 60);
    await using running = daemon(files, [...JSON_LOG]);
    await running.says('"scheduled"');
    ca.freeze();
    running.kill("SIGHUP");
    await running.says('"woken"');
    // Silence that no event ends.
    await new Promise((resolve) => setTimeout(resolve, 300));
    ca.thaw();
    await running.says('"rekeyed"');
    assertEquals(failuresOf(running), []);
  },
);

daemonTest(
  "ca rekey --daemon ends within a second on SIGTERM while the CA is a black hole",
  async ({ pair, daemon }) => {
    const files = await pair("hole", 60);
    const before = await pairKeyOf(files);
    await using hole = await blackHole();
    await using running = daemon(files, [], {
      caUrl: `https://127.0.0.1:${hole.port}`,
    });
    await running.says("first rekey in ");
    running.kill("SIGHUP");
    await running.says("rekeying now");
    using stalls = watchStalls();
    const begin = performance.now();
    running.kill("SIGTERM");
    assertEquals(await running.ended, 0);
    assert(performance.now() - begin < stalls.limitMs(1_000));
    assertEquals(await pairKeyOf(files), before);
  },
);

daemonTest(
  "ca rekey --daemon asks for ever where it is refused, slowly, and heals",
  async ({ ca, pair, daemon }) => {
    const files = await pair("refused", 3600);
    await ca.setClaims({ admin: { disableRenewal: true }, strict: {} });
    await ca.stop();
    await ca.restart();
    await using running = daemon(files, [...JSON_LOG]);
    await running.says('"scheduled"');
    running.kill("SIGHUP");
    const failed = JSON.parse(await failure(running));
    assertEquals([failed.class, failed.kind], ["slowly", "refused"]);
    const waitMs = Date.parse(failed.nextAttempt) - Date.parse(failed.time);
    assert(waitMs >= 58_000, `${waitMs} ms`);
    running.kill("SIGHUP");
    await running.says('"attempt":2');
    await ca.setClaims({
      admin: { allowRenewalAfterExpiry: true },
      strict: { allowRenewalAfterExpiry: false },
    });
    await ca.stop();
    await ca.restart();
    running.kill("SIGHUP");
    await running.says('"rekeyed"');
  },
);

daemonTest(
  "ca rekey --daemon goes on asking with an expired certificate that the CA does not renew",
  async ({ ca, daemon }) => {
    const files = await ca.issue("strict", "strict", {
      notBefore: new Date(Date.now() - 600_000),
      notAfter: new Date(Date.now() - 5_000),
    });
    await using running = daemon(files, [...JSON_LOG]);
    const failed = JSON.parse(await failure(running));
    assertMatch(failed.message, /expired/);
    assertMatch(failed.hint, /allowRenewalAfterExpiry/);
    assertEquals(failed.class, "slowly");
  },
);

/** The next line about a failure. */
async function failure(running: RunningProgram): Promise<string> {
  const before = failuresOf(running).length;
  if (before === 0) await running.says('"event":"failed"');
  const line = running.text.split("\n").findLast((line) =>
    line.includes('"event":"failed"')
  );
  return line ?? "";
}
