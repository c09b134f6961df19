/**
 * A signal to the process of a service, given by its id or by a pid-file.
 *
 * A pid-file is read at the moment of the signal: the original reads it once at
 * the start, and then signals whatever process has the number after a restart
 * of the service (smallstep/cli command/ca/rekey.go:308-321).
 */
import { RekeyError } from "../base/errors.ts";
import type { ReloadOptions } from "../base/options.ts";
import { osReason } from "../base/os_error.ts";
import type { Hint } from "../base/remedy.ts";

export type SignalOptions = NonNullable<ReloadOptions["signal"]>;

/** Largest process id: pid_t has 32 bits, and a larger number would be cut to another one. */
const MAX_PID = 2 ** 31 - 1;

/** Largest pid-file, in bytes: a number and some white space. */
const MAX_PID_FILE_BYTES = 4096;

/**
 * @param pidFileName what messages call the setting that names the pid-file
 * @throws {RekeyError} kind `signal`, in the original's words
 */
export async function sendSignal(
  { target, number }: SignalOptions,
  pidFileName: string,
): Promise<void> {
  const pid = "pid" in target
    ? target.pid
    : await readPidFile(target.pidFile, pidFileName);
  const failure = (reason: string, hint?: Hint, cause?: unknown) =>
    new RekeyError(
      "signal",
      `kill ${pid} with signal ${number} failed: ${reason}`,
      { hint, cause },
    );
  const gone: Hint = "pid" in target
    ? { remedy: "follow restarts" }
    : `the process that ${target.pidFile} names has ended: start the service, or remove the stale file`;
  if (pid > MAX_PID) throw failure("no such process", gone);
  // A daemon that sends itself SIGHUP would rekey without end.
  if (pid === Deno.pid) {
    throw failure(
      "it is this program itself",
      "name the process of the service; in a container each has its own numbers",
    );
  }
  try {
    Deno.kill(pid, number);
  } catch (error) {
    const hint = error instanceof Deno.errors.NotFound
      ? gone
      : error instanceof Deno.errors.PermissionDenied
      ? `process ${pid} belongs to another user: run as that user or as root`
      : undefined;
    throw failure(osReason(error), hint, error);
  }
}

/**
 * Whether a pid-file can be used at all, in the original's words, which
 * refuses one before it does anything (smallstep/cli
 * command/ca/rekey.go:308-321).
 *
 * @param pidFileName what messages call the setting that names the pid-file
 * @throws {RekeyError} kind `usage`
 */
export async function requirePidFile(
  file: string,
  pidFileName: string,
): Promise<void> {
  try {
    await readPidFile(file, pidFileName);
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    throw new RekeyError("usage", error.message, {
      hint: { remedy: "start before rekeying" },
      cause: error,
    });
  }
}

async function readPidFile(
  file: string,
  pidFileName: string,
): Promise<number> {
  // The first line, as systemd's PIDFile= has it: postmaster.pid of PostgreSQL
  // goes on with other facts.
  const [text = ""] = (await readText(file)).trim().split(/\s*\n/);
  const failure = (reason: string) =>
    new RekeyError(
      "signal",
      `error converting ${
        JSON.stringify(text.slice(0, 40))
      } in ${file} to integer process id: ${reason}`,
    );
  if (!/^[+-]?\d+$/.test(text)) throw failure("invalid syntax");
  const pid = Number(text);
  if (!Number.isSafeInteger(pid)) throw failure("value out of range");
  // 0 and negative numbers mean whole groups of processes to kill(2).
  if (pid <= 0) {
    throw new RekeyError(
      "signal",
      `invalid value '${pid}' for flag '${pidFileName}'`,
    );
  }
  return pid;
}

async function readText(file: string): Promise<string> {
  try {
    const { isFile, isDirectory, size } = await Deno.stat(file);
    // Reading a FIFO without a writer would never end.
    if (isFile && size <= MAX_PID_FILE_BYTES) {
      return await Deno.readTextFile(file);
    }
    throw new RekeyError(
      "signal",
      `open ${file} failed: ${
        isDirectory ? "is a directory" : "not a pid-file"
      }`,
    );
  } catch (error) {
    if (error instanceof RekeyError) throw error;
    throw new RekeyError("signal", `open ${file} failed: ${osReason(error)}`, {
      cause: error,
    });
  }
}
