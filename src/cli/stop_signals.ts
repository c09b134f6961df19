/**
 * The signals that end a run, and the error that says so.
 */
import { RekeyError } from "../errors.ts";

const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

/** A signal that a person or a supervisor ends us with. */
export type StopSignal = keyof typeof NUMBERS;

/** Those that this system has: Windows knows only Ctrl-C and Ctrl-Break. */
export function stopSignals(): readonly StopSignal[] {
  return Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGHUP", "SIGINT", "SIGTERM"];
}

/** Kind `interrupted`, with 128 + the signal's number. */
export function stoppedBy(name: StopSignal): RekeyError {
  return new RekeyError("interrupted", `stopped by ${name}`, {
    exitCode: 128 + NUMBERS[name],
  });
}
