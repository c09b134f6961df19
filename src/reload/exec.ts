/**
 * --exec: split like a shell, run without one.
 *
 * The program inherits standard input, output, error, environment and working
 * directory; nothing about the certificate is passed, as in the original.
 */
import { RekeyError } from "../errors.ts";
import { osReason } from "../os_error.ts";

export { splitCommand } from "./split_command.ts";

/** How long a stopped program may take to end before it is killed, in ms. */
const GRACE_MS = 10_000;

/**
 * Runs a program to its end. Messages are those of Go's os/exec, which the
 * original prints.
 *
 * @param words program and arguments, at least one word
 * @param signal ends the program with SIGTERM, and after 10 s with SIGKILL
 * @throws {RekeyError} kind `hook` with the program's own exit code, 255 when a
 *   signal killed it, 1 when it could not be started; kind `interrupted` when
 *   `signal` aborts
 */
export async function runCommand(
  words: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  const [program = "", ...args] = words;
  if (signal.aborted) {
    throw interrupted(signal, "before --exec: the new pair is installed");
  }
  const status = await waitFor(start(program, args), signal);
  if (signal.aborted) {
    throw interrupted(signal, "during --exec: the new pair is installed");
  }
  if (status.signal !== null) {
    throw new RekeyError("hook", `signal: ${describeSignal(status.signal)}`, {
      exitCode: 255,
    });
  }
  if (status.code !== 0) {
    throw new RekeyError("hook", `exit status ${status.code}`, {
      exitCode: status.code,
    });
  }
}

function start(program: string, args: string[]): Deno.ChildProcess {
  try {
    return new Deno.Command(program, {
      args,
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
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

async function waitFor(
  child: Deno.ChildProcess,
  signal: AbortSignal,
): Promise<Deno.CommandStatus> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = () => {
    endChild(child, "SIGTERM");
    timer = setTimeout(() => endChild(child, "SIGKILL"), GRACE_MS);
  };
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await child.status;
  } finally {
    signal.removeEventListener("abort", stop);
    clearTimeout(timer);
  }
}

function endChild(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch (error) {
    // It has just ended by itself, which is what was wanted.
    const hasEnded = error instanceof Deno.errors.NotFound ||
      error instanceof TypeError;
    if (!hasEnded) throw error;
  }
}

function interrupted(signal: AbortSignal, when: string): RekeyError {
  const { reason } = signal;
  const [by, exitCode] = reason instanceof RekeyError
    ? [reason.message, reason.exitCode]
    : ["stopped", undefined];
  return new RekeyError("interrupted", `${by} ${when}`, {
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
