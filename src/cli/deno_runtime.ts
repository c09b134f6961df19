/**
 * The real runtime: wall clock, chance, terminal and log of this process.
 */
import { daemonLog, oneShotLog } from "../observe/log.ts";
import type { RunMode } from "../options.ts";
import { isOsError } from "../os_error.ts";
import type { Clock, Runtime } from "../runtime.ts";
import { denoTerminal } from "./terminal.ts";
import { type SyncWriter, writeText } from "./write_text.ts";

/** Longest single timer, in ms: suspend and clock steps are noticed after it. */
const MAX_SLICE_MS = 60_000;

/** The runtime of this process, with the log that `run` asks for. */
export function denoRuntime(run: RunMode["run"]): Runtime {
  const sinks = {
    out: (text: string) => tell(Deno.stdout, text),
    err: (text: string) => tell(Deno.stderr, text),
  };
  return {
    clock: wallClock(),
    random: Math.random,
    terminal: denoTerminal(),
    log: run === "daemon"
      ? daemonLog(sinks, () => new Date())
      : oneShotLog(sinks, Deno.stderr.isTerminal() && !Deno.noColor),
  };
}

function wallClock(): Clock {
  return {
    now: () => new Date(),
    async sleep(ms, signal) {
      const end = Date.now() + ms;
      while (!signal.aborted) {
        const left = end - Date.now();
        if (left <= 0) return;
        await timer(Math.min(left, MAX_SLICE_MS), signal);
      }
    },
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
