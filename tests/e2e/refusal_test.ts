/**
 * Real places in which nothing can be installed: refused, with a way out, before
 * the CA is asked, which is a listener that counts.
 */
import { assertEquals, assertMatch } from "../support/assert.ts";
import { CAN_MOUNT, mount, mountTmpfs } from "../support/mounts.ts";
import { runProgram } from "../support/program.ts";
import { run, runOk } from "../support/run.ts";
import { tcpPeer } from "../support/tcp_peers.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";
import { makeTestPki } from "../support/test_ca.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
const pki = await makeTestPki(directory);

/** A place where one of the files cannot be replaced. */
interface Refusal {
  readonly name: string;
  readonly needsMount?: boolean;
  /** With the pair in `tls`; what it gives back undoes it. */
  prepare(dir: TempDir): Promise<AsyncDisposable | undefined>;
  readonly message: RegExp;
  readonly hint: RegExp;
}

const REFUSALS: readonly Refusal[] = [
  {
    name: "a read-only mount",
    needsMount: true,
    async prepare(dir) {
      const bound = await mount(dir.file("tls"), ["--bind", dir.file("tls")]);
      await runOk("mount", ["-o", "remount,ro,bind", dir.file("tls")]);
      return bound;
    },
    message: /host\.(crt|key) failed: read-only file system/,
    hint: /--out-cert/,
  },
  {
    name: "a full file system",
    needsMount: true,
    async prepare(dir) {
      const mounted = await mountTmpfs(dir.file("tls"), "64k");
      await writePair(dir);
      await run("dd", ["if=/dev/zero", `of=${dir.file("tls/filler")}`]);
      return mounted;
    },
    message: /host\.(crt|key) failed: no space left on device/,
    hint: /free some space/,
  },
  {
    name: "a bind-mounted file",
    needsMount: true,
    async prepare(dir) {
      await Deno.copyFile(dir.file("tls/host.key"), dir.file("outside"));
      return await mount(dir.file("tls/host.key"), [
        ...["--bind", dir.file("outside")],
      ]);
    },
    message: /cannot replace .*host\.key: it is a mount point/,
    hint: /--in-place/,
  },
];

async function writePair(dir: TempDir): Promise<void> {
  await Deno.writeTextFile(dir.file("tls/host.crt"), pki.host.certificate);
  await Deno.writeTextFile(dir.file("tls/host.key"), pki.host.key);
}

for (const { name, needsMount, prepare, message, hint } of REFUSALS) {
  Deno.test({
    name: `ca rekey refuses ${name} before it asks the CA (needs mount)`,
    ignore: needsMount === true && !CAN_MOUNT,
    async fn() {
      await using dir = await tempDir();
      await Deno.mkdir(dir.file("tls"));
      await writePair(dir);
      const asked = { count: 0 };
      await using ca = tcpPeer(() => {
        asked.count++;
        return Promise.resolve();
      });
      await using _undo = await prepare(dir);
      const { code, stderr } = await rekey(dir, ca.port, []);
      assertEquals(code, 73, stderr);
      assertMatch(stderr, message);
      assertMatch(stderr, hint);
      assertEquals(asked.count, 0, "the CA was asked");
      assertEquals(
        await Deno.readTextFile(dir.file("tls/host.key")),
        pki.host.key,
      );
      const names = await Array.fromAsync(Deno.readDir(dir.file("tls")));
      assertEquals(names.filter((entry) => entry.name.startsWith(".")), []);
    },
  });
}

Deno.test("ca rekey refuses a directory as target before it asks the CA", async () => {
  await using dir = await tempDir();
  await Deno.mkdir(dir.file("tls"));
  await Deno.mkdir(dir.file("out"));
  await writePair(dir);
  const asked = { count: 0 };
  await using ca = tcpPeer(() => {
    asked.count++;
    return Promise.resolve();
  });
  const { code, stderr } = await rekey(dir, ca.port, [
    ...["--out-key", dir.file("out"), "--out-cert", dir.file("tls/new.crt")],
  ]);
  assertEquals(code, 73, stderr);
  assertMatch(
    stderr,
    /^flag '--out-key' names a file, and ".*out" is a directory/,
  );
  assertEquals(asked.count, 0, "the CA was asked");
});

Deno.test({
  name:
    "ca rekey --in-place overwrites a bind-mounted file only after the CA's answer (needs mount)",
  ignore: !CAN_MOUNT,
  async fn() {
    await using dir = await tempDir();
    await Deno.mkdir(dir.file("tls"));
    await writePair(dir);
    const asked = { count: 0 };
    await using ca = tcpPeer(() => {
      asked.count++;
      return Promise.resolve();
    });
    await Deno.copyFile(dir.file("tls/host.key"), dir.file("outside"));
    await using _bound = await mount(dir.file("tls/host.key"), [
      ...["--bind", dir.file("outside")],
    ]);
    const { code, stderr } = await rekey(dir, ca.port, ["--in-place"]);
    // The listener hangs up: the CA was asked, and nothing is written.
    assertEquals(code, 69, stderr);
    assertEquals(asked.count > 0, true);
    assertEquals(await Deno.readTextFile(dir.file("outside")), pki.host.key);
  },
});

function rekey(
  dir: TempDir,
  port: number,
  flags: readonly string[],
): ReturnType<typeof runProgram> {
  return runProgram([
    ...["ca", "rekey", "--force", "--ca-url", `https://127.0.0.1:${port}`],
    ...["--root", pki.root.certificateFile, ...flags],
    ...[dir.file("tls/host.crt"), dir.file("tls/host.key")],
  ], { env: { STEPPATH: dir.file("none") } });
}
