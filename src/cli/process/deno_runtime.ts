/**
 * The real runtime: wall clock, chance, terminal and log of this process.
 */
import { jsonLog } from "../../observe/json_log.ts";
import { daemonLog, type LogSinks, oneShotLog } from "../../observe/log.ts";
import type { LogFormat, RunMode } from "../../base/options.ts";
import { isOsError } from "../../base/os_error.ts";
import type { Clock, Log, Runtime } from "../../base/runtime.ts";
import { denoTerminal } from "./terminal.ts";
import { hintText } from "../remedies.ts";
import { type SyncWriter, takesCodes, writeText } from "./program.ts";

/** Longest timer, in ms: above it, setTimeout fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** What decides how this process logs. */
export interface LogChoice {
  readonly run: RunMode["run"];
  /** The certificate's path, which every line of `json` names. */
  readonly file: string;
  readonly format?: LogFormat | undefined;
}

/** The runtime of this process, with the log that is asked for. */
export function denoRuntime(choice: LogChoice): Runtime {
  const sinks = {
    out: (text: string) => tell(Deno.stdout, text),
    err: (text: string) => tell(Deno.stderr, text),
    hintText,
  };
  return {
    clock: wallClock(),
    random: Math.random,
    terminal: denoTerminal(),
    log: logFor(choice, sinks),
  };
}

function logFor({ run, file, format }: LogChoice, sinks: LogSinks): Log {
  const now = () => new Date();
  if (format === "json") return jsonLog(sinks, { file, run, now });
  return run === "daemon"
    ? daemonLog(sinks, now)
    : oneShotLog(sinks, takesCodes(Deno.stderr, (name) => Deno.env.get(name)));
}

function wallClock(): Clock {
  return {
    now: () => new Date(),
    sleep: (ms, signal) => timer(Math.min(ms, MAX_TIMER_MS), signal),
  };
}

/** Resolves after `ms`, or when `signal` aborts. */
function timer(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(id);
      signal.removeEventListener("abort", done);
      resolve();
    };
    if (signal.aborted) return resolve();
    const id = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}

/** A log that cannot be written must not end the work, nor the daemon. */
function tell(stream: SyncWriter, text: string): void {
  try {
    writeText(stream, text);
  } catch (error) {
    if (!isOsError(error)) throw error;
  }
}
