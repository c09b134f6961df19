/**
 * Back to the pair before, and a change of the layout: what can be done to a
 * pair without a CA.
 *
 * Both work like a rekey: under the lock, after a repair, and the reload is
 * delivered when the lock is released.
 */
import { RekeyError } from "../base/errors.ts";
import { formatInstant } from "../base/duration.ts";
import type { LayoutOptions, RollbackOptions } from "../base/options.ts";
import type { Runtime } from "../base/runtime.ts";
import { stoppable } from "../base/stoppable.ts";
import { openPair } from "../files/open_pair.ts";
import {
  loadChain,
  loadKeyPair,
  requireBelonging,
} from "../files/pair/key_pair.ts";
import type { PendingReload } from "../files/reload_note/pending_reload.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";
import type { Reloader } from "../reload/reloader.ts";
import { deliverReload, INSTALLED } from "./pending_reload.ts";

export interface RollbackJob {
  readonly options: RollbackOptions;
  readonly reloader: Reloader;
}

/**
 * Puts the pair before the current one in force, in one rename, then delivers
 * the reload.
 *
 * @throws {RekeyError} kind `pair` when there is none, when it does not belong
 *   together, or when it has expired; kinds `install`, `busy`, `signal`, `hook`
 */
export async function rollbackPair(
  { options, reloader }: RollbackJob,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<void> {
  const pending = await putBack({ options, reloader }, runtime, signal);
  if (pending === undefined) return;
  await deliverReload(pending, {
    reloader,
    log: runtime.log,
    names: options.names,
    installed: INSTALLED.before,
    deliveredBy: "next run",
  }, signal);
}

async function putBack(
  { options, reloader }: RollbackJob,
  { clock, terminal, log }: Runtime,
  signal: AbortSignal,
): Promise<PendingReload | undefined> {
  const { pair: files, passwordFile, allowExpired, lockTimeoutMs } = options;
  using pair = await openPair(files, { lockTimeoutMs, clock, log, signal });
  const previous = pair.findPrevious();
  const chain = await loadChain(previous.files.certificate);
  const source = { file: passwordFile, terminal, signal };
  await loadKeyPair(chain, previous.files, source);
  if (!allowExpired) refuseExpired(chain[0], clock.now());
  using reload = pair.draftReload(reloader.parts);
  signal.throwIfAborted();
  const [certificate] = chain;
  const pending = await reload.around(previous.putBack, { certificate });
  log.write({ event: "rolled-back", targets: files, certificate });
  return pending;
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
  { pair: files, layout, lockTimeoutMs }: LayoutOptions,
  { clock, log }: Runtime,
  signal: AbortSignal,
): Promise<void> {
  using pair = await openPair(files, { lockTimeoutMs, clock, log, signal });
  await stoppable(requireBelonging(files), signal);
  signal.throwIfAborted();
  await pair.changeLayout(layout);
}
