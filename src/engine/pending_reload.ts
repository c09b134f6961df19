/**
 * Delivers reloads: from a note that is found to what is left of it.
 *
 * A reload is for the certificate on the disk, so it is delivered with what a
 * run is told to do today, not with the command of the run that rekeyed.
 */
import { RekeyError } from "../base/errors.ts";
import type { RekeyOptions } from "../base/options.ts";
import type { Log, Runtime } from "../base/runtime.ts";
import type { LockedPair } from "../files/open_pair.ts";
import type { PendingReload } from "../files/reload_note/pending_reload.ts";
import { joinFailures, type Reloader } from "../reload/reloader.ts";
import { openJobPair } from "./open_job.ts";

export interface Deliverer {
  readonly reloader: Reloader;
  readonly log: Log;
  /** Most time for the hook, in ms, whatever its own limit is. */
  readonly hookLimitMs?: number | undefined;
}

/**
 * Why there is nothing to deliver: `none`, nothing is pending that this run can
 * deliver; `elsewhere`, another process does just now; `unreadable`, nobody
 * knows.
 */
export type NothingPending = "none" | "elsewhere" | "unreadable";

/**
 * Finds what is pending for the certificate on the disk, as far as this run can
 * deliver it.
 *
 * A note that cannot be read (another user's) is a warning: a run that has
 * nothing else to do must not fail by it.
 */
export async function takePendingReload(
  pair: LockedPair,
  { reloader, log }: Deliverer,
): Promise<PendingReload | NothingPending> {
  if (reloader.parts.length === 0) return "none";
  try {
    return await pair.findPendingReload(reloader.parts) ?? "none";
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    log.write({
      event: "warning",
      message: `a reload may be pending: ${error.message}`,
      hint: error.hint,
      once: true,
    });
    return "unreadable";
  }
}

/**
 * Tells the service, and writes down what was delivered; what failed, and what
 * is not this run's to deliver, stays pending. Disposes `pending`.
 *
 * @throws {RekeyError} kind `signal`, `hook` or `interrupted`, of what failed
 */
export async function deliverReload(
  pending: PendingReload,
  { reloader, log, hookLimitMs: limitMs }: Deliverer,
  signal: AbortSignal,
): Promise<void> {
  using held = pending;
  const failures = await reloader.reload({ ...held.facts, limitMs }, signal);
  try {
    held.delivered(
      held.facts.undelivered.filter((part) =>
        reloader.parts.includes(part) && !failures.has(part)
      ),
    );
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    // The service knows; at worst it is told once more.
    log.write({ event: "warning", message: error.message, hint: error.hint });
  }
  const failure = joinFailures(failures);
  if (failure !== undefined) throw failure;
}

/**
 * Delivers what is pending, apart from a pass: after one that failed, or again.
 *
 * @returns `delivered`, or why there was nothing to deliver
 * @throws {RekeyError} as {@linkcode deliverReload}; kinds `busy` and `install`
 *   when the pair is in use, or cannot be repaired
 */
export async function deliverPendingReload(
  job: Omit<Deliverer, "log"> & { readonly options: RekeyOptions },
  runtime: Pick<Runtime, "clock" | "log">,
  signal: AbortSignal,
): Promise<"delivered" | NothingPending> {
  const deliverer = { ...job, log: runtime.log };
  const pending = await find(deliverer, runtime, signal);
  if (typeof pending === "string") return pending;
  await deliverReload(pending, deliverer, signal);
  return "delivered";
}

async function find(
  job: Deliverer & { readonly options: RekeyOptions },
  runtime: Pick<Runtime, "clock" | "log">,
  signal: AbortSignal,
): Promise<PendingReload | NothingPending> {
  if (job.reloader.parts.length === 0) return "none";
  // Which certificate is there is known only after a repair.
  const pair = await openJobPair(job.options, runtime, signal);
  // Not `using`: the lint rule using-inlined says why.
  try {
    return await takePendingReload(pair, job);
  } finally {
    pair[Symbol.dispose]();
  }
}
