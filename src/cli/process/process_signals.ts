/**
 * Signals of this process as AbortSignals.
 *
 * One-shot: HUP (unless it is ignored, as under nohup), INT and TERM end the run
 * before the swap, with 128 + number.
 * Daemon: INT and TERM end it, HUP means "rekey now".
 */
import type { RunMode } from "../../base/options.ts";
import { stoppedBy, stopSignals, systemSignals } from "./stop_signals.ts";

/** What the signals ask for. */
export interface ProcessSignals {
  readonly stop: AbortSignal;
  /** Aborts at the next SIGHUP, or is aborted when one came since `clearWake`. */
  wake(): AbortSignal;
  /** Forgets a SIGHUP that is being obeyed. */
  clearWake(): void;
}

/**
 * Listens to the signals that a run of this kind obeys, to the end of the
 * process: one that comes behind the swap must not end it with a code that says
 * otherwise.
 */
export function processSignals(run: RunMode["run"]): ProcessSignals {
  const stop = new AbortController();
  const wake = { controller: new AbortController() };
  const ending = stopSignals(run);
  // Each of them, also one that is ignored: with the first listener the runtime
  // takes all of them, and those without one end the process.
  for (const name of systemSignals()) {
    Deno.addSignalListener(name, () => {
      if (ending.includes(name)) stop.abort(stoppedBy(name));
      else wake.controller.abort();
    });
  }
  return {
    stop: stop.signal,
    wake: () => wake.controller.signal,
    clearWake() {
      if (wake.controller.signal.aborted) {
        wake.controller = new AbortController();
      }
    },
  };
}
