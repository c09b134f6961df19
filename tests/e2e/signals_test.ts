/**
 * Signals while the CA is silent: a one-shot run ends before the swap, with
 * 128 + the signal's number, and leaves nothing behind.
 */
import { createDevCa } from "../../scripts/dev_ca.ts";
import { assertEquals, assertStringIncludes } from "../support/assert.ts";
import { program } from "../support/program.ts";
import { CAN_TRACE } from "../support/strace.ts";
import { tcpPeer } from "../support/tcp_peers.ts";
import { tempDir } from "../support/temp_dir.ts";
import { makeTestPki } from "../support/test_ca.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
const pki = await makeTestPki(directory);

const binary = Deno.env.get("REKEY_TEST_BINARY") ?? "";
/**
 * Deno 2.9 listens to signals of its own in `deno run`, at a moment that nobody
 * knows: from then on nothing tells whether SIGHUP was ignored.
 */
const IS_COMPILED = binary !== "" && !binary.endsWith(".js");

for (
  const [signal, code, under] of [
    ["SIGINT", 130, []],
    ["SIGTERM", 143, []],
    ["SIGHUP", 129, []],
    // The SIGHUP that is sent first is nothing to it.
    ["SIGTERM", 143, ["nohup"]],
  ] as const
) {
  const name = [...under, signal].join(" ");
  Deno.test({
    name: `ca rekey ends with ${code} on ${name} while the CA is silent`,
    ignore: under.length > 0 && !IS_COMPILED,
    async fn() {
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
      const said = new TextDecoder().decode(result.stderr);
      assertEquals(result.code, code, said);
      assertStringIncludes(said, `stopped by ${signal}`);
      const entries = await Array.fromAsync(Deno.readDir(dir.path));
      assertEquals(entries.map(({ name }) => name).sort(), [
        "host.crt",
        "host.key",
      ]);
      assertEquals(await Deno.readTextFile(dir.file("host.key")), pki.host.key);
    },
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

Deno.test({
  name: "ca rekey ends on SIGTERM while a slow disk takes the new files",
  ignore: !CAN_TRACE,
  async fn() {
    await using dir = await tempDir();
    await Deno.mkdir(dir.file("ca"));
    const ca = await createDevCa(dir.file("ca"));
    const { certificateFile, keyFile } = await ca.issue("host");
    const { command, args } = program();
    const before = await names(dir.file("ca"));
    // Each fsync takes longer than the test may.
    const child = new Deno.Command("strace", {
      args: [
        ...["-f", "-qq", "-o", "/dev/null", "-e", "trace=fsync"],
        ...["-e", "inject=fsync:delay_enter=60000000"],
        ...["sh", "-c", 'echo $$; exec "$@"', "sh", command, ...args],
        ...["ca", "rekey", "--force", "--offline"],
        ...["--ca-config", ca.configFile, "--password-file", ca.passwordFile],
        ...[certificateFile, keyFile],
      ],
      env: { STEPPATH: dir.file("none") },
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    const { value } = await reader.read();
    const pid = Number(new TextDecoder().decode(value).trim());
    await fileAppears(dir.file("ca"), (name) => name.endsWith(".journal"));
    const gone = allAre(dir.file("ca"), before);
    Deno.kill(pid, "SIGTERM");
    // Half of what one fsync takes.
    const late = Promise.withResolvers<string>();
    const timer = setTimeout(() => late.resolve("waits for the disk"), 30_000);
    assertEquals(await Promise.race([gone, late.promise]), "gone");
    clearTimeout(timer);
    // strace itself would sit out the delay.
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    await child.stderr.cancel();
  },
});

/** Waits until the directory holds these names again. */
async function allAre(
  directory: string,
  expected: readonly string[],
): Promise<"gone"> {
  using watcher = Deno.watchFs(directory);
  for await (const _change of watcher) {
    if ((await names(directory)).join() === expected.join()) break;
  }
  return "gone";
}

async function names(directory: string): Promise<readonly string[]> {
  const entries = await Array.fromAsync(Deno.readDir(directory));
  return entries.map(({ name }) => name).sort();
}

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
