/**
 * What readers see while a pair is rotated: a process that reads the files all
 * the time, and clients of a real nginx that is reloaded after each rotation.
 *
 * The suite does a few rotations; `deno task sweep` does 200.
 */
import { fromFileUrl } from "../../scripts/paths.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { nginxMissing, startNginx } from "../support/nginx_server.ts";
import { serialOf } from "../support/openssl_reads.ts";
import { runProgram } from "../support/program.ts";
import type { ReaderCounts } from "../support/reader_child.ts";
import { startStepCa, stepCaMissing } from "../support/step_ca.ts";
import { howMany } from "../support/sweep.ts";
import { tempDir } from "../support/temp_dir.ts";

const missing = stepCaMissing ??
  (nginxMissing ? "nginx is not installed" : undefined);
const because = missing === undefined ? "" : ` (ignored: ${missing})`;

const ROTATIONS = howMany(5, 200);
const LEAST_READS = 50 * ROTATIONS;
const LEAST_HANDSHAKES = 5 * ROTATIONS;

const READER = fromFileUrl(
  new URL("../support/reader_child.ts", import.meta.url),
);

/** Reads until it is stopped. */
function startReader(certificate: string, key: string): {
  readonly ready: Promise<void>;
  stop(): Promise<ReaderCounts>;
} {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "--no-config", READER, certificate, key],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const said = { text: "" };
  const ready = Promise.withResolvers<void>();
  const drained = (async () => {
    for await (
      const text of child.stdout.pipeThrough(new TextDecoderStream())
    ) {
      said.text += text;
      if (said.text.includes("ready\n")) ready.resolve();
    }
    ready.reject(new Error(`the reader ended: ${said.text}`));
  })();
  return {
    ready: ready.promise,
    async stop() {
      await child.stdin.close();
      await Promise.all([child.status, drained]);
      return JSON.parse(said.text.slice("ready\n".length));
    },
  };
}

/** Verified handshakes until it is stopped; the first failure ends it. */
function startClients(port: number, root: string): {
  stop(): Promise<number>;
} {
  const state = { isStopped: false, count: 0 };
  const work = (async () => {
    while (!state.isStopped || state.count < LEAST_HANDSHAKES) {
      using connection = await Deno.connectTls({
        hostname: "127.0.0.1",
        port,
        caCerts: [root],
      });
      await connection.handshake();
      state.count++;
    }
  })();
  // Seen by stop().
  work.catch(() => {});
  return {
    async stop() {
      state.isStopped = true;
      await work;
      return state.count;
    },
  };
}

for (const layout of ["plain", "versioned"] as const) {
  Deno.test({
    name:
      `readers of a pair that is rotated see whole files, and a server that is reloaded answers always: ${layout}${because}`,
    ignore: missing !== undefined,
    async fn() {
      await using dir = await tempDir();
      await Deno.mkdir(dir.file("ca"));
      await Deno.mkdir(dir.file("tls"));
      await using ca = await startStepCa(dir.file("ca"));
      const pair = await ca.issue("host", "admin", {
        names: "IP:127.0.0.1",
      });
      const certificate = dir.file("tls/internal.crt");
      const key = dir.file("tls/internal.key");
      await Deno.writeTextFile(certificate, pair.certificate);
      await Deno.writeTextFile(key, pair.key, { mode: 0o600 });
      if (layout === "versioned") {
        const changed = await runProgram([
          ...["ca", "layout", "versioned", certificate, key],
        ]);
        assertEquals(changed.code, 0, changed.stderr);
      }
      await using nginx = await startNginx(dir.file("tls"));
      await nginx.shows(await serialOf(certificate));
      const reader = startReader(certificate, key);
      await reader.ready;
      const root = await Deno.readTextFile(ca.rootFile);
      const clients = startClients(nginx.port, root);
      for (let rotation = 1; rotation <= ROTATIONS; rotation++) {
        const { code, stderr } = await runProgram([
          ...["ca", "rekey", "--force", "--ca-url", ca.url],
          ...["--root", ca.rootFile, "--exec", `${nginx.bin}/nginx -s reload`],
          ...[certificate, key],
        ], { env: { STEPPATH: dir.file("none") } });
        assertEquals(code, 0, `rotation ${rotation}: ${stderr}`);
      }
      const counts = await reader.stop();
      const handshakes = await clients.stop();
      console.log(
        `${layout}: ${ROTATIONS} rotations, ${counts.reads} reads, ${counts.torn} torn, ${counts.mixed} mixed, ${handshakes} handshakes`,
      );
      assert(counts.reads >= LEAST_READS, `only ${counts.reads} reads`);
      assertEquals(counts.torn, 0, "torn files");
      // Between its two renames the plain layout cannot do better.
      if (layout === "versioned") assertEquals(counts.mixed, 0, "mixed pairs");
      assert(handshakes >= LEAST_HANDSHAKES, `only ${handshakes} handshakes`);
      await nginx.shows(await serialOf(certificate));
    },
  });
}
