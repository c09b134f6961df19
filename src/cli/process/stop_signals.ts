/**
 * The signals that end a run, and the error that says so.
 */
import { RekeyError } from "../../base/errors.ts";
import type { RunMode } from "../../base/options.ts";
import { bestEffort } from "../../base/os_error.ts";

const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** A signal that a person or a supervisor ends us with. */
export type StopSignal = keyof typeof NUMBERS;

/** Those that this system has: Windows knows only Ctrl-C and Ctrl-Break. */
export function systemSignals(): readonly StopSignal[] {
  return Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGHUP", "SIGINT", "SIGTERM"];
}

/**
 * Those that end a run of this kind: a daemon takes SIGHUP for a wish, and a
 * single run under nohup(1), which ignores it, goes on.
 */
export function stopSignals(run: RunMode["run"]): readonly StopSignal[] {
  return systemSignals().filter((name) =>
    name !== "SIGHUP" || (run === "once" && !isHangupIgnored())
  );
}

/** By the mask that Linux shows, until the first listener of any signal. */
function isHangupIgnored(): boolean {
  let mask = "0";
  bestEffort(() => {
    const status = Deno.readTextFileSync("/proc/self/status");
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
