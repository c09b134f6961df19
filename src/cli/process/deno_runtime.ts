/**
 * The real runtime: wall clock, chance, terminal and log of this process.
 */
import { jsonLog } from "../../observe/json_log.ts";
import { daemonLog, type LogSinks, oneShotLog } from "../../observe/log.ts";
import type { LogFormat, RunMode } from "../../base/options.ts";
import type { Hint } from "../../base/remedy.ts";
import type { Clock, Log, Runtime } from "../../base/runtime.ts";
import type { Questions } from "./terminal.ts";
import { pause } from "../../base/stoppable.ts";
import { hintText } from "../remedies.ts";
import type { LossText } from "./output_queue.ts";
import { processSignals } from "./signals.ts";
import { type Program, takesCodes, type TextSink } from "./program.ts";

/** What decides how this process logs. */
export interface LogChoice {
  readonly run: RunMode["run"];
  /** The certificate's path, which every line of `json` names. */
  readonly file: string;
  readonly format?: LogFormat | undefined;
}

/** Where the log goes. */
export type Output = Pick<
  Program,
  "stdout" | "stderr" | "flush" | "speaker"
>;

/** A runtime whose log is written in the background. */
export interface DenoRuntime extends Runtime {
  /**
   * Waits until the lines so far are out, so that those of a hook stand behind
   * them; not for long when nobody reads.
   */
  flushLog(): Promise<void>;
}

/** The runtime of a command that works once, with the signal that ends it. */
export interface SingleRun extends DenoRuntime {
  readonly signal: AbortSignal;
}

/**
 * Listens to signals from now on: once in a process.
 *
 * @param file that messages are about
 */
export function singleRun(file: string, output: Output): SingleRun {
  const { stop: signal } = processSignals("once");
  return { ...denoRuntime({ run: "once", file }, output), signal };
}

/** How long a hook or a question waits for the lines before it, in ms. */
const FLUSH_MS = 1_000;

/** The runtime of this process, with the log that is asked for. */
export function denoRuntime(choice: LogChoice, output: Output): DenoRuntime {
  const { stdout, stderr, speaker } = output;
  const flushLog = () => output.flush(FLUSH_MS);
  const words = (hint: Hint) => hintText(hint, speaker);
  return {
    clock: wallClock(),
    random: Math.random,
    terminal: {
      ...behindLog(flushLog),
      // Who reads JSON is no person.
      busy: (what) => busyLine(what, choice.format === "json" ? [] : [stderr]),
    },
    log: logFor(choice, {
      out: (text) => stdout.write(text, loss(choice, "standard output")),
      err: (text) => stderr.write(text, loss(choice, "standard error")),
      hintText: words,
    }),
    flushLog,
  };
}

/** A warning in the form of the log, in the place of lines that were dropped. */
function loss(choice: LogChoice, stream: string): LossText {
  return (count) => {
    let line = "";
    const out = (text: string) => line += text;
    const lines = count === 1 ? "1 line" : `${count} lines`;
    const was = count === 1 ? "was" : "were";
    logFor(choice, { out, err: out, hintText: String }).write({
      event: "warning",
      message: `${lines} of the log ${was} dropped: nobody reads ${stream}`,
    });
    return line;
  };
}

/** How long something takes before a person wonders, in ms. */
const BUSY_MS = 1_000;

/** A line that goes away again, on each of `sinks` that is a terminal. */
function busyLine(what: string, sinks: readonly TextSink[]): Disposable {
  const text = `${what} …`;
  const terminals = sinks.filter((sink) => sink.isTerminal());
  const over = new AbortController();
  let isShown = false;
  if (terminals.length > 0) {
    const show = () => {
      isShown = true;
      for (const sink of terminals) sink.write(text);
    };
    AbortSignal.timeout(BUSY_MS)
      .addEventListener("abort", show, { signal: over.signal });
  }
  return {
    [Symbol.dispose]() {
      over.abort();
      // Without codes, so on any terminal.
      const blank = `\r${" ".repeat(text.length)}\r`;
      if (isShown) { for (const sink of terminals) sink.write(blank); }
    },
  };
}

/** Asks when the lines so far are out. */
function behindLog(flushLog: () => Promise<void>): Questions {
  const terminal = async () => {
    const { denoTerminal } = await import("./terminal.ts");
    await flushLog();
    return denoTerminal();
  };
  return {
    confirm: async (...question) => (await terminal()).confirm(...question),
    readPassword: async (...label) => (await terminal()).readPassword(...label),
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
  return { now: () => new Date(), sleep: pause };
}
