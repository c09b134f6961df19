/**
 * How to tell the service: --pid, --pid-file, --signal, --exec and what belongs
 * to them.
 */
import type { ReloadOptions } from "../../base/options.ts";
import { splitCommand } from "../../reload/split_command.ts";
import type { RekeyInput } from "./input.ts";

/** SIGHUP, which services take as "read your files again". */
const DEFAULT_SIGNAL = 1n;
/** The signals that POSIX systems share end here; what follows is real-time. */
const LAST_SIGNAL = 31n;
/** A day, in ms: more is a mistake, and timers end at 24.8 days. */
const MOST_TIMEOUT_MS = 86_400_000;
/** More than a daemon lives for. */
const MOST_ATTEMPTS = 1_000_000n;
/** Process ids are signed 32-bit numbers (pid_t). */
const LAST_PID = 2n ** 31n - 1n;

/**
 * Whom to signal. The pid-file is not read here: what it says may be another
 * process by the time of the signal.
 *
 * @throws {RekeyError} kind `usage`
 */
export function resolveSignal(input: RekeyInput): ReloadOptions["signal"] {
  const { pid, signal = DEFAULT_SIGNAL } = input.flags;
  if (input.isSet("pid") && input.isSet("pid-file")) {
    throw input.usage(
      "flag '--pid' and flag '--pid-file' are mutually exclusive",
      { flags: ["pid", "pid-file"] },
    );
  }
  if (pid !== undefined && (pid <= 0n || pid > LAST_PID)) {
    throw input.invalid("pid");
  }
  if (signal <= 0n || signal > LAST_SIGNAL) {
    throw input.invalid(
      "signal",
      undefined,
      `name a signal by its number, 1 to ${LAST_SIGNAL}; SIGHUP is 1`,
    );
  }
  const number = Number(signal);
  if (pid !== undefined) return { target: { pid: Number(pid) }, number };
  const pidFile = input.text("pid-file");
  if (pidFile !== undefined) return { target: { pidFile }, number };
  // --signal alone is accepted and has no use, as in the original.
  return undefined;
}

/**
 * The programs, their limit and their number of tries; what is not set is
 * absent.
 *
 * @throws {RekeyError} kind `usage` for a quote that is not closed
 */
export function resolveHooks(input: RekeyInput): Omit<ReloadOptions, "signal"> {
  const exec = resolveCommand(input, "exec");
  const onFailure = resolveCommand(input, "exec-on-failure");
  const execTimeoutMs = resolveTimeout(input);
  const attempts = resolveAttempts(input);
  return {
    ...(exec !== undefined && { exec }),
    ...(execTimeoutMs !== undefined && { execTimeoutMs }),
    ...(attempts !== undefined && { attempts }),
    ...(onFailure !== undefined && { onFailure }),
  };
}

function resolveCommand(
  input: RekeyInput,
  flag: "exec" | "exec-on-failure",
): readonly string[] | undefined {
  const command = input.text(flag);
  if (command === undefined) return undefined;
  if (command.includes("\0")) {
    throw input.invalid(flag, "no word of a command can hold a NUL character");
  }
  const words = splitCommand(command, flag);
  return words.length === 0 ? undefined : words;
}

function resolveTimeout(input: RekeyInput): number | undefined {
  if (input.flags["exec-timeout"] === "") throw input.invalid("exec-timeout");
  const limitMs = input.durationMs("exec-timeout");
  if (limitMs === undefined) return undefined;
  if (limitMs < 0) throw input.invalid("exec-timeout", "must not be negative");
  if (limitMs > MOST_TIMEOUT_MS) {
    throw input.invalid("exec-timeout", "must be at most 24h");
  }
  return limitMs;
}

function resolveAttempts(input: RekeyInput): number | undefined {
  const attempts = input.flags["reload-attempts"];
  if (attempts === undefined) return undefined;
  if (attempts < 0n || attempts > MOST_ATTEMPTS) {
    throw input.invalid("reload-attempts");
  }
  // From a variable or a file it is a default for daemons.
  if (input.flags.daemon !== true && input.isTyped("reload-attempts")) {
    throw input.usage("flag '--reload-attempts' requires the '--daemon' flag", {
      flags: ["reload-attempts"],
      hint: "a single run tries once, and the next one pays what is still owed",
    });
  }
  return Number(attempts);
}
