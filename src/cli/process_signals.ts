/**
 * Signals of this process as AbortSignals.
 *
 * One-shot: HUP, INT and TERM end the run before the swap, with 128 + number.
 * Daemon: INT and TERM end it, HUP means "rekey now".
 */
import { RekeyError } from "../errors.ts";
import type { RunMode } from "../options.ts";

/** Listeners that are removed with their scope. */
export interface ProcessSignals extends Disposable {
  readonly stop: AbortSignal;
  /** Aborts at the next SIGHUP, or is aborted when one came since `clearWake`. */
  wake(): AbortSignal;
  /** Forgets a SIGHUP that is being obeyed. */
  clearWake(): void;
}

const NUMBERS = { SIGHUP: 1, SIGINT: 2, SIGTERM: 15 } as const;

type SignalName = keyof typeof NUMBERS;

/** Listens to the signals that a run of this kind obeys. */
export function processSignals(run: RunMode["run"]): ProcessSignals {
  const stop = new AbortController();
  const wake = { controller: new AbortController() };
  const listeners = signalNames().map((name) => {
    const listener = () => {
      if (run === "daemon" && name === "SIGHUP") {
        wake.controller.abort();
      } else {
        stop.abort(interrupted(name));
      }
    };
    Deno.addSignalListener(name, listener);
    return { name, listener };
  });
  return {
    stop: stop.signal,
    wake: () => wake.controller.signal,
    clearWake() {
      if (wake.controller.signal.aborted) {
        wake.controller = new AbortController();
      }
    },
    [Symbol.dispose]() {
      for (const { name, listener } of listeners) {
        Deno.removeSignalListener(name, listener);
      }
    },
  };
}

/** Windows knows only Ctrl-C and Ctrl-Break. */
function signalNames(): readonly SignalName[] {
  return Deno.build.os === "windows"
    ? ["SIGINT"]
    : ["SIGHUP", "SIGINT", "SIGTERM"];
}

function interrupted(name: SignalName): RekeyError {
  return new RekeyError("interrupted", `stopped by ${name}`, {
    exitCode: 128 + NUMBERS[name],
  });
}
