/**
 * How to tell the service: --pid, --pid-file, --signal and --exec.
 */
import type { ReloadOptions } from "../options.ts";
import { splitCommand } from "../reload/split_command.ts";
import type { RekeyInput } from "./rekey_input.ts";

/** SIGHUP, which services take as "read your files again". */
const DEFAULT_SIGNAL = 1n;
/** The signals that POSIX systems share end here; what follows is real-time. */
const LAST_SIGNAL = 31n;
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
 * The words of --exec; undefined when it is blank.
 *
 * @throws {RekeyError} kind `usage` for a quote that is not closed
 */
export function resolveExec(input: RekeyInput): readonly string[] | undefined {
  const command = input.text("exec");
  if (command === undefined) return undefined;
  const words = splitCommand(command);
  return words.length === 0 ? undefined : words;
}
