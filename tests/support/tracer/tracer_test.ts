import { assertEquals } from "../assert.ts";
import { runOk } from "../run.ts";
import { tempDir } from "../temp_dir.ts";
import { trace, tracerMissing } from "./tracer.ts";

/**
 * Exits at SIGTERM, while another thread opens a pipe: that waits for a reader,
 * which never comes.
 */
const SCRIPT = `
import os, signal, sys, threading
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
threading.Thread(target=lambda: open(sys.argv[1], "w")).start()
signal.sigwait([signal.SIGTERM])
os._exit(3)
`;

Deno.test({
  name: "trace() tells of a call that never returned, since its process ended" +
    (tracerMissing === undefined ? "" : ` (ignored: ${tracerMissing})`),
  ignore: tracerMissing !== undefined,
  async fn() {
    await using dir = await tempDir();
    await Deno.mkdir(dir.file("traced"));
    const pipe = dir.file("traced/pipe");
    await runOk("mkfifo", [pipe]);
    const { code, hit, points } = await trace(["python3", "-c", SCRIPT, pipe], {
      directories: [dir.file("traced")],
      point: 1,
      action: "signal:15",
      log: dir.file("log"),
    });
    assertEquals(code, 3);
    assertEquals([hit?.path, hit?.hit, hit?.result], [
      pipe,
      "signal:15",
      undefined,
    ]);
    assertEquals(points.length, 1);
  },
});
