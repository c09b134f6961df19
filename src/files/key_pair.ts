/**
 * Loads the current pair from disk and proves that it belongs together.
 */
import type { KeyPair } from "../pki/key_pair.ts";
import type { LoadedPrivateKey } from "../pki/private_key.ts";
import type { Certificate } from "../pki/certificate.ts";
import type { Terminal } from "../runtime.ts";

/** How to open an encrypted key. */
export interface PasswordSource {
  /** File whose content is the password; without one the terminal is asked. */
  readonly file?: string | undefined;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** @throws {RekeyError} kind `pair`, `error reading certificate chain: …` with file and reason */
export function loadChain(
  _file: string,
): Promise<readonly [Certificate, ...Certificate[]]> {
  throw new Error("contract only");
}

/** @throws {RekeyError} kind `pair`, `error loading private key: …` with file and reason */
export function loadKey(
  _file: string,
  _password: PasswordSource,
): Promise<LoadedPrivateKey> {
  throw new Error("contract only");
}

/**
 * Loads the key that belongs to `chain`.
 *
 * @throws {RekeyError} kind `pair`, also when they do not match
 */
export function loadKeyPair(
  _chain: readonly [Certificate, ...Certificate[]],
  _files: { readonly certificate: string; readonly key: string },
  _password: PasswordSource,
): Promise<KeyPair> {
  throw new Error("contract only");
}
