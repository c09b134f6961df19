/**
 * What a run would do, found out without doing it: the steps of rekey.ts up to
 * the request, by the same functions where they change nothing.
 *
 * Takes no lock, repairs nothing, and makes no file, not even for a moment: so
 * what only a try shows (a full disk) is not seen, and the pair may be another
 * one when it is run.
 */
import { RekeyError } from "../base/errors.ts";
import type { RekeyOptions, ReloadPart } from "../base/options.ts";
import type { Runtime } from "../base/runtime.ts";
import { stoppable } from "../base/stoppable.ts";
import {
  busyPair,
  lookAtPair,
  type PairState,
  requireReplaceable,
} from "../files/pair_state.ts";
import { findCurrentPair, writtenFiles } from "../files/pair/current_pair.ts";
import { keyFileThatStays, provideNewKey } from "../files/pair/new_key.ts";
import type { PasswordSource } from "../files/pair/key_pair.ts";
import { passwordReader } from "../files/pair/password.ts";
import type { Pair } from "../files/transaction.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";
import type { KeyPair } from "../pki/keys/key_pair.ts";
import type { RekeyJob } from "./open_job.ts";
import { type DueTimes, dueTimes, MIN_WAIT_MS } from "./schedule.ts";

/** What a run would do. */
export interface RekeyPlan {
  /** The certificate that would be replaced. */
  readonly certificate: Certificate;
  /** Whether it would be replaced at once. */
  readonly isDue: boolean;
  /** When it is due; jitter decides between the two. */
  readonly due: DueTimes;
  /** The files that would be written. */
  readonly files: Pair<string>;
  readonly layout: PairState["layout"];
  /** Whether it would ask before it overwrites. */
  readonly asks: boolean;
  /** An interrupted install would be finished or undone first. */
  readonly repairs: boolean;
  /** Undefined where no CA was asked. */
  readonly health: string | undefined;
  /** How the service would be told. */
  readonly tells: readonly ReloadPart[];
}

/**
 * Finds out what a run would do.
 *
 * @throws {RekeyError} what the run would end with, as far as that can be seen
 */
export async function planRekey(
  { options, reloader, openAuthority }: RekeyJob,
  { clock, terminal, log }: Runtime,
  signal: AbortSignal,
): Promise<RekeyPlan> {
  const { mode, newKey, overwrite, passwordFiles, write } = options;
  const { encryptNewKey: encrypt } = options;
  const readPassword = passwordReader();
  const files = writtenFiles(options);
  const password = {
    file: passwordFiles.key,
    read: readPassword,
    terminal,
    signal,
  };
  const state = await lookAtPair(files, write);
  if (state.isLocked) throw busyPair(files);
  const loading = load(options, password, clock.now());
  const current = await stoppable(loading, signal).catch((error) => {
    throw state.isInterrupted ? afterRepair(error, files) : error;
  });
  const [certificate] = current.chain;
  const givenKeyFile = keyFileThatStays(options);
  requireReplaceable(files, { ...write, givenKeyFile });
  if (newKey.from === "file") {
    const privateKeyPassword = { ...password, file: passwordFiles.privateKey };
    const context = { current, encrypt, log, password, privateKeyPassword };
    await stoppable(provideNewKey(newKey, context), signal);
  }
  const authority = openAuthority({ signal, readPassword });
  await stoppable(authority.roots(), signal);
  const health = await authority.check?.({ current, signal });
  const now = clock.now();
  const due = dueOf(certificate, mode, now);
  return {
    certificate,
    isDue: due.to.getTime() - now.getTime() <= MIN_WAIT_MS,
    due,
    files,
    layout: write.layout ?? state.layout,
    asks: overwrite === "ask" && state.isThere,
    repairs: state.isInterrupted,
    health,
    tells: reloader.parts,
  };
}

async function load(
  options: RekeyOptions,
  password: PasswordSource,
  now: Date,
): Promise<KeyPair> {
  const current = await findCurrentPair(options, { password }, now);
  return await current.loadKeyPair();
}

/** What is wrong with the pair may be what a run repairs first. */
function afterRepair(error: unknown, { certificate }: Pair<string>): unknown {
  if (!(error instanceof RekeyError) || error.kind !== "pair") return error;
  return new RekeyError(
    "install",
    `an interrupted install of ${certificate} has to be repaired first, which a run does and this does not: ${error.message}`,
    {
      hint: "run the command itself, or any other one on the pair",
      cause: error,
    },
  );
}

/** With the least and the most jitter. */
function dueOf(
  certificate: Certificate,
  mode: RekeyOptions["mode"],
  now: Date,
): DueTimes {
  if (mode.run === "daemon") return dueTimes(certificate, mode.schedule, now);
  const { onlyIfExpiresInMs: limitMs } = mode;
  if (limitMs === undefined) return { from: now, to: now };
  const end = certificate.notAfter.getTime();
  return { from: new Date(end - limitMs * 1.05), to: new Date(end - limitMs) };
}
