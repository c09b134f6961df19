/**
 * Who signs: the interface that each CA fulfils. Light: whoever asks a CA for
 * anything loads it.
 */
import { RekeyError } from "../base/errors.ts";
import type { RenewBy } from "../base/options.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";
import type { Csr } from "../pki/keys/csr.ts";
import type { KeyPair } from "../pki/keys/key_pair.ts";
import type { OnPathProblem } from "../pki/verify/verify.ts";

export interface RenewRequest {
  /** Authenticates the request; subject, names and lifetime come from it. */
  readonly current: KeyPair;
  /** How, where a network is between us. */
  readonly by: RenewBy;
  /** Ends the request at once. */
  readonly signal: AbortSignal;
}

export interface RekeyRequest extends Omit<RenewRequest, "by"> {
  readonly csr: Csr;
}

/**
 * No rekey is possible this way, however often it is asked for; a renewal by
 * token may be.
 */
export class CannotRekeyError extends RekeyError {}

export interface CertificateAuthority {
  readonly onPathProblem: OnPathProblem;
  /**
   * Reads and checks the authority's configuration and trust anchors, so that
   * a mistake is reported before anything is generated or asked. Idempotent.
   *
   * @throws {RekeyError} kind `config`
   */
  roots(): Promise<readonly Certificate[]>;
  /**
   * Tries all that comes before a request for this pair, and changes nothing.
   *
   * @returns what the CA says of its health, where it was asked
   * @throws {RekeyError} as `rekey`
   */
  check?(
    request: Pick<RekeyRequest, "current" | "signal">,
  ): Promise<string | undefined>;
  /**
   * Makes ready what `rekey` with this pair will need, where that takes long.
   * Nothing is sent, and what is wrong is for `rekey` to say.
   *
   * @param roots those of this authority
   * @returns closes what no `rekey` has used
   */
  prepare?(
    current: KeyPair,
    roots: readonly Certificate[],
  ): Disposable | undefined;
  /**
   * Asks for a certificate on the CSR's key.
   *
   * @returns the chain as the CA sent it, leaf first, unverified, never empty
   * @throws {RekeyError} kinds `unreachable`, `refused`, `untrusted`, `pair`, `config`, `interrupted`;
   *   a {@linkcode CannotRekeyError} where only a renewal may work
   */
  rekey(request: RekeyRequest): Promise<readonly Certificate[]>;
  /**
   * Asks for a certificate on the current key; as `rekey` in all else.
   *
   * @throws {RekeyError} as `rekey`
   */
  renew(request: RenewRequest): Promise<readonly Certificate[]>;
}

/**
 * The caller's own reason to stop wins over what an abort looks like elsewhere.
 *
 * @param before what has not happened yet: `the CA signed`
 * @throws {RekeyError} kind `interrupted`, or the signal's own
 */
export function throwIfStopped(
  { aborted, reason }: AbortSignal,
  before: string,
): void {
  if (!aborted) return;
  if (reason instanceof RekeyError) throw reason;
  throw new RekeyError("interrupted", `stopped before ${before}`, {
    cause: reason,
  });
}
