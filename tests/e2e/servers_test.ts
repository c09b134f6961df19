/**
 * Real servers, reloaded by each rekey of a daemon, against the real step-ca: a
 * client that never rests sees every new certificate, and no handshake fails.
 *
 * Twice in the suite, eight times in `deno task sweep`: the daemon holds back
 * what is asked for again and again.
 */
import { assert, assertEquals } from "../support/assert.ts";
import { startProgram } from "../support/running_program.ts";
import { shakeHands } from "../support/handshakes.ts";
import { startStepCa, stepCaMissing } from "../support/step_ca.ts";
import { howMany } from "../support/sweep.ts";
import { tempDir } from "../support/temp_dir.ts";
import { isMissing, TLS_SERVERS } from "../support/tls_servers.ts";

const ROTATIONS = howMany(2, 8);

const isAnyHere = stepCaMissing === undefined &&
  TLS_SERVERS.some((kind) => !isMissing(kind));
const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
const ca = isAnyHere ? await startStepCa(directory) : undefined;
addEventListener("unload", () => {
  ca?.kill();
  Deno.removeSync(directory, { recursive: true });
});

for (const kind of TLS_SERVERS) {
  for (const way of ["exec", "pid-file"] as const) {
    Deno.test({
      name:
        `${kind.name} shows each new certificate, told by --${way} (needs ${kind.program})`,
      ignore: ca === undefined || isMissing(kind),
      async fn() {
        if (ca === undefined) throw new Error("step-ca is missing");
        await using dir = await tempDir();
        // PostgreSQL runs as somebody else.
        await Deno.chmod(dir.path, 0o755);
        const pair = await ca.issue(`${kind.name}-${way}`, "admin");
        const certificate = dir.file("host.crt");
        const key = dir.file(kind.keyName);
        await Deno.writeTextFile(certificate, pair.certificate);
        await Deno.writeTextFile(key, pair.key, { mode: 0o600 });
        await using server = await kind.start(dir.path, way);
        await using client = shakeHands(server);
        await client.show(certificate);
        await using daemon = startProgram([
          ...["ca", "rekey", "--daemon", "--ca-url", ca.url],
          ...["--root", ca.rootFile, ...server.reload, certificate, key],
        ], {
          cwd: dir.path,
          env: { STEPPATH: dir.file("none") },
          limitMs: 300_000 + 1_000 * 2 ** ROTATIONS,
        });
        await daemon.says("first rekey in");
        const seen = new Set([await Deno.readTextFile(certificate)]);
        for (let rotation = 1; rotation <= ROTATIONS; rotation++) {
          daemon.kill("SIGHUP");
          await daemon.says("certificate rekeyed, next in");
          await client.show(certificate);
          seen.add(await Deno.readTextFile(certificate));
        }
        assertEquals(seen.size, ROTATIONS + 1);
        assertEquals(client.failures, []);
        assert(client.count > ROTATIONS);
      },
    });
  }
}
