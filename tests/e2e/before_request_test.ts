/**
 * What has to be true before the CA is asked, although it goes on beside other
 * work: the disk has the space for the new pair.
 */
import { assert, assertEquals } from "../support/assert.ts";
import { program } from "../support/program.ts";
import { run } from "../support/run.ts";
import { callsOf, CAN_TRACE } from "../support/strace.ts";
import { tempDir } from "../support/temp_dir.ts";
import { makeTestPki, rightAnswer, startTestCa } from "../support/test_ca.ts";

for (const layout of ["plain", "versioned"]) {
  Deno.test({
    name:
      `ca rekey connects to the CA after every fsync of what it staged, in their order (${layout}, needs strace)`,
    ignore: !CAN_TRACE,
    async fn() {
      await using dir = await tempDir();
      const pki = await makeTestPki(dir.path);
      await using ca = await startTestCa(pki, rightAnswer(pki));
      const { command, args } = program();
      const log = dir.file("log");
      const { code, stderr } = await run("strace", [
        ...["-f", "-qq", "-y", "-o", log, "-e", "trace=fsync,connect"],
        ...[command, ...args, "ca", "rekey", "--force", "--layout", layout],
        ...["--ca-url", ca.url, "--root", pki.root.certificateFile],
        ...[pki.host.certificateFile, pki.host.keyFile],
      ], {
        env: { STEPPATH: dir.file("none"), DENO_NO_UPDATE_CHECK: "1" },
      });
      assertEquals(code, 0, stderr);
      const calls = callsOf(await Deno.readTextFile(log));
      const asked = calls.findIndex((call) =>
        call.startsWith("connect(") && call.includes(`htons(${ca.port})`)
      );
      assert(asked >= 0, "no connection to the CA");
      const synced = (from: number, to: number) =>
        calls.slice(from, to).flatMap((call) => shownFile(call, dir.path));
      const staged = layout === "plain"
        ? [".host.key.*.new", ".host.crt.*.new", ".host.crt.*.journal", ""]
        : [".key.pem.*.new", ".certificate.pem.*.new"];
      assertEquals(synced(0, asked).slice(-staged.length), staged);
      // What follows writes the same files for good.
      assertEquals(synced(asked, calls.length).slice(0, 2), staged.slice(0, 2));
    },
  });
}

/** The name of the synced file without its tag; empty for a folder of the pair. */
function shownFile(call: string, directory: string): readonly string[] {
  const path = /^fsync\(\d+<([^>]*)>\) += 0$/.exec(call)?.[1] ?? "";
  if (!path.startsWith(directory)) return [];
  const name = path.slice(path.lastIndexOf("/") + 1);
  return [name.startsWith(".") ? name.replace(/[0-9a-f]{16}/, "*") : ""];
}
