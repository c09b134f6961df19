/**
 * Signals of this process as AbortSignals.
 *
 * One-shot: HUP (unless it is ignored, as under nohup), INT and TERM end the run
 * before the swap, with 128 + number.
 * Daemon: INT and TERM end it, HUP means "rekey now".
 */
import type { RunMode } from "../options.ts";
import { stoppedBy, stopSignals, systemSignals } from "./stop_signals.ts";

/** Listeners that are removed with their scope. */
export interface ProcessSignals extends Disposable {
  readonly stop: AbortSignal;
  /** Aborts at the next SIGHUP, or is aborted when one came since `clearWake`. */
  wake(): AbortSignal;
  /** Forgets a SIGHUP that is being obeyed. */
  clearWake(): void;
}

/** Listens to the signals that a run of this kind obeys. */
export function processSignals(run: RunMode["run"]): ProcessSignals {
  const stop = new AbortController();
  const wake = { controller: new AbortController() };
  const ending = stopSignals(run);
  // Each of them, also one that is ignored: with the first listener the runtime
  // takes all of them, and those without one end the process.
  const listeners = systemSignals().map((name) => {
    const listener = () => {
      if (ending.includes(name)) stop.abort(stoppedBy(name));
      else wake.controller.abort();
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
