import {
  connectServiceManager,
  type NotifyEnvironment,
  withPings,
} from "../../src/daemon/service_manager.ts";
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { type NotifySocket, notifySocket } from "../support/notify_socket.ts";
import { tempDir } from "../support/temp_dir.ts";

function environment(change: Partial<NotifyEnvironment>): NotifyEnvironment {
  return {
    socket: undefined,
    watchdogUsec: undefined,
    watchdogPid: undefined,
    runtimeDirectory: undefined,
    pid: 4711,
    ...change,
  };
}

function unexpected(message: string): never {
  throw new Error(message);
}

async function speaks(socket: NotifySocket): Promise<void> {
  {
    await using service = connectServiceManager(
      environment({ socket: socket.address }),
      unexpected,
    );
    service.ready("next rekey at noon");
    service.reloading("rekeying");
    service.status("two\nlines");
    service.extend(1_500);
    service.ping();
    service.stopping();
  }
  await socket.receives("STOPPING=1");
  const [ready, reloading, ...others] = socket.messages;
  assertEquals(ready, "READY=1\nSTATUS=next rekey at noon");
  assertMatch(
    reloading ?? "",
    /^RELOADING=1\nMONOTONIC_USEC=\d+\nSTATUS=rekeying$/,
  );
  assertEquals(others, [
    "STATUS=two\\x0alines",
    "EXTEND_TIMEOUT_USEC=1500000",
    "WATCHDOG=1",
    "STOPPING=1\nSTATUS=stopping",
  ]);
}

Deno.test("connectServiceManager() speaks to a socket with a path, in order, to the last word", async () => {
  await using dir = await tempDir();
  await using socket = await notifySocket(dir.file("notify"));
  await speaks(socket);
  const left = await Array.fromAsync(Deno.readDir(dir.path));
  assertEquals(left.map(({ name }) => name), ["notify"]);
});

Deno.test("connectServiceManager() speaks to a socket in the abstract space", async () => {
  await using socket = await notifySocket(
    `@step-rekey-test-${crypto.randomUUID()}`,
  );
  await speaks(socket);
});

Deno.test("connectServiceManager() gives the monotonic time of the machine, not behind it", async () => {
  await using dir = await tempDir();
  await using socket = await notifySocket(dir.file("notify"));
  const before = await monotonicUsec();
  await using service = connectServiceManager(
    environment({ socket: socket.address }),
    unexpected,
  );
  service.reloading("rekeying");
  const message = await socket.receives("RELOADING=1");
  const told = Number(/MONOTONIC_USEC=(\d+)/.exec(message)?.[1]);
  assert(told >= before, `${told} < ${before}`);
  // A machine that was suspended is ahead by that time, never behind.
  assert(await bootUsec() + 20_000 >= told);
});

Deno.test("connectServiceManager() does nothing without a socket", async () => {
  await using service = connectServiceManager(environment({}), unexpected);
  service.ready("x");
  assertEquals(service.pingMs, undefined);
});

Deno.test("connectServiceManager() warns once when the socket is gone, and goes on", async () => {
  const warnings: string[] = [];
  {
    await using service = connectServiceManager(
      environment({ socket: "/nonexistent/notify" }),
      (message) => warnings.push(message),
    );
    service.ready("x");
    service.status("y");
  }
  assertEquals(warnings.length, 1);
  assertMatch(warnings[0] ?? "", /^cannot notify the service manager: /);
});

Deno.test("connectServiceManager() speaks again when the socket is back", async () => {
  await using dir = await tempDir();
  const warnings: string[] = [];
  const warned = Promise.withResolvers<void>();
  await using service = connectServiceManager(
    environment({ socket: dir.file("notify") }),
    (message) => {
      warnings.push(message);
      warned.resolve();
    },
  );
  service.ready("lost");
  await warned.promise;
  await using socket = await notifySocket(dir.file("notify"));
  service.ping();
  assertEquals(await socket.receives("WATCHDOG=1"), "WATCHDOG=1");
  assertEquals(warnings.length, 1);
});

for (
  const [what, change, pingMs] of [
    ["half of the watchdog's time", { watchdogUsec: "30000000" }, 15_000],
    [
      "its own process",
      { watchdogUsec: "2000", watchdogPid: "4711" },
      1,
    ],
    [
      "no other process",
      { watchdogUsec: "2000", watchdogPid: "4712" },
      undefined,
    ],
    ["no watchdog", {}, undefined],
    ["no number", { watchdogUsec: "soon" }, undefined],
    ["no zero", { watchdogUsec: "0" }, undefined],
    ["no socket", { socket: undefined, watchdogUsec: "2000" }, undefined],
  ] as const
) {
  Deno.test(`connectServiceManager() pings for ${what}`, async () => {
    await using service = connectServiceManager(
      environment({ socket: "/nonexistent", ...change }),
      () => {},
    );
    assertEquals(service.pingMs, pingMs);
  });
}

Deno.test("withPings() pings until the work ends", async () => {
  const work = Promise.withResolvers<string>();
  let pings = 0;
  const result = withPings(work.promise, {
    service: {
      pingMs: 1,
      ping: () => ++pings === 5 && work.resolve("done"),
    },
    limitMs: 60_000,
  });
  assertEquals(await result, "done");
  assertEquals(pings, 5);
});

Deno.test("withPings() falls silent when the work takes longer than it may", async () => {
  const work = Promise.withResolvers<void>();
  const quiet = Promise.withResolvers<void>();
  let pings = 0;
  const running = withPings(work.promise, {
    service: { pingMs: 5, ping: () => ++pings === 5 && quiet.resolve() },
    limitMs: 20,
  });
  await quiet.promise;
  // Many times the period: a sixth would have come.
  await new Promise((resolve) => setTimeout(resolve, 100));
  assertEquals(pings, 5);
  work.resolve();
  await running;
});

async function monotonicUsec(): Promise<number> {
  return await clockUsec("CLOCK_MONOTONIC");
}

async function bootUsec(): Promise<number> {
  return await clockUsec("CLOCK_BOOTTIME");
}

async function clockUsec(name: string): Promise<number> {
  const { stdout } = await new Deno.Command("python3", {
    args: [
      "-c",
      `import time; print(time.clock_gettime_ns(time.${name}) // 1000)`,
    ],
  }).output();
  return Number(new TextDecoder().decode(stdout));
}
