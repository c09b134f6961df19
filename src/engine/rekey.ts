/**
 * The whole program in one function.
 *
 * Replaces one certificate and its private key with a freshly issued pair, or
 * leaves both exactly as they were. One-shot and daemon mode both run this.
 *
 * The order is the design: repair, load, decide, ask, generate, request,
 * verify, install, reload. Before "install" a failure changes nothing on disk.
 * After it the new pair is in place whatever happens: a failed reload is
 * reported, never undone.
 */
import type { CertificateAuthority } from "../ca/authority.ts";
import { type InstallTransaction, prepareInstall } from "../files/install.ts";
import { installTargets } from "../files/pair/targets.ts";
import { lockAndRepair } from "../files/open_pair.ts";
import { findCurrentPair } from "../files/pair/current_pair.ts";
import { provideNewKey } from "../files/pair/new_key.ts";
import { confirmOverwrite } from "../files/pair/confirm_overwrite.ts";
import {
  type ClaimedReload,
  draftOwedReload,
} from "../files/reload_note/pending_reload.ts";
import { type PasswordReader, passwordReader } from "../files/pair/password.ts";
import type { KeyPairFiles, RekeyOptions } from "../base/options.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";
import { chainToPem } from "../pki/certificate/certificate.ts";
import { createCsr } from "../pki/keys/csr.ts";
import { verifyIssued } from "../pki/verify/verify.ts";
import type { Reloader } from "../reload/reloader.ts";
import { claimDebt, payDebt } from "./pending_reload.ts";
import type { Runtime } from "../base/runtime.ts";
import { isDue, remainingMs } from "./schedule.ts";
import { stoppable } from "../base/stoppable.ts";

/** One certificate to keep fresh, and everybody who takes part in it. */
export interface RekeyJob {
  readonly options: RekeyOptions;
  /** A fresh authority for each pass: its files may have changed since. */
  openAuthority(pass: {
    readonly signal: AbortSignal;
    readonly readPassword: PasswordReader;
  }): CertificateAuthority;
  readonly reloader: Reloader;
}

/** How a pass ended. */
export type RekeyOutcome =
  | { readonly kind: "rekeyed"; readonly certificate: Certificate }
  | { readonly kind: "not-due"; readonly expiresInMs: number };

/**
 * Runs one pass over one certificate: swaps the pair, then tells the service;
 * or tells it of the pair in place, when that is still owed and none is due.
 *
 * The lock is released before the service is told, so that a hook may call
 * this program on the same pair.
 *
 * @throws {RekeyError} of any kind but `bug`; errors.ts says which are worth
 *   another try. Kinds `signal` and `hook` mean that the new pair is installed.
 */
