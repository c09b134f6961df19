/**
 * Whether a pass could succeed, found out hours before it has to.
 */
import type { Runtime } from "../base/runtime.ts";
import { stoppable } from "../base/stoppable.ts";
import { writtenFiles } from "../files/pair/current_pair.ts";
import { keyFileThatStays } from "../files/pair/new_key.ts";
import { requireReplaceable } from "../files/pair_state.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";
import { openJob, type RekeyJob } from "./open_job.ts";

/**
 * Proves that a pass could begin: repairs what a crash left, opens the pair,
 * looks whether its files may be replaced, reads the authority's settings.
 * Nothing is made, asked or written, so that what is wrong shows at the start of
 * a daemon and not hours later.
 *
 * @returns the certificate in force
 * @throws {RekeyError} kinds `pair`, `config`, `busy`, `install`, `interrupted`
 */
export async function checkPair(
  job: RekeyJob,
  runtime: Runtime,
  signal: AbortSignal,
): Promise<Certificate> {
  const { options } = job;
  using pass = await openJob(job, runtime, signal);
  const { current, readPassword } = pass;
  await stoppable(current.loadKeyPair(), signal);
  requireReplaceable(writtenFiles(options), {
    ...options.write,
    givenKeyFile: keyFileThatStays(options),
  });
  const authority = job.openAuthority({ signal, readPassword });
  await stoppable(authority.roots(), signal);
  return current.chain[0];
}
