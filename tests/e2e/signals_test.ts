/**
 * Signals while the CA is silent: a one-shot run ends before the swap, with
 * 128 + the signal's number, and leaves nothing behind.
 */
import { assertEquals, assertStringIncludes } from "../support/assert.ts";
import { program } from "../support/program.ts";
import { tcpPeer } from "../support/tcp_peers.ts";
import { tempDir } from "../support/temp_dir.ts";
import { makeTestPki } from "../support/test_ca.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
const pki = await makeTestPki(directory);

for (
  const [signal, code, under] of [
    ["SIGINT", 130, []],
    ["SIGTERM", 143, []],
    ["SIGHUP", 129, []],
    // The SIGHUP that is sent first is nothing to it.
    ["SIGTERM", 143, ["nohup"]],
  ] as const
) {
  Deno.test(`ca rekey ends with ${code} on ${[...under, signal].join(" ")} while the CA is silent`, async () => {
    await using dir = await tempDir();
    await Deno.writeTextFile(dir.file("host.crt"), pki.host.certificate);
    await Deno.writeTextFile(dir.file("host.key"), pki.host.key);
    const asked = Promise.withResolvers<void>();
    const end = Promise.withResolvers<void>();
    await using silent = tcpPeer(async (connection) => {
      await connection.read(new Uint8Array(1));
      asked.resolve();
      await end.promise;
    });
    const { command, args } = program();
    const [first, ...words] = [...under, command, ...args];
    const child = new Deno.Command(first, {
      args: [
        ...words,
        ...["ca", "rekey", "--force"],
        ...["--ca-url", `https://127.0.0.1:${silent.port}`],
        ...["--root", pki.root.certificateFile],
        dir.file("host.crt"),
        dir.file("host.key"),
      ],
      env: { STEPPATH: dir.file("none") },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const output = child.output();
    await asked.promise;
    if (under.length > 0) child.kill("SIGHUP");
    child.kill(signal);
    const result = await output;
    end.resolve();
    assertEquals(result.code, code);
    assertStringIncludes(
      new TextDecoder().decode(result.stderr),
      `stopped by ${signal}`,
    );
    const entries = await Array.fromAsync(Deno.readDir(dir.path));
    assertEquals(entries.map(({ name }) => name).sort(), [
      "host.crt",
      "host.key",
    ]);
    assertEquals(await Deno.readTextFile(dir.file("host.key")), pki.host.key);
  });
}

Deno.test("ca rekey ends on SIGTERM while it waits for standard input", async () => {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.file("host.crt"), pki.host.certificate);
  await Deno.writeTextFile(dir.file("host.key"), pki.host.key);
  const { command, args } = program();
  const child = new Deno.Command(command, {
    args: [
      ...args,
      ...["ca", "rekey", "--force", "--ca-url", "https://127.0.0.1:9"],
      ...["--root", pki.root.certificateFile, "--out-cert", dir.file("new")],
      ...["--password-file", "-", dir.file("host.crt"), dir.file("host.key")],
    ],
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  });
  const running = child.spawn();
  const output = running.output();
  await fileAppears(dir.path, (name) => name.endsWith("lock"));
  running.kill("SIGTERM");
  assertEquals((await output).code, 143);
});

/** Waits until a file whose name fits is in the directory. */
async function fileAppears(
  directory: string,
  fits: (name: string) => boolean,
): Promise<void> {
  using watcher = Deno.watchFs(directory);
  for await (const entry of Deno.readDir(directory)) {
    if (fits(entry.name)) return;
  }
  for await (const { paths } of watcher) {
    if (paths.some(fits)) return;
  }
}
