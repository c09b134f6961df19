/**
 * Tells the service: signal first, then exec; both run, both are reported.
 */
import { RekeyError } from "../errors.ts";
import type { ReloadOptions } from "../options.ts";
import { runCommand } from "./exec.ts";
import { sendSignal } from "./signal.ts";

/** Tells the service that the pair is new. */
export interface Reloader {
  /**
   * @throws {RekeyError} kind `signal` or `hook`; when both fail, the hook's
   *   with the signal's message in front of it; kind `interrupted` when `signal`
   *   aborts before or during the hook
   */
  reload(signal: AbortSignal): Promise<void>;
}

/** The reloader for these options; without any it does nothing. */
export function createReloader(options: ReloadOptions): Reloader {
  return {
    async reload(signal) {
      const signalFailure = await failureOf(() =>
        options.signal === undefined ? undefined : sendSignal(options.signal)
      );
      const { exec = [] } = options;
      const execFailure = await failureOf(() =>
        exec.length === 0 ? undefined : runCommand(exec, signal)
      );
      if (signalFailure === undefined && execFailure === undefined) return;
      throw joined(signalFailure, execFailure);
    },
  };
}

/** The original skips the hook after a failed signal, though the files changed. */
async function failureOf(
  action: () => Promise<void> | undefined,
): Promise<RekeyError | undefined> {
  try {
    await action();
    return undefined;
  } catch (error) {
    if (error instanceof RekeyError) return error;
    throw error;
  }
}

function joined(
  first: RekeyError | undefined,
  second: RekeyError | undefined,
): RekeyError | undefined {
  if (first === undefined || second === undefined) return first ?? second;
  return new RekeyError(second.kind, `${first.message}; ${second.message}`, {
    hint: second.hint ?? first.hint,
    exitCode: second.exitCode,
    cause: second,
  });
}
