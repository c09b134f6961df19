/** Reads beside a writer: tries again while what was found may be its work. */
import type { Clock } from "../../../base/runtime.ts";
import { CorruptDatabaseError } from "./file/corrupt_database_error.ts";

const PAUSE_MS = 20;
/**
 * Longer than a running step-ca takes to name a table that it has written, or
 * to finish an entry, and than it takes to find a moment between two entries of
 * one that issues without a pause on a busy machine. Attempts take time, too,
 * where a log is long.
 */
const MOST_MS = 10_000;
/** A log that nobody writes to for so long is torn for good. */
const MOST_STILL_MS = 200;

/**
 * What `read` gives in the end.
 *
 * @throws {CorruptDatabaseError} when it is none that passes, did not pass, or is in a log
 *   that nobody writes to
 * @throws the signal's reason
 */
export async function settled<T>(
  read: () => Promise<T>,
  { clock, signal }: { readonly clock: Clock; readonly signal: AbortSignal },
): Promise<T> {
  const start = moment(clock, 0);
  let still = { ...start, state: undefined as string | undefined };
  for (let attempt = 1;; attempt++) {
    signal.throwIfAborted();
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof CorruptDatabaseError) || !error.mayPass) {
        throw error;
      }
      const { state } = error;
      const now = moment(clock, attempt);
      if (state === undefined || state !== still.state) {
        still = { ...now, state };
      } else if (isPast(still, now, MOST_STILL_MS)) throw error;
      if (isPast(start, now, MOST_MS)) throw error;
    }
    await clock.sleep(PAUSE_MS, signal);
  }
}

/** A moment, by the clock and by the attempts. */
interface Moment {
  readonly timeMs: number;
  readonly attempt: number;
}

function moment(clock: Clock, attempt: number): Moment {
  return { timeMs: clock.now().getTime(), attempt };
}

/** The pauses alone count where the clock is set back meanwhile. */
function isPast(since: Moment, now: Moment, limitMs: number): boolean {
  return now.timeMs - since.timeMs >= limitMs ||
    (now.attempt - since.attempt) * PAUSE_MS >= limitMs;
}
