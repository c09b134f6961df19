/**
 * Back to the pair before, and a change of the layout: what can be done to a
 * pair without a CA.
 *
 * Both work like a rekey: under the lock, after a repair, and the service is
 * told when the lock is released.
 */
import { RekeyError } from "../base/errors.ts";
import { changePairLayout } from "../files/install.ts";
import {
  loadChain,
  loadKeyPair,
  requireBelonging,
} from "../files/pair/key_pair.ts";
import { recover } from "../files/open_pair.ts";
import {
  type ClaimedReload,
  draftOwedReload,
} from "../files/reload_note/pending_reload.ts";
import { lockPair } from "../files/lock/pair_lock.ts";
import { findPreviousPair } from "../files/versioned/previous_pair.ts";
import { formatInstant } from "../base/duration.ts";
import type { LayoutOptions, RollbackOptions } from "../base/options.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";
import type { Reloader } from "../reload/reloader.ts";
import { payDebt } from "./pending_reload.ts";
import type { Runtime } from "../base/runtime.ts";
import { stoppable } from "../base/stoppable.ts";

/** One pair to roll back, and how to tell its service. */
export interface RollbackJob {
  readonly options: RollbackOptions;
  readonly reloader: Reloader;
}

/**
 * Puts the pair before the current one in force, in one rename, then tells the
 * service.
 *
 * @throws {RekeyError} kind `pair` when there is none, when it does not belong
 *   together, or when it has expired; kinds `install`, `busy`, `signal`, `hook`
 */
export async function rollbackPair(
  { options, reloader }: RollbackJob,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<void> {
  const debt = await putBack({ options, reloader }, runtime, signal);
  const payer = { reloader, log: runtime.log };
  if (debt !== undefined) await payDebt(debt, payer, signal);
}

async function putBack(
  { options, reloader }: RollbackJob,
  { clock, terminal, log }: Runtime,
  signal: AbortSignal,
): Promise<ClaimedReload | undefined> {
  const { pair, passwordFile, allowExpired, lockTimeoutMs } = options;
  await using _lock = await lockPair(pair, {
    timeoutMs: lockTimeoutMs,
    clock,
    signal,
  });
  await recover(pair, log);
  const previous = findPreviousPair(pair);
  const chain = await loadChain(previous.files.certificate);
  const source = { file: passwordFile, terminal, signal };
  await loadKeyPair(chain, previous.files, source);
  if (!allowExpired) refuseExpired(chain[0], clock.now());
  using owed = reloader.parts.length === 0
    ? undefined
    : draftOwedReload(pair.certificate);
  signal.throwIfAborted();
  await owed?.write(chain[0], { owed: reloader.parts });
  previous.putBack();
  log.write({ event: "rolled-back", targets: pair, certificate: chain[0] });
  return owed?.claim();
}

function refuseExpired({ notAfter }: Certificate, now: Date): void {
  if (now <= notAfter) return;
  throw new RekeyError(
    "pair",
    `cannot roll back: the certificate before expired on ${
      formatInstant(notAfter)
    }`,
    { hint: { remedy: "allow expired" } },
  );
}

/**
 * Changes how a pair stands on disk; its contents stay as they are.
 *
 * @throws {RekeyError} kind `pair` for files that are no certificate and its
 *   key; kinds `install`, `busy`
 */
export async function changeLayout(
  { pair, layout, lockTimeoutMs }: LayoutOptions,
  { clock, log }: Runtime,
  signal: AbortSignal,
): Promise<void> {
  await using _lock = await lockPair(pair, {
    timeoutMs: lockTimeoutMs,
    clock,
    signal,
  });
  await recover(pair, log);
  await stoppable(requireBelonging(pair), signal);
  signal.throwIfAborted();
  const isChanged = changePairLayout(pair, layout);
  log.write({ event: "layout", targets: pair, layout, isChanged });
}
