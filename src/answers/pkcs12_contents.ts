/**
 * What goes into a PKCS#12 file, read and proved to belong together.
 */
import { sha256 } from "../base/bytes.ts";
import { RekeyError } from "../base/errors.ts";
import type { KeyPairFiles } from "../base/options.ts";
import { NoTerminalError } from "../base/runtime.ts";
import {
  loadChain,
  loadKeyPair,
  type PasswordSource,
} from "../files/pair/key_pair.ts";
import { readPasswordFile } from "../files/pair/password.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";
import type { Pkcs12Contents } from "../pki/pkcs12/pkcs12.ts";

/** Which files go into it. */
export interface Pkcs12Files {
  /** Undefined: the others are to be trusted. */
  readonly identity: KeyPairFiles | undefined;
  readonly caFiles: readonly string[];
}

/**
 * Reads the files. Of each file of CAs all certificates are taken.
 *
 * @throws {RekeyError} kind `pair`
 */
export async function readContents(
  { identity, caFiles }: Pkcs12Files,
  password: PasswordSource,
): Promise<Pkcs12Contents> {
  const bundles = await Promise.all(caFiles.map((file) => loadChain(file)));
  const others = bundles.flat();
  if (identity === undefined) {
    return { trusted: await Promise.all(others.map(named)) };
  }
  const chain = await loadChain(identity.certificate);
  const { key } = await loadKeyPair(chain, identity, password);
  const [{ der: certificateDer }, ...issuers] = chain;
  return {
    identity: { pkcs8: key.pkcs8, certificateDer },
    chain: [...issuers, ...others].map(({ der }) => der),
  };
}

/** By the name that the original gives: subject and fingerprint. */
async function named({ der, subject }: Certificate) {
  return { certificateDer: der, name: `${subject} - ${await sha256(der)}` };
}

/**
 * The password of a file that is made: from a file or, where that is empty or
 * not given, from the terminal.
 *
 * @throws {RekeyError} kind `pair` for a file that cannot be read; kind `usage`
 *   when nobody can be asked, or nothing was typed
 */
export async function readNewPassword(
  { file, terminal, signal }: PasswordSource,
): Promise<string> {
  const read = file && await readPasswordFile(file);
  if (read) return read;
  const hint = file === undefined
    ? { remedy: "name a password file" } as const
    : {
      remedy: "fill the password file",
    } as const;
  try {
    const label = "Please enter a password to encrypt the .p12 file: ";
    const typed = await terminal.readPassword(label, signal);
    if (typed !== "") return typed;
  } catch (error) {
    if (!(error instanceof NoTerminalError)) throw error;
    throw new RekeyError(
      "usage",
      `nobody can be asked for a password: ${error.message}`,
      { hint, cause: error },
    );
  }
  throw new RekeyError("usage", "the password must not be empty", { hint });
}
