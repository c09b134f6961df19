/**
 * Programs that are run for the user: the hook after a rekey, and the one after
 * a failure. No shell is involved.
 *
 * A program inherits standard input, output, error, environment and working
 * directory; facts about the certificate are variables in addition. It has a
 * limit, and all that it started ends with it.
 */
import { formatDurationMs } from "../base/duration.ts";
import { RekeyError } from "../base/errors.ts";
import { osReason } from "../base/os_error.ts";
import { shortened } from "../base/printable.ts";
import { pause } from "../base/stoppable.ts";
import {
  type GroupOptions,
  type ProcessGroup,
  startGroup,
} from "./process_group.ts";

export interface RunOptions {
  /** What messages call it: `--exec`. */
  readonly name: string;
  /** Ends the program, and all that it started, in less than a second. */
  readonly signal: AbortSignal;
  /** Limit in ms; 0 for none. Default: {@linkcode DEFAULT_TIMEOUT_MS}. */
  readonly timeoutMs?: number | undefined;
  /** A second limit in ms: when the caller has to go on. */
  readonly mostMs?: number | undefined;
  /** Variables in addition to the environment of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** Limit for a program when none is given, in ms: five minutes. */
export const DEFAULT_TIMEOUT_MS = 300_000;

/** Time between SIGTERM and SIGKILL for a program at its limit, in ms. */
const GRACE_MS = 10_000;

/** The same when this process is told to stop, in ms: a supervisor waits for it. */
const STOP_GRACE_MS = 500;

/** Exit code for a program that was ended; as for one that a signal killed. */
const ENDED = 255;

/** Exit codes of a shell for a program that it cannot start (IEEE 1003.1 2.8.2). */
export const NOT_FOUND = 127;
export const NOT_EXECUTABLE = 126;

/**
 * Runs a program to its end. Messages are those of Go's os/exec, which the
 * original prints.
 *
 * What the program leaves running when it ends by itself lives on, and is not
 * waited for. At the limit its process group gets SIGTERM, and SIGKILL 10 s
 * later; when `signal` aborts, half a second later.
 *
 * @param words program and arguments, at least one word
 * @throws {RekeyError} kind `hook` with the program's own exit code, 255 when a
 *   signal killed it or it was ended at its limit, 127 when it was not found,
 *   126 when it could not be started; kind `interrupted` when `signal` aborts
 */
export async function runCommand(
  words: readonly string[],
  options: RunOptions,
): Promise<void> {
  const { signal, env, name } = options;
  const { timeoutMs = DEFAULT_TIMEOUT_MS, mostMs = Infinity } = options;
  // 0 is no limit, and so is what no timer can wait for.
  const ownMs = timeoutMs > 0 ? timeoutMs : Infinity;
  const limitMs = Math.min(ownMs, mostMs);
  const [program = "", ...args] = words;
  if (signal.aborted) throw interrupted("before", options);
  const group = start(program, { args, env });
  const end = await endOf(group, signal, limitMs);
  if (end === "stopped") throw interrupted("during", options);
  if (end === "too long") {
    throw new RekeyError(
      "hook",
      `${name} did not end within ${
        formatDurationMs(limitMs)
      }: ended it and all that it started`,
      {
        exitCode: ENDED,
        hint: mostMs < ownMs
          ? "the next rekey would have had to wait for it"
          : { remedy: "longer hook limit" },
      },
    );
  }
  if (end.signal !== null) {
    const word = SIGNAL_WORDS[end.signal] ?? end.signal;
    throw new RekeyError("hook", `signal: ${word}`, { exitCode: ENDED });
  }
  if (end.code !== 0) {
    throw new RekeyError("hook", `exit status ${end.code}`, {
      exitCode: end.code,
    });
  }
}

function start(program: string, options: GroupOptions): ProcessGroup {
  try {
    return startGroup(program, options);
  } catch (error) {
    throw notStarted("hook", program, error);
  }
}

/**
 * Why a program could not be started, with the exit code of a shell.
 *
 * @param error what Deno.Command threw
 */
export function notStarted(
  kind: "hook" | "usage",
  program: string,
  error: unknown,
): RekeyError {
  const name = shortened(program);
  const message = isMissing(program, error)
    ? `exec: ${JSON.stringify(name)}: executable file not found in $PATH`
    : `fork/exec ${name}: ${osReason(error)}`;
  const exitCode = isMissing(program, error) ||
      error instanceof Deno.errors.NotFound
    ? NOT_FOUND
    : NOT_EXECUTABLE;
  return new RekeyError(kind, message, { exitCode, cause: error });
}

/** A name without a slash is looked up in $PATH; files that may not run do not count. */
function isMissing(program: string, error: unknown): boolean {
  return !program.includes("/") &&
    (error instanceof Deno.errors.PermissionDenied ||
      // Without a system error, since no program was run: the interpreter of a
      // script that was found may be missing as well.
      (error instanceof Deno.errors.NotFound &&
        !error.message.includes("(os error")));
}

/** How it ended by itself, or why it was ended; then all of it is gone. */
async function endOf(
  group: ProcessGroup,
  signal: AbortSignal,
  limitMs: number,
): Promise<Deno.CommandStatus | "stopped" | "too long"> {
  const over = new AbortController();
  const stoppedOrOver = AbortSignal.any([signal, over.signal]);
  const grace = async () => {
    await pause(GRACE_MS, stoppedOrOver);
    // A supervisor that stops this process in the long grace does not wait for it.
    if (signal.aborted) await pause(STOP_GRACE_MS, over.signal);
  };
  try {
    const end = await Promise.race([
      group.status,
      pause(limitMs, stoppedOrOver),
    ]);
    if (end !== undefined) return end;
    await group.end(grace());
    return signal.aborted ? "stopped" : "too long";
  } finally {
    over.abort();
  }
}

function interrupted(
  when: "before" | "during",
  { signal: { reason }, name }: RunOptions,
): RekeyError {
  const [by, exitCode] = reason instanceof RekeyError
    ? [reason.message, reason.exitCode]
    : ["stopped", undefined];
  return new RekeyError("interrupted", `${by} ${when} ${name}`, {
    exitCode,
    cause: reason,
  });
}

/** The words of Go's syscall.Signal.String() on Linux. */
const SIGNAL_WORDS: Readonly<Record<string, string>> = {
  SIGHUP: "hangup",
  SIGINT: "interrupt",
  SIGQUIT: "quit",
  SIGILL: "illegal instruction",
  SIGTRAP: "trace/breakpoint trap",
  SIGABRT: "aborted",
  SIGBUS: "bus error",
  SIGFPE: "floating point exception",
  SIGKILL: "killed",
  SIGUSR1: "user defined signal 1",
  SIGSEGV: "segmentation fault",
  SIGUSR2: "user defined signal 2",
  SIGPIPE: "broken pipe",
  SIGALRM: "alarm clock",
  SIGTERM: "terminated",
  SIGSTKFLT: "stack fault",
  SIGXCPU: "CPU time limit exceeded",
  SIGXFSZ: "file size limit exceeded",
  SIGVTALRM: "virtual timer expired",
  SIGPROF: "profiling timer expired",
  SIGPOLL: "I/O possible",
  SIGIO: "I/O possible",
  SIGPWR: "power failure",
  SIGSYS: "bad system call",
};
