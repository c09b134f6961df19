/**
 * Pays reloads: from the claim of a note to what is left of it.
 *
 * A debt is for the certificate on the disk, so it is paid with what a run is
 * told to do today, not with the command of the run that made it.
 */
import { loadChain } from "../files/pair/key_pair.ts";
import { lockAndRepair, type RepairOptions } from "../files/open_pair.ts";
import {
  type ClaimedReload,
  claimOwedReload,
} from "../files/reload_note/pending_reload.ts";
import { RekeyError } from "../base/errors.ts";
import { joinFailures, type Reloader } from "../reload/reloader.ts";
import type { Log, Runtime } from "../base/runtime.ts";

/** Who pays. */
export interface Payer {
  readonly options: RepairOptions;
  readonly reloader: Reloader;
  readonly log: Log;
  /** Most time for the hook, in ms, whatever its own limit is. */
  readonly hookLimitMs?: number | undefined;
}

/**
 * Why there is no claim: `none`, nothing is owed that this run can pay;
 * `elsewhere`, another process pays it just now; `unreadable`, nobody knows.
 */
export type NoClaim = "none" | "elsewhere" | "unreadable";

/**
 * Claims what is owed for the certificate on the disk, as far as this run can
 * pay it. Call it under the pair's lock.
 *
 * A note that cannot be read (another user's) is a warning: a run that has
 * nothing else to do must not fail by it.
 */
export async function claimDebt(
  { options, reloader, log }: Payer,
): Promise<ClaimedReload | NoClaim> {
  if (reloader.parts.length === 0) return "none";
  const { certificate } = options.output;
  try {
    return await claimOwedReload(certificate, {
      load: async () => (await loadChain(certificate))[0],
      parts: reloader.parts,
    }) ?? "none";
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    log.write({
      event: "warning",
      message: `a reload may be owed: ${error.message}`,
      hint: error.hint,
      once: true,
    });
    return "unreadable";
  }
}

/**
 * Tells the service, and writes down what is still owed: what failed, and what
 * is not this run's to pay. Releases the claim.
 *
 * @throws {RekeyError} kind `signal`, `hook` or `interrupted`, of what failed
 */
export async function payDebt(
  claim: ClaimedReload,
  { reloader, log, hookLimitMs: limitMs }: Omit<Payer, "options">,
  signal: AbortSignal,
): Promise<void> {
  using _claim = claim;
  const failures = await reloader.reload(
    { ...claim.note, undelivered: claim.note.owed, limitMs },
    signal,
  );
  try {
    claim.settle(
      claim.note.owed.filter((part) =>
        failures.has(part) || !reloader.parts.includes(part)
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
 * Pays what is owed, apart from a pass: after one that failed, or again.
 *
 * @returns `paid`, or why there was nothing to pay
 * @throws {RekeyError} as {@linkcode payDebt}; kinds `busy` and `install` when
 *   the pair is in use, or cannot be repaired
 */
export async function payOwedReload(
  job: Omit<Payer, "log">,
  runtime: Pick<Runtime, "clock" | "log">,
  signal: AbortSignal,
): Promise<"paid" | NoClaim> {
  const payer = { ...job, log: runtime.log };
  const claim = await claimUnderLock(payer, { ...runtime, signal });
  if (typeof claim === "string") return claim;
  await payDebt(claim, payer, signal);
  return "paid";
}

async function claimUnderLock(
  payer: Payer,
  about: Parameters<typeof lockAndRepair>[1],
): Promise<ClaimedReload | NoClaim> {
  if (payer.reloader.parts.length === 0) return "none";
  // Which certificate is there is known only after a repair.
  await using _lock = await lockAndRepair(payer.options, about);
  return await claimDebt(payer);
}