export async function rekeyOnce(
  job: RekeyJob,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<RekeyOutcome> {
  const { outcome, debt } = await replacePair(job, runtime, signal);
  const payer = { ...job, log: runtime.log };
  if (debt !== undefined) await payDebt(debt, payer, signal);
  return outcome;
}

/**
 * The pass without its last step: a daemon plans before the service is told.
 *
 * @returns how it ended, and what the service has to be told, which the caller
 *   pays or disposes; the lock is released already
 * @throws {RekeyError} as {@linkcode rekeyOnce}, but nothing about the service
 */
export async function replacePair(
  { options, openAuthority, reloader }: RekeyJob,
  { clock, random, terminal, log }: Runtime,
  signal: AbortSignal,
): Promise<{
  readonly outcome: RekeyOutcome;
  readonly debt: ClaimedReload | undefined;
}> {
  const { mode, newKey, passwordFiles } = options;
  const read = passwordReader();
  const password = { file: passwordFiles.key, read, terminal, signal };
  const targets = installTargets(options);

  await using _lock = await lockAndRepair(options, { clock, log, signal });

  // Until the swap, a signal ends the pass at once, whatever it waits for.
  const until = <T>(work: Promise<T>) => stoppable(work, signal);

  // 1. What is there, read again on every pass: the disk is the only state.
  const pair = await until(findCurrentPair(options, password, clock.now()));
  const oldChain = pair.chain;

  // 2. Is it time? Decided before a password or the CA's settings are needed.
  if (mode.run === "once" && mode.onlyIfExpiresInMs !== undefined) {
    const now = clock.now();
    if (
      !isDue(oldChain[0], mode.onlyIfExpiresInMs, { now, random: random() })
    ) {
      const expiresInMs = remainingMs(oldChain[0], now);
      const claim = await claimDebt({ options, reloader, log });
      return {
        outcome: { kind: "not-due", expiresInMs },
        debt: typeof claim === "string" ? undefined : claim,
      };
    }
  }
  const current = await until(pair.loadKeyPair());
  const authority = openAuthority({ signal, readPassword: read });
  const roots = await until(authority.roots());

  // 3. May we, can we? Before the CA issues something we would throw away.
  if (options.overwrite === "ask") {
    await confirmOverwrite(targets, terminal, signal);
  }
  await using install = await prepareInstall(targets, {
    ...options.write,
    signal,
    givenKey: newKey.from === "file" ? newKey.path : undefined,
  });
  reportPreparation(install, { targets: options.output, log });
  using owed = reloader.parts.length === 0
    ? undefined
    : draftOwedReload(targets.certificate);

  // 4. New key, and proof that we hold it (RFC 2986). The old key only
  //    authenticates the request; it never signs the CSR.
  const next = await until(provideNewKey(newKey, {
    current,
    encrypt: options.encryptNewKey,
    password,
    privateKeyPassword: { ...password, file: passwordFiles.privateKey },
    log,
  }));
  const csr = await createCsr(next.key);

  // 5. The CA copies subject, names and lifetime from the current certificate.
  const issued = await authority.rekey({ current, csr, signal });

  // 6. Believe nothing: our key, our names, a path to our root, valid now.
  const { chain, warnings } = await verifyIssued(issued, {
    publicKey: csr.publicKey,
    previous: oldChain[0],
    roots,
    now: clock.now(),
    doubts: authority.doubts,
  });
  for (const message of warnings) log.write({ event: "warning", message });

  // 7. Swap: old pair or new pair, never a mixture. From here on no signal
  //    interrupts. That the service has to be told is on the disk before the
  //    pair is.
  signal.throwIfAborted();
  await owed?.write(chain[0], {
    previousSerial: oldChain[0].serial,
    owed: reloader.parts,
  });
  await install.commit({
    certificate: chainToPem(chain),
    key: targets.key === undefined ? undefined : await next.toPem(),
  });
  log.write({ event: "rekeyed", targets, certificate: chain[0] });
  return {
    outcome: { kind: "rekeyed", certificate: chain[0] },
    debt: owed?.claim(),
  };
}

/**
 * Proves that a pass could begin: repairs what a crash left, opens the pair,
 * reads the authority's settings. Nothing is made, asked or written, so that
 * what is wrong shows at the start of a daemon and not hours later.
 *
 * @returns the certificate in force
 * @throws {RekeyError} kinds `pair`, `config`, `busy`, `install`, `interrupted`
 */
export async function checkPair(
  { options, openAuthority }: RekeyJob,
  { clock, terminal, log }: Runtime,
  signal: AbortSignal,
): Promise<Certificate> {
  const read = passwordReader();
  const password = { file: options.passwordFiles.key, read, terminal, signal };
  const until = <T>(work: Promise<T>) => stoppable(work, signal);
  await using _lock = await lockAndRepair(options, { clock, log, signal });
  const pair = await until(findCurrentPair(options, password, clock.now()));
  await until(pair.loadKeyPair());
  await until(openAuthority({ signal, readPassword: read }).roots());
  return pair.chain[0];
}

function reportPreparation(
  { warnings, changedLayout: layout }: InstallTransaction,
  { targets, log }: Pick<Runtime, "log"> & { readonly targets: KeyPairFiles },
): void {
  if (layout !== undefined) {
    log.write({ event: "layout", targets, layout, isChanged: true });
  }
  for (const message of warnings) {
    log.write({ event: "warning", message, once: true });
  }
}
