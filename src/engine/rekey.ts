/**
 * The whole program in one function.
 *
 * Replaces one certificate and its private key (or the certificate alone, where
 * the key stays), or leaves all as it was; once, and in each pass of a daemon.
 * The order is the design. Before "install" a failure changes nothing on disk.
 * After it the new pair is in place whatever happens: a failed reload is
 * reported, never undone.
 */
import type { Log, Runtime } from "../base/runtime.ts";
import { stoppable } from "../base/stoppable.ts";
import { verifyAnswer } from "../ca/verified_answer.ts";
import { confirmOverwrite } from "../files/pair/confirm_overwrite.ts";
import { keyFileThatStays, provideNewKey } from "../files/pair/new_key.ts";
import type { PendingReload } from "../files/reload_note/pending_reload.ts";
import {
  type InstallWarning,
  mapPair,
  type Pair,
} from "../files/transaction.ts";
import {
  type Certificate,
  chainToPem,
} from "../pki/certificate/certificate.ts";
import { askForCertificate } from "./ask.ts";
import { openJob, type RekeyJob } from "./open_job.ts";
import { takeEarlierReload, warnOfUndeliverable } from "./pending_reload.ts";

export type RekeyOutcome =
  | {
    /** `renewed`: the key is the one that was there. */
    readonly kind: "rekeyed" | "renewed";
    readonly certificate: Certificate;
  }
  | { readonly kind: "not-due"; readonly expiresInMs: number };

/** A pass without its last step. */
export interface Replacement {
  readonly outcome: RekeyOutcome;
  /** What the service has to be told, for the caller to deliver or dispose. */
  readonly pending: PendingReload | undefined;
}

/**
 * Runs one pass over one certificate: swaps the pair. The service is told by the
 * caller, when the lock is released, so that a hook may call this program.
 *
 * @throws {RekeyError} of any kind but `bug`, `signal` and `hook`; errors.ts says
 *   which are worth another try
 */
export async function replacePair(
  job: RekeyJob,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<Replacement> {
  const { options, reloader } = job;
  const { newKey, write, names, encryptNewKey: encrypt } = options;
  const { clock, terminal, log } = runtime;
  // Until the swap, a signal ends the pass at once, whatever it waits for.
  const until = <T>(work: Promise<T>) => stoppable(work, signal);

  // 1. What is there, read again on every pass: is it time?
  using pass = await openJob(job, runtime, signal);
  const { pair, notDueForMs, readPassword } = pass;
  const others = await warnOfUndeliverable(pair, { reloader, log, names });
  if (notDueForMs !== undefined) {
    const pending = await takeEarlierReload(pair, { reloader, log });
    return { outcome: { kind: "not-due", expiresInMs: notDueForMs }, pending };
  }
  const current = await until(pass.current.loadKeyPair());
  const authority = job.openAuthority({ signal, readPassword });
  const roots = await until(authority.roots());

  // 2. May we, can we? Before the CA issues something we would throw away.
  if (options.overwrite === "ask") {
    await confirmOverwrite(pair.files, terminal, signal);
  }
  const givenKeyFile = keyFileThatStays(options);
  using install = await pair.prepareInstall({ ...write, signal, givenKeyFile });
  warn(log, install.warnings.map((warning) => ({ ...warning, once: true })));
  // What only another run can deliver stays pending for the new certificate.
  using reload = pair.draftReload([...reloader.parts, ...others]);

  // 3. New key, or the one that stays. The first key of a process waits for the
  //    seeding of its crypto library: meanwhile the disk proves that it has the
  //    space, and the connection is made ready.
  const context = { current, encrypt, log, ...pass.passwords };
  const working = [provideNewKey(newKey, context), install.settle()] as const;
  using _ready = authority.prepare?.(current, roots);
  const [wanted] = await until(Promise.all(working));

  // 4. The CA copies subject, names and lifetime from the current certificate.
  const { issued, next, event, isFallback } = await askForCertificate(
    { current, wanted, signal },
    { authority, options, context },
  );

  // 5. Believe nothing: our key, our names, a path to our root, valid now.
  const { chain, warnings } = await verifyAnswer(issued, {
    publicKey: next.key.publicKey,
    previous: current.chain[0],
    roots,
    now: clock.now(),
    onPathProblem: authority.onPathProblem,
  });
  warn(log, warnings.map((message) => ({ message })));

  // 6. Swap: old pair or new pair, never a mixture. No signal interrupts it.
  //    That the service has to be told is on the disk before the pair is.
  signal.throwIfAborted();
  const [certificate] = chain;
  const key = pair.files.key === undefined ? undefined : await next.toPem();
  const contents = encodePems({ certificate: chainToPem(chain), key });
  const pending = await reload.around(
    async () => warn(log, await install.commit(contents, certificate.serial)),
    { certificate, previousSerial: current.chain[0].serial },
  );
  log.write({ event, targets: pair.files, certificate, isFallback });
  return { outcome: { kind: event, certificate }, pending };
}

function encodePems(pems: Pair<string>): Pair<Uint8Array<ArrayBuffer>> {
  return mapPair(pems, (pem) => new TextEncoder().encode(pem));
}

function warn(log: Log, warnings: readonly InstallWarning[]): void {
  for (const warning of warnings) log.write({ event: "warning", ...warning });
}
