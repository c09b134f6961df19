/**
 * Signals of this process as AbortSignals, and as the error that says which one
 * ended it.
 *
 * One-shot: HUP (unless it is ignored, as under nohup), INT and TERM end the run
 * before the swap, with 128 + number.
 * Daemon: INT and TERM end it, HUP means "rekey now".
 */
import { RekeyError } from "../../base/errors.ts";
import type { RunMode } from "../../base/options.ts";
import { bestEffort } from "../../base/os_error.ts";
import { procFile } from "../../base/proc_file.ts";
import type { DaemonSignals } from "../../daemon/wait.ts";

/**
 * Listens to the signals that a run of this kind handles, to the end of the
 * process: one that comes behind the swap must not end it with a code that says
 * otherwise.
 */
export function processSignals(run: RunMode["run"]): DaemonSignals {
  const stop = new AbortController();
  const wake = { controller: new AbortController() };
  const ending = stopSignals(run);
  // Each of them, also one that is ignored: with the first listener the runtime
  // takes all of them, and those without one end the process.
  for (const name of systemSignals()) {
    Deno.addSignalListener(name, () => {
      if (ending.includes(name)) stop.abort(stoppedBy(name));
      else wake.controller.abort();
    });
  }
  return {
    stop: stop.signal,
    wake: () => wake.controller.signal,
    clearWake() {
      if (wake.controller.signal.aborted) {
        wake.controller = new AbortController();
      }
    },
  };
}

const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

type StopSignal = keyof typeof NUMBERS;

/** Those that this system has: Windows knows only Ctrl-C and Ctrl-Break. */
function systemSignals(): readonly StopSignal[] {
  return Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGHUP", "SIGINT", "SIGTERM"];
}

/**
 * Those that end a run of this kind: SIGHUP tells a daemon to rekey now, and a
 * single run under nohup(1), which ignores it, goes on.
 */
function stopSignals(run: RunMode["run"]): readonly StopSignal[] {
  return systemSignals().filter((name) =>
    name !== "SIGHUP" || (run === "once" && !isHangupIgnored())
  );
}

/** By the mask that Linux shows, until the first listener of any signal. */
function isHangupIgnored(): boolean {
  let mask = "0";
  bestEffort(() => {
    const status = procFile("self/status");
    mask = /^SigIgn:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? "0";
  });
  return /[13579bdf]$/.test(mask);
}

/** Kind `interrupted`, with 128 + the signal's number. */
export function stoppedBy(name: StopSignal): RekeyError {
  return new RekeyError("interrupted", `stopped by ${name}`, {
    exitCode: 128 + NUMBERS[name],
  });
}
