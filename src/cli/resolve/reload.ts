/**
 * How to tell the service: --pid, --pid-file, --signal, --exec and what belongs
 * to them. Errors are of kind `usage`.
 */
import type { ReloadOptions } from "../../base/options.ts";
import { RekeyError } from "../../base/errors.ts";
import { ShellSyntaxError, splitCommand } from "../../reload/split_command.ts";
import type { FlagReader } from "./flag_reader.ts";

/** SIGHUP, which services take as "read your files again". */
const DEFAULT_SIGNAL = 1n;
/** The signals that POSIX systems share end here; what follows is real-time. */
export const LAST_SIGNAL = 31n;
/** More than a daemon lives for. */
const MOST_ATTEMPTS = 1_000_000n;
/** Process ids are signed 32-bit numbers (pid_t). */
const LAST_PID = 2n ** 31n - 1n;

/**
 * Whom to signal. The pid-file is not read here: what it says may be another
 * process by the time of the signal.
 */
export function resolveSignal(flags: FlagReader): ReloadOptions["signal"] {
  const { pid, signal = DEFAULT_SIGNAL } = flags.values;
  if (flags.isSet("pid") && flags.isSet("pid-file")) {
    throw flags.usage(
      "flag '--pid' and flag '--pid-file' are mutually exclusive",
      { flags: ["pid", "pid-file"] },
    );
  }
  if (pid !== undefined && (pid <= 0n || pid > LAST_PID)) {
    throw flags.invalid("pid");
  }
  if (signal <= 0n || signal > LAST_SIGNAL) {
    throw flags.invalid(
      "signal",
      undefined,
      { hint: `name a signal by its number, 1 to ${LAST_SIGNAL}; SIGHUP is 1` },
    );
  }
  const number = Number(signal);
  if (pid !== undefined) return { target: { pid: Number(pid) }, number };
  const pidFile = flags.text("pid-file");
  if (pidFile !== undefined) return { target: { pidFile }, number };
  // --signal alone is accepted and has no use, as in the original.
  return undefined;
}

/** The programs, their limit and their number of tries. */
export function resolveHooks(
  flags: FlagReader,
): Omit<ReloadOptions, "signal"> {
  return {
    exec: resolveCommand(flags, "exec"),
    onFailure: resolveCommand(flags, "exec-on-failure"),
    execTimeoutMs: flags.limitMs("exec-timeout", { mayBeZero: true }),
    attempts: resolveAttempts(flags),
  };
}

function resolveCommand(
  flags: FlagReader,
  flag: "exec" | "exec-on-failure",
): readonly string[] | undefined {
  const command = flags.text(flag);
  if (command === undefined) return undefined;
  if (command.includes("\0")) {
    throw flags.invalid(flag, "no word of a command can hold a NUL character");
  }
  try {
    const words = splitCommand(command, flag);
    return words.length === 0 ? undefined : words;
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    const hint = error instanceof ShellSyntaxError
      ? `use --${flag} "sh -c '…'", or quote the word to pass it as it is`
      : error.hint;
    throw flags.usage(error.message, { flags: [flag], hint, keepHint: true });
  }
}

function resolveAttempts(flags: FlagReader): number | undefined {
  const attempts = flags.values["reload-attempts"];
  if (attempts === undefined) return undefined;
  if (attempts < 0n || attempts > MOST_ATTEMPTS) {
    throw flags.invalid("reload-attempts");
  }
  // From a variable or a file it is a default for daemons.
  if (flags.values.daemon !== true && flags.isTyped("reload-attempts")) {
    throw flags.usage("flag '--reload-attempts' requires the '--daemon' flag", {
      flags: ["reload-attempts"],
      hint:
        "a single run tries once, and the next run delivers what is still pending",
    });
  }
  return Number(attempts);
}
