/**
 * The first certificate of a host: nothing comes before it, so nothing of it is
 * taken over. The order is that of rekey.ts, and the install is the same: both
 * files or neither.
 */
import type { KeyPairFiles, KeySpec, WriteOptions } from "../base/options.ts";
import type { Runtime } from "../base/runtime.ts";
import { stoppable } from "../base/stoppable.ts";
import { verifyAnswer } from "../ca/verified_answer.ts";
import { openPair } from "../files/open_pair.ts";
import { confirmOverwrite } from "../files/pair/confirm_overwrite.ts";
import { provideFirstKey } from "../files/pair/new_key.ts";
import { type PasswordReader, passwordReader } from "../files/pair/password.ts";
import type { InstallWarning } from "../files/transaction.ts";
import {
  type Certificate,
  chainToPem,
} from "../pki/certificate/certificate.ts";
import type { RequestedNames } from "../pki/certificate/requested_names.ts";
import { createCsr, type Csr } from "../pki/keys/csr.ts";

/** Everything that a first certificate depends on, but who signs it. */
export interface EnrolOptions {
  readonly files: KeyPairFiles;
  readonly newKey: KeySpec;
  /** The new key is encrypted with the password in it; plain without one. */
  readonly keyPasswordFile: string | undefined;
  readonly overwrite: "ask" | "always";
  readonly write: WriteOptions;
}

/** Who signs, and what for: settled, and not yet asked. */
export interface Enrolment {
  /** The only trust anchors. */
  readonly roots: readonly Certificate[];
  readonly requested: RequestedNames;
  readonly namesFrom: "request" | "provisioner";
  /** @returns the chain as the CA sent it, unverified */
  request(csr: Csr): Promise<readonly Certificate[]>;
}

export interface EnrolJob {
  readonly options: EnrolOptions;
  /** Called when the files can be written: a token is good for once. */
  openEnrolment(readPassword: PasswordReader): Promise<Enrolment>;
}

/**
 * Gets a certificate for a new key, and installs both.
 *
 * @throws {RekeyError} of any kind but `bug`, `signal` and `hook`; before the
 *   install nothing is changed
 */
export async function enrol(
  { options, openEnrolment }: EnrolJob,
  { clock, terminal, log }: Runtime,
  signal: AbortSignal,
): Promise<Certificate> {
  const until = <T>(work: Promise<T>) => stoppable(work, signal);
  const warn = (warnings: readonly InstallWarning[]) => {
    for (const warning of warnings) log.write({ event: "warning", ...warning });
  };
  const { files, newKey, keyPasswordFile: file, write } = options;

  // 1. May we, can we? Before a token is made or used up.
  using pair = await openPair(files, { ...write, clock, log, signal });
  if (options.overwrite === "ask") {
    await confirmOverwrite(pair.files, terminal, signal);
  }
  using install = await pair.prepareInstall({ ...write, signal });
  warn(install.warnings);

  // 2. New key, and proof that we hold it (RFC 2986).
  const read = passwordReader();
  const enrolment = await until(openEnrolment(read));
  const password = { file, read, terminal, signal };
  const next = await until(provideFirstKey(newKey, password));
  const csr = await createCsr(next.key, enrolment.requested);

  // 3. Believe nothing: our key, the names, a path to the root, valid now.
  const issued = await enrolment.request(csr);
  const { chain, warnings } = await verifyAnswer(issued, {
    ...enrolment,
    publicKey: csr.publicKey,
    now: clock.now(),
  });
  warn(warnings.map((message) => ({ message })));

  // 4. Both files or neither. No signal interrupts it.
  signal.throwIfAborted();
  const [certificate] = chain;
  const bytes = (pem: string) => new TextEncoder().encode(pem);
  const contents = {
    certificate: bytes(chainToPem(chain)),
    key: bytes(await next.toPem()),
  };
  warn(await install.commit(contents, certificate.serial));
  return certificate;
}
