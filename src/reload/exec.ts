/**
 * Programs that are run for the user: --exec and --exec-on-failure. Split like a
 * shell, run without one.
 *
 * A program inherits standard input, output, error, environment and working
 * directory; facts about the certificate are variables in addition. It has a
 * limit, and all that it started ends with it.
 */
import { formatGoDuration } from "../base/duration.ts";
import { RekeyError } from "../base/errors.ts";
import { osReason } from "../base/os_error.ts";
import { type ProcessGroup, startGroup } from "./process_group.ts";

export { splitCommand } from "./split_command.ts";

/** How to run a program. */
export interface RunOptions {
  /** Ends the program, and all that it started, in less than a second. */
  readonly signal: AbortSignal;
  /** Limit in ms; 0 for none. Five minutes when it is absent. */
  readonly timeoutMs?: number | undefined;
  /** A second limit in ms: when the daemon has to go on. */
  readonly mostMs?: number | undefined;
  /** Variables in addition to the environment of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /** The flag that names the program, for messages. Default `--exec`. */
  readonly flag?: "--exec" | "--exec-on-failure" | undefined;
}

/** Limit for a program, in ms: `--exec-timeout` when it is not given. */
export const DEFAULT_TIMEOUT_MS = 300_000;

/** Longest timer, in ms: above it, setTimeout fires at once. */
const MAX_TIMER_MS = 2 ** 31 - 1;

/** How long a program may take to end at its limit before it is killed, in ms. */
const GRACE_MS = 10_000;

/** The same when we are told to stop, in ms: a supervisor waits for us. */
const STOP_GRACE_MS = 500;

/** Exit code for a program that was ended; as for one that a signal killed. */
const ENDED = 255;

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
 *   signal killed it or it was ended at its limit, 1 when it could not be
 *   started; kind `interrupted` when `signal` aborts
 */
export async function runCommand(
  words: readonly string[],
  options: RunOptions,
): Promise<void> {
  const { signal, env, flag = "--exec" } = options;
  const { timeoutMs = DEFAULT_TIMEOUT_MS, mostMs = Infinity } = options;
  // 0 is no limit, and so is what no timer can wait for.
  const ownMs = timeoutMs > 0 ? timeoutMs : Infinity;
  const limitMs = Math.min(ownMs, mostMs);
  const [program = "", ...args] = words;
  if (signal.aborted) throw interrupted(signal, "before", flag);
  const group = start(program, { args, env });
  const end = await endOf(group, { signal, limitMs });
  if (end === "stopped") throw interrupted(signal, "during", flag);
  if (end === "too long") {
    throw new RekeyError(
      "hook",
      `${flag} did not end within ${
        formatGoDuration(BigInt(Math.round(limitMs * 1e6)))
      }: ended it and all that it started`,
      {
        exitCode: ENDED,
        hint: mostMs < ownMs
          ? "the next rekey would have had to wait for it"
          : "--exec-timeout sets the limit",
      },
    );
  }
  if (end.signal !== null) {
    throw new RekeyError("hook", `signal: ${describeSignal(end.signal)}`, {
      exitCode: ENDED,
    });
  }
  if (end.code !== 0) {
    throw new RekeyError("hook", `exit status ${end.code}`, {
      exitCode: end.code,
    });
  }
}

function start(
  program: string,
  options: {
    readonly args: readonly string[];
    readonly env: RunOptions["env"];
  },
): ProcessGroup {
  try {
    return startGroup(program, options);
  } catch (error) {
    const message = isMissing(program, error)
      ? `exec: ${JSON.stringify(program)}: executable file not found in $PATH`
      : `fork/exec ${program}: ${osReason(error)}`;
    throw new RekeyError("hook", message, { exitCode: 1, cause: error });
  }
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
  { signal, limitMs }: {
    readonly signal: AbortSignal;
    readonly limitMs: number;
  },
): Promise<Deno.CommandStatus | "stopped" | "too long"> {
  using timers = new DisposableStack();
  const after = (ms: number) =>
    new Promise<void>((resolve) =>
      timers.adopt(setTimeout(resolve, ms), clearTimeout)
    );
  const stopped = new Promise<void>((resolve) => {
    const onAbort = () => resolve();
    signal.addEventListener("abort", onAbort);
    timers.defer(() => signal.removeEventListener("abort", onAbort));
  });
  const end = await Promise.race([
    group.status,
    stopped.then(() => "stopped" as const),
    ...limitMs <= MAX_TIMER_MS
      ? [after(limitMs).then(() => "too long" as const)]
      : [],
  ]);
  if (typeof end === "object") return end;
  // A supervisor that stops us in the long grace does not want to wait for it.
  await group.end(Promise.race([
    stopped.then(() => after(STOP_GRACE_MS)),
    after(GRACE_MS),
  ]));
  return signal.aborted ? "stopped" : end;
}

function interrupted(
  { reason }: AbortSignal,
  when: "before" | "during",
  flag: NonNullable<RunOptions["flag"]>,
): RekeyError {
  const [by, exitCode] = reason instanceof RekeyError
    ? [reason.message, reason.exitCode]
    : ["stopped", undefined];
  const installed = flag === "--exec" ? ": the new pair is installed" : "";
  return new RekeyError("interrupted", `${by} ${when} ${flag}${installed}`, {
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

function describeSignal(name: string): string {
  return SIGNAL_WORDS[name] ?? name;
}
