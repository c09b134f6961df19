/**
 * A command with a pair that is kept fresh: what `run` does.
 *
 * Nothing of this process may end the command: only its own end, and the
 * signals that are handed on to it, do. Before it starts, every failure ends
 * this process instead.
 */
import { RekeyError } from "../../base/errors.ts";
import type { RekeyOptions } from "../../base/options.ts";
import { osReason } from "../../base/os_error.ts";
import { absolutePath } from "../../base/paths.ts";
import { rememberPasswords, runDaemon } from "../../daemon/loop.ts";
import { connectServiceManager } from "../../daemon/service_manager.ts";
import { makePairUsable } from "../../daemon/usable_pair.ts";
import type { EnrolJob, EnrolOptions } from "../../engine/enrol.ts";
import { reportLast } from "../../engine/once.ts";
import {
  type Child,
  requireProgram,
  startChild,
  tellChild,
} from "../../reload/child.ts";
import type { DenoRuntime } from "./deno_runtime.ts";
import { type EnrolmentOptions, openEnrolment } from "./enrolment.ts";
import { makeJob } from "./job.ts";
import type { EntrypointSignals } from "./signals.ts";

export interface EntrypointOptions {
  /** Those of a daemon. */
  readonly rekey: RekeyOptions;
  /** How to get a pair where there is none, or why that cannot be; undefined without a token. */
  readonly enrol: (EnrolOptions & EnrolmentOptions) | RekeyError | undefined;
  /** Program and arguments, at least one word. */
  readonly words: readonly string[];
  /** What the command gets after a rekey; 0: nothing. */
  readonly signal: number;
}

/**
 * Runs the command to its end. The caller has pinned the trust.
 *
 * @returns its exit code; 128 and the number of the signal that ended it
 * @throws {RekeyError} of any kind but `signal` and `hook`, before it runs
 */
export async function runEntrypoint(
  options: EntrypointOptions,
  base: DenoRuntime,
  signals: EntrypointSignals,
): Promise<number> {
  const { rekey, words, signal: number } = options;
  const [program = ""] = words;
  const runtime = { ...base, terminal: rememberPasswords(base.terminal) };
  const { log } = runtime;
  const { stop } = signals;
  await requireProgram(program);
  const running: { child?: Child } = {};
  const signalChild = () => {
    if (running.child !== undefined) tellChild(running.child, number);
    return Promise.resolve();
  };
  const isSignalled = number !== 0 && rekey.reload.exec === undefined;
  const job = await makeJob(rekey, runtime, isSignalled ? { signalChild } : {});
  const first = enrolment(options.enrol, runtime, stop);
  try {
    await makePairUsable(job, runtime, { first, stop });
  } catch (error) {
    if (error instanceof RekeyError && error.kind !== "interrupted") {
      await reportLast(error, rekey, { runtime, stop });
    }
    throw error;
  }
  await runtime.flushLog();
  stop.throwIfAborted();
  const child = startChild(words, environment(rekey));
  running.child = child;
  signals.handOver((name) => handOn(name, child, runtime));
  log.write({ event: "command-started", program, pid: child.pid });
  if (Deno.pid === 1) warnOfOrphans(runtime);
  const over = new AbortController();
  await using service = connectServiceManager(NO_SERVICE_MANAGER, () => {});
  const [{ code, signal }] = await Promise.all([
    child.status.finally(() => over.abort()),
    runDaemon(job, runtime, {
      signals: { ...signals, stop: over.signal },
      service,
      endsBy: "stop",
      started: () => {},
    }).catch((error) => reportBug(error, runtime)),
  ]);
  log.write({
    event: "command-ended",
    program,
    exitCode: code,
    signal: signal ?? undefined,
  });
  return code;
}

function enrolment(
  options: EntrypointOptions["enrol"],
  runtime: DenoRuntime,
  signal: AbortSignal,
): EnrolJob | RekeyError | undefined {
  if (options === undefined || options instanceof RekeyError) return options;
  return {
    options,
    openEnrolment: (readPassword) =>
      openEnrolment(options, {
        ...runtime,
        signal,
        readPassword,
        say: () => {},
      }),
  };
}

/** One that the system refuses, as for a command of another user, ends nothing. */
function handOn(name: Deno.Signal, child: Child, { log }: DenoRuntime): void {
  try {
    child.kill(name);
  } catch (error) {
    log.write({
      event: "warning",
      message: `cannot hand ${name} on to the command: ${osReason(error)}`,
      hint: "send it to the command itself, or run both as the same user",
    });
  }
}

/** What the command finds besides the environment of this process. */
function environment(
  { output: { certificate, key } }: RekeyOptions,
): Readonly<Record<string, string>> {
  return {
    STEP_REKEY_CERT: absolutePath(certificate),
    STEP_REKEY_KEY: absolutePath(key),
  };
}

/** A manager of services is the command's to talk to, not ours. */
const NO_SERVICE_MANAGER = {
  socket: undefined,
  watchdogUsec: undefined,
  watchdogPid: undefined,
  runtimeDirectory: undefined,
  pid: Deno.pid,
};

/** The runtime waits for processes that it started itself, and for no others. */
function warnOfOrphans({ log }: DenoRuntime): void {
  log.write({
    event: "warning",
    message:
      "as process 1 this program collects the command and its own hooks, and not what those leave behind: where that matters, put an init in front of it",
    routine: true,
  });
}

/** The command goes on with the pair that it has. */
function reportBug(cause: unknown, { log }: DenoRuntime): void {
  log.write({
    event: "warning",
    message:
      `unexpected error: ${cause}; the pair is rotated no more until the next start`,
    hint: "this is a bug, please report it with the lines above",
  });
}
