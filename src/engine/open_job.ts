/**
 * How every pass over a pair begins: locked, repaired, read again, and the
 * decision whether it is time.
 */
import type { RekeyOptions } from "../base/options.ts";
import type { Runtime } from "../base/runtime.ts";
import { stoppable } from "../base/stoppable.ts";
import type { CertificateAuthority } from "../ca/authority.ts";
import { type LockedPair, openPair } from "../files/open_pair.ts";
import { type CurrentPair, writtenFiles } from "../files/pair/current_pair.ts";
import type { NewKeyContext } from "../files/pair/new_key.ts";
import { type PasswordReader, passwordReader } from "../files/pair/password.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";
import type { Reloader } from "../reload/reloader.ts";
import { isDue, lifetimeMs, longerThanLife, remainingMs } from "./schedule.ts";

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

/**
 * Opens the files that a job writes, and repairs those that it reads.
 *
 * @throws {RekeyError} kinds `busy` and `install`; what `signal` aborts with
 */
export async function openJobPair(
  options: Pick<RekeyOptions, "input" | "newKey" | "output" | "write">,
  { clock, log }: Pick<Runtime, "clock" | "log">,
  signal: AbortSignal,
): Promise<LockedPair> {
  const { input, write: { lockTimeoutMs, inPlace, stateFolders } } = options;
  return await openPair(writtenFiles(options), {
    input,
    lockTimeoutMs,
    inPlace,
    stateFolders,
    clock,
    log,
    signal,
  });
}

/** A pass that has begun. Disposing it releases the pair. */
export interface OpenedJob extends Disposable {
  readonly pair: LockedPair;
  readonly current: CurrentPair;
  readonly passwords: Pick<NewKeyContext, "password" | "privateKeyPassword">;
  /** Reads each password file once in this pass. */
  readonly readPassword: PasswordReader;
  /** What is left until it expires, in ms, when no certificate is due. */
  readonly notDueForMs: number | undefined;
}

/**
 * Opens the pair of a job, loads what is there, and decides whether it is due,
 * before a password or the CA's settings are needed: the disk is the only
 * state.
 *
 * @throws {RekeyError} kinds `busy`, `install` and `pair`; what `signal` aborts
 *   with
 */
export async function openJob(
  { options }: Pick<RekeyJob, "options">,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<OpenedJob> {
  const { clock, random, terminal } = runtime;
  const readPassword = passwordReader();
  const { mode, passwordFiles: { key, privateKey } } = options;
  const source = { read: readPassword, terminal, signal };
  const password = { ...source, file: key };
  const privateKeyPassword = { ...source, file: privateKey };
  using undo = new DisposableStack();
  const pair = undo.use(await openJobPair(options, runtime, signal));
  const loading = pair.load(options, password, clock.now());
  const current = await stoppable(loading, signal);
  const now = clock.now();
  const [leaf] = current.chain;
  requireShorterLimit(leaf, options);
  const isTime = mode.run === "daemon" ||
    mode.onlyIfExpiresInMs === undefined ||
    isDue(leaf, mode.onlyIfExpiresInMs, { now, random: random() });
  const held = undo.move();
  return {
    pair,
    current,
    passwords: { password, privateKeyPassword },
    readPassword,
    notDueForMs: isTime ? undefined : remainingMs(leaf, now),
    [Symbol.dispose]: () => held.dispose(),
  };
}

/** Only a renewal has this rule in a single run (command/ca/renew.go:280). */
function requireShorterLimit(
  certificate: Certificate,
  { mode, newKey, names }: RekeyOptions,
): void {
  if (mode.run === "daemon" || newKey.from !== "current") return;
  const { onlyIfExpiresInMs: ms = 0 } = mode;
  if (ms <= lifetimeMs(certificate)) return;
  throw longerThanLife(certificate, { flag: names.expiresIn, ms });
}
