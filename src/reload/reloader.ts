/**
 * Delivers a reload to the service: signal first, then exec. Neither waits for
 * the success of the other, and each stays pending until it succeeds.
 */
import { formatInstant } from "../base/duration.ts";
import { RekeyError } from "../base/errors.ts";
import type {
  KeyPairFiles,
  RekeyOptions,
  ReloadPart,
} from "../base/options.ts";
import { absolutePath } from "../base/paths.ts";
import { stoppable } from "../base/stoppable.ts";

/** What is delivered, and by which parts. */
export interface ReloadNotice {
  readonly undelivered: readonly ReloadPart[];
  /** Hexadecimal, as openssl prints it. */
  readonly serial: string;
  /** Undefined when it is not known any more. */
  readonly previousSerial?: string | undefined;
  readonly notAfter: Date;
  /** 1 for the first try for this certificate. */
  readonly attempts: number;
  /** Most time for the hook, in ms, when that is less than its own limit. */
  readonly limitMs?: number | undefined;
}

/** Why a part failed; a part that is absent succeeded or was not pending. */
export type ReloadFailures = ReadonlyMap<ReloadPart, RekeyError>;

export interface Reloader {
  /** Those that are configured; empty when there is no service. */
  readonly parts: readonly ReloadPart[];
  /**
   * Delivers those parts that are both undelivered and configured. Failures are
   * results: kind `signal` or `hook`, or `interrupted` when `signal` aborts
   * before or during the hook.
   */
  deliver(notice: ReloadNotice, signal: AbortSignal): Promise<ReloadFailures>;
}

type ReloadAction = (
  notice: ReloadNotice,
  signal: AbortSignal,
) => Promise<void>;

const ORDER: readonly ReloadPart[] = ["signal", "exec"];

/**
 * The reloader for these options; without any it does nothing.
 *
 * @param files the pair that the service reads
 * @param beforeHook ends when what was said so far is out; a stop does not wait
 *   for it
 * @param signalChild tells a process of our own, in the place of a process id
 */
export function createReloader(
  { reload: { signal: recipient, exec = [], execTimeoutMs }, names }: Pick<
    RekeyOptions,
    "reload" | "names"
  >,
  { files, beforeHook, signalChild }: {
    readonly files: KeyPairFiles;
    readonly beforeHook?: (() => Promise<void>) | undefined;
    readonly signalChild?: (() => Promise<void>) | undefined;
  },
): Reloader {
  const actions: Readonly<Record<ReloadPart, ReloadAction | undefined>> = {
    signal: recipient === undefined ? signalChild : async () => {
      const { sendSignal } = await import("./signal.ts");
      await sendSignal(recipient, names.pidFile);
    },
    exec: exec.length === 0 ? undefined : async (notice, signal) => {
      try {
        await stoppable(Promise.resolve(beforeHook?.()), signal);
      } catch (error) {
        // Then the hook is not begun, which the next line says.
        if (!signal.aborted) throw error;
      }
      const { runCommand } = await import("./exec.ts");
      await runCommand(exec, {
        name: names.exec,
        signal,
        timeoutMs: execTimeoutMs,
        mostMs: notice.limitMs,
        env: hookEnvironment(notice, files),
      });
    },
  };
  return {
    parts: ORDER.filter((part) => actions[part] !== undefined),
    async deliver(notice, signal) {
      const failures = new Map<ReloadPart, RekeyError>();
      for (const part of ORDER) {
        if (!notice.undelivered.includes(part)) continue;
        try {
          await actions[part]?.(notice, signal);
        } catch (error) {
          if (!(error instanceof RekeyError)) throw error;
          // The original skips the hook after a failed signal, though the
          // files changed.
          failures.set(part, error);
        }
      }
      return failures;
    },
  };
}

/** What the hook finds in its environment; the documentation has the list. */
function hookEnvironment(
  { serial, previousSerial = "", notAfter, attempts }: ReloadNotice,
  { certificate, key }: KeyPairFiles,
): Readonly<Record<string, string>> {
  return {
    STEP_REKEY_CERT: absolutePath(certificate),
    STEP_REKEY_KEY: absolutePath(key),
    STEP_REKEY_SERIAL: serial,
    STEP_REKEY_PREVIOUS_SERIAL: previousSerial,
    STEP_REKEY_NOT_AFTER: formatInstant(notAfter),
    STEP_REKEY_ATTEMPT: String(attempts),
  };
}

/**
 * One error for all of them, undefined for none: the last one's kind and exit
 * code, with the messages of those before it in front.
 */
export function joinFailures(
  failures: ReloadFailures,
): RekeyError | undefined {
  const [first, second] = [...failures.values()];
  if (first === undefined || second === undefined) return first;
  return new RekeyError(second.kind, `${first.message}; ${second.message}`, {
    hint: second.hint ?? first.hint,
    exitCode: second.exitCode,
    cause: second,
  });
}
