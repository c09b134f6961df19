/**
 * Reads beside a writer: tries again while what was found may be its work.
 */
import type { Clock } from "../../../runtime.ts";
import { Damage } from "./damage.ts";

/** Between two attempts. */
const PAUSE_MS = 20;
/**
 * Three seconds in all: longer than a running step-ca takes to name a table
 * that it has written, or to finish an entry.
 */
const ATTEMPTS = 150;

/**
 * What `read` gives in the end.
 *
 * @throws {Damage} when it is none that passes, or did not pass
 * @throws the signal's reason
 */
export async function settled<T>(
  read: () => Promise<T>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<T> {
  for (let attempt = 1;; attempt++) {
    signal.throwIfAborted();
    try {
      return await read();
    } catch (error) {
      const mayPass = error instanceof Damage && error.mayPass;
      if (!mayPass || attempt >= ATTEMPTS) throw error;
    }
    await clock.sleep(PAUSE_MS, signal);
  }
}
