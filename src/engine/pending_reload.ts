/**
 * Delivers reloads: from a note that is found to what is left of it.
 *
 * A reload is for the certificate on the disk, so it is delivered with what a
 * run is told to do today, not with the command of the run that rekeyed.
 */
import { RekeyError } from "../base/errors.ts";
import { formatInstant } from "../base/duration.ts";
import type {
  RekeyOptions,
  ReloadPart,
  SettingNames,
} from "../base/options.ts";
import type { Log, Runtime } from "../base/runtime.ts";
import type { LockedPair } from "../files/open_pair.ts";
import type {
  PeekedReload,
  PendingReload,
} from "../files/reload_note/pending_reload.ts";
import { joinFailures, type Reloader } from "../reload/reloader.ts";
import { openJobPair } from "./open_job.ts";

/** What a failed delivery says of the pair. */
export const INSTALLED = {
  now: "the new pair is installed",
  earlier: "the pair of an earlier run is installed",
  before: "the pair before is in force again",
} as const;

export interface Deliverer {
  readonly reloader: Reloader;
  readonly log: Log;
  readonly names: SettingNames;
  /** What is true of the pair, whatever becomes of the reload. */
  readonly installed: string;
  /** What delivers a part that fails now. A message of a daemon goes on with its next try. */
  readonly deliveredBy: "next run" | "this daemon";
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
async function takePendingReload(
  pair: LockedPair,
  { reloader, log }: {
    readonly reloader: Pick<Reloader, "parts">;
    readonly log: Log;
  },
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

/** What an earlier run has left, and this one can deliver. */
export async function takeEarlierReload(
  pair: LockedPair,
  deliverer: { readonly reloader: Pick<Reloader, "parts">; readonly log: Log },
): Promise<PendingReload | undefined> {
  const found = await takePendingReload(pair, deliverer);
  return typeof found === "string" ? undefined : found;
}

/**
 * Warns of what is pending for the certificate on the disk and takes settings
 * that this run does not have: no other line would say so.
 *
 * @returns the parts, as far as the note tells
 */
export async function warnOfUndeliverable(
  pair: LockedPair,
  { reloader, log, names }: Pick<Deliverer, "reloader" | "log" | "names">,
): Promise<readonly ReloadPart[]> {
  const found = await peek(pair);
  const parts = found?.undelivered?.filter((part) =>
    !reloader.parts.includes(part)
  );
  if (found === undefined || parts?.length === 0) return [];
  // A note that cannot be read may be about each part, also one of this run.
  if (parts === undefined && reloader.parts.length > 0) return [];
  const flags = {
    signal: `${names.pid} or ${names.pidFile}`,
    exec: names.exec,
  };
  const since = found.since === undefined
    ? ""
    : ` since ${formatInstant(found.since)}`;
  const what = parts === undefined ? "the reload" : list(parts, names);
  const by = (parts ?? ["signal", "exec"] as const).map((part) => flags[part]);
  log.write({
    event: "warning",
    message:
      `the service was not told of the certificate in force: still pending${since}: ${what}, delivered by a run with ${
        by.join(parts === undefined ? " or " : ", and ")
      }`,
    once: true,
  });
  return parts ?? [];
}

async function peek(pair: LockedPair): Promise<PeekedReload | undefined> {
  try {
    return await pair.peekPendingReload();
  } catch (error) {
    // The pass reads the same files, and says what is wrong with them.
    if (error instanceof RekeyError) return undefined;
    throw error;
  }
}

/**
 * Delivers, and writes down what was delivered; what failed, and what this run
 * has no settings for, stays pending. Disposes `pending`.
 *
 * @throws {RekeyError} kind `signal`, `hook` or `interrupted`, of what failed:
 *   the message begins with what is true of the pair, and ends with what is
 *   still pending
 */
export async function deliverReload(
  pending: PendingReload,
  deliverer: Deliverer,
  signal: AbortSignal,
): Promise<void> {
  const { reloader, log, hookLimitMs: limitMs } = deliverer;
  using held = pending;
  const failures = await reloader.deliver({ ...held.facts, limitMs }, signal);
  try {
    held.delivered(
      held.facts.undelivered.filter((part) =>
        reloader.parts.includes(part) && !failures.has(part)
      ),
    );
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    // At worst it is delivered once more.
    log.write({ event: "warning", message: error.message, hint: error.hint });
  }
  const failure = joinFailures(failures);
  if (failure === undefined) return;
  const parts = await held.isOutdated() ? [] : [...failures.keys()];
  throw afterSwap(failure, { ...deliverer, pending: parts });
}

function afterSwap(
  failure: RekeyError,
  { installed, names, deliveredBy, pending }:
    & Deliverer
    & { readonly pending: readonly ReloadPart[] },
): RekeyError {
  const { kind, message, hint, exitCode, retry } = failure;
  // What is stopped does not try again itself.
  const isOver = deliveredBy === "next run" || kind === "interrupted";
  const by = isOver ? ", delivered by the next run with the same flags" : "";
  const rest = pending.length === 0
    ? "another pair has replaced it meanwhile, so nothing of it is pending"
    : `still pending: ${list(pending, names)}${by}`;
  return new RekeyError(
    kind,
    `${installed}, but telling the service failed: ${message}; ${rest}`,
    { hint, exitCode, retry, cause: failure },
  );
}

function list(parts: readonly ReloadPart[], names: SettingNames): string {
  const words = { signal: "the signal", exec: names.exec };
  return parts.map((part) => words[part]).join(" and ");
}

/**
 * Takes a signal that is pending as delivered: the process that it was for has
 * ended, and the one that is about to start reads the pair as it is.
 *
 * @throws {RekeyError} kinds `busy` and `install`
 */
export async function deliverByStart(
  pair: LockedPair,
  log: Log,
): Promise<void> {
  const reloader = { parts: ["signal"] as const };
  using pending = await takeEarlierReload(pair, { reloader, log });
  pending?.delivered(["signal"]);
}

/**
 * Delivers what is pending, apart from a pass: after one that failed, or again.
 *
 * @returns `delivered`, or why there was nothing to deliver
 * @throws {RekeyError} as {@linkcode deliverReload}; kinds `busy` and `install`
 *   when the pair is in use, or cannot be repaired
 */
export async function deliverPendingReload(
  job: Omit<Deliverer, "log" | "names"> & { readonly options: RekeyOptions },
  runtime: Pick<Runtime, "clock" | "log">,
  signal: AbortSignal,
): Promise<"delivered" | NothingPending> {
  const { log } = runtime;
  const deliverer = { ...job, log, names: job.options.names };
  const pending = await find(deliverer, runtime, signal).catch((error) => {
    // A run that delivers nothing only had to warn.
    if (job.reloader.parts.length > 0 || !(error instanceof RekeyError)) {
      throw error;
    }
    return "none" as const;
  });
  if (typeof pending === "string") return pending;
  await deliverReload(pending, deliverer, signal);
  return "delivered";
}

async function find(
  job: Deliverer & { readonly options: RekeyOptions },
  runtime: Pick<Runtime, "clock" | "log">,
  signal: AbortSignal,
): Promise<PendingReload | NothingPending> {
  // Which certificate is there is known only after a repair.
  using pair = await openJobPair(job.options, runtime, signal);
  await warnOfUndeliverable(pair, job);
  return await takePendingReload(pair, job);
}
