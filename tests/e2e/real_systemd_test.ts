/**
 * The daemon as a service of a real systemd: Type=notify, reload, a watchdog
 * that restarts a loop that is stuck, stop.
 */
import { assertEquals, assertMatch } from "../support/assert.ts";
import { program } from "../support/program.ts";
import { bootSystem, type System, systemdMissing } from "../support/systemd.ts";
import { closedPort } from "../support/tcp_peers.ts";
import { tempDir } from "../support/temp_dir.ts";
import { makeTestPki } from "../support/test_ca.ts";

const missing = await systemdMissing();

Deno.test({
  name: "ca rekey --daemon is a service of a real systemd" +
    (missing === undefined ? "" : ` (${missing})`),
  ignore: missing !== undefined,
  async fn() {
    await using dir = await tempDir();
    const pki = await makeTestPki(dir.file("pki"));
    const { command, args } = program();
    const line = [
      ...[command, ...args, "ca", "rekey", "--daemon"],
      ...["--ca-url", `https://127.0.0.1:${closedPort()}`],
      ...["--root", pki.root.certificateFile],
      ...[pki.host.certificateFile, pki.host.keyFile],
    ].join(" ");
    await using system = await bootSystem(
      dir.path,
      `[Unit]
DefaultDependencies=no
[Service]
Type=notify
Environment=HOME=${Deno.env.get("HOME")} STEPPATH=${dir.file("none")}
ExecStart=${line}
ExecReload=/bin/kill -HUP $MAINPID
WatchdogSec=2s
Restart=on-failure
RestartSec=100ms
`,
    );
    await until(system, "ActiveState", /^active$/);
    assertMatch(await system.show("StatusText"), /^next rekey at 20/);

    assertEquals((await system.systemctl("reload", "probe")).code, 0);
    await until(system, "StatusText", /^failed once, next attempt at 20/);

    // It is stuck: no sign of life, and systemd starts another.
    const before = await system.show("MainPID");
    await system.systemctl("kill", "-s", "STOP", "probe");
    await until(system, "MainPID", new RegExp(`^(?!0$|${before}$)`));
    assertEquals(await system.show("NRestarts"), "1");
    await until(system, "ActiveState", /^active$/);

    assertEquals((await system.systemctl("stop", "probe")).code, 0);
    assertEquals(
      [await system.show("Result"), await system.show("ExecMainStatus")],
      ["success", "0"],
    );
  },
});

/** Longest time for anything to happen here, in ms. */
const LIMIT_MS = 300_000;

/** Asks systemd, which tells nobody of its own accord, until it says so. */
async function until(
  system: System,
  property: string,
  wanted: RegExp,
): Promise<void> {
  const end = performance.now() + LIMIT_MS;
  let value = "";
  while (performance.now() < end) {
    value = await system.show(property);
    if (wanted.test(value)) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`${property} is ${value}, not ${wanted}`);
}
