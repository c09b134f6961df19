/**
 * The daemon under a service manager: what it says on $NOTIFY_SOCKET.
 */
import { assert, assertEquals, assertMatch } from "../support/assert.ts";
import { notifySocket } from "../support/notify_socket.ts";
import { closedPort } from "../support/tcp_peers.ts";
import { daemonTests } from "../support/daemon_place.ts";

const daemonTest = await daemonTests();

for (const kind of ["path", "abstract"] as const) {
  daemonTest(
    `ca rekey --daemon tells systemd when it is ready, reloading and stopping (${kind})`,
    async ({ ca, pair, daemon }) => {
      await using socket = await notifySocket(
        kind === "path"
          ? `${ca.directory}/notify`
          : `@step-rekey-test-${crypto.randomUUID()}`,
      );
      const files = await pair(`notify-${kind}`, 600);
      await using running = daemon(files, [], {
        env: { NOTIFY_SOCKET: socket.address },
      });
      assertMatch(
        await socket.receives("READY=1"),
        /^READY=1\nSTATUS=next rekey at 20\d\d-/,
      );
      running.kill("SIGHUP");
      assertMatch(
        await socket.receives("RELOADING=1"),
        /^RELOADING=1\nMONOTONIC_USEC=\d+\nSTATUS=rekeying$/,
      );
      await socket.receives("READY=1");
      running.kill("SIGTERM");
      await socket.receives("STOPPING=1");
      assertEquals(await running.ended, 0);
    },
  );
}

daemonTest(
  "ca rekey --daemon shows that it is alive, waiting or at work, and only then",
  async ({ ca, pair, daemon }) => {
    await using socket = await notifySocket(`${ca.directory}/watchdog`);
    const files = await pair("watchdog", 600);
    await using running = daemon(files, [], {
      env: { NOTIFY_SOCKET: socket.address, WATCHDOG_USEC: "200000" },
    });
    await socket.receives("READY=1");
    for (let ping = 0; ping < 5; ping++) await socket.receives("WATCHDOG=1");
    ca.freeze();
    try {
      running.kill("SIGHUP");
      await socket.receives("RELOADING=1");
      for (let ping = 0; ping < 5; ping++) await socket.receives("WATCHDOG=1");
    } finally {
      ca.thaw();
    }
    await socket.receives("READY=1");
    // A loop that does not come round gives no more signs.
    running.kill("SIGSTOP");
    await new Promise((resolve) => setTimeout(resolve, 300));
    const before = socket.messages.length;
    await new Promise((resolve) => setTimeout(resolve, 500));
    assertEquals(socket.messages.length, before);
    running.kill("SIGCONT");
    await socket.receives("WATCHDOG=1");
  },
);

daemonTest(
  "ca rekey --daemon tells systemd how often it failed",
  async ({ ca, pair, daemon }) => {
    await using socket = await notifySocket(`${ca.directory}/status`);
    const files = await pair("status", 600);
    await using running = daemon(files, [], {
      env: { NOTIFY_SOCKET: socket.address },
      caUrl: `https://127.0.0.1:${closedPort()}`,
    });
    await socket.receives("READY=1");
    running.kill("SIGHUP");
    const status = await socket.receives("failed");
    assertMatch(status, /STATUS=failed once, next attempt at 20/);
    assert(!status.includes("\n\n"));
  },
);

daemonTest(
  "ca rekey --daemon says nothing after it said that it is stopping",
  async ({ ca, pair, daemon }) => {
    await using socket = await notifySocket(`${ca.directory}/last`);
    const files = await pair("last", 600);
    await using running = daemon(files, [], {
      env: { NOTIFY_SOCKET: socket.address },
    });
    await socket.receives("READY=1");
    ca.freeze();
    try {
      running.kill("SIGHUP");
      await socket.receives("RELOADING=1");
      running.kill("SIGTERM");
      assertEquals(await running.ended, 0);
    } finally {
      ca.thaw();
    }
    await socket.receives("STOPPING=1");
    assertMatch(socket.messages.at(-1) ?? "", /^STOPPING=1/);
  },
);
