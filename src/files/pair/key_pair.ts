/**
 * Loads the current pair from disk and proves that it belongs together.
 *
 * Every message keeps the original's first words, which scripts match, and goes
 * on with file and full reason, which the original cuts off at the last colon
 * (smallstep/cli#1314).
 */
import { RekeyError } from "../../base/errors.ts";
import type { KeyPairFiles } from "../../base/options.ts";
import {
  type Certificate,
  parseChain,
} from "../../pki/certificate/certificate.ts";
import type { KeyPair } from "../../pki/keys/key_pair.ts";
import {
  type LoadedPrivateKey,
  loadPrivateKey,
} from "../../pki/keys/private_key.ts";
import { NoTerminalError, type Terminal } from "../../base/runtime.ts";
import { equalBytes } from "../../base/bytes.ts";
import { MalformedError } from "../../pki/asn1/malformed.ts";
import { wrongPassword } from "../../pki/keys/key_numbers.ts";
import { readInputFile } from "./input_file.ts";
import { type PasswordReader, readPasswordFile } from "./password.ts";

export interface PasswordSource {
  /** File whose content is the password; without one the terminal is asked. */
  readonly file?: string | undefined;
  /** Reads it; without one the file is read anew each time. */
  readonly read?: PasswordReader | undefined;
  readonly terminal: Terminal;
  readonly signal: AbortSignal;
}

/** The content of a file, as {@linkcode readInputFile} gives it. */
export type InputReader = typeof readInputFile;

/**
 * Reads a certificate chain, leaf first; `-` is standard input.
 *
 * @throws {RekeyError} kind `pair`, `error reading certificate chain: …` with file and reason
 */
export async function loadChain(
  file: string,
  read: InputReader = readInputFile,
): Promise<readonly [Certificate, ...Certificate[]]> {
  const content = await withPrefix(CHAIN_PREFIX, () => read(file));
  return await withPrefix(`${CHAIN_PREFIX}: ${file}`, () => {
    try {
      return parseChain(content);
    } catch (error) {
      if (!(error instanceof MalformedError) || !holdsKey(content)) throw error;
      throw new MalformedError(
        `${error.message}: it holds a private key, so the certificate and the key look swapped`,
        { hint: "name the certificate first, then its key", cause: error },
      );
    }
  });
}

/** Whether a PEM file holds a private key; certificates may stand beside it. */
function holdsKey(content: Uint8Array): boolean {
  return /^-----BEGIN [A-Z ]*PRIVATE KEY-----/m.test(
    new TextDecoder().decode(content),
  );
}

/**
 * Reads a private key. The password file is read whenever one is named, so that
 * a wrong name shows before the day on which the password is needed.
 *
 * @throws {RekeyError} kind `pair`, `error loading private key: …` with file and
 *   reason; what the terminal throws when it is asked for the password
 */
export async function loadKey(
  file: string,
  source: PasswordSource,
  read: InputReader = readInputFile,
): Promise<LoadedPrivateKey> {
  const content = await withPrefix(KEY_PREFIX, () => read(file));
  return await openKey({ file, content }, source);
}

/**
 * The private key in the content of a file.
 *
 * @throws {RekeyError} as {@linkcode loadKey}
 */
export async function openKey(
  { file, content }: { readonly file: string; readonly content: Uint8Array },
  source: PasswordSource,
): Promise<LoadedPrivateKey> {
  const password = await withPrefix(
    KEY_PREFIX,
    async () =>
      source.file === undefined
        ? undefined
        : await (source.read ?? readPasswordFile)(source.file),
  );
  return await withPrefix(`${KEY_PREFIX}: ${file}`, async () => {
    try {
      return await loadPrivateKey(content, async () => {
        return password ?? await askPassword(file, source);
      });
    } catch (error) {
      throw ofPasswordFile(error, password && source.file);
    }
  });
}

/** A password that is wrong may as well be one from the wrong file. */
function ofPasswordFile(error: unknown, file: string | undefined): unknown {
  const { message } = wrongPassword();
  const isWrong = error instanceof MalformedError && error.message === message;
  if (!isWrong || !file) return error;
  return new MalformedError(
    `the password in ${file} does not open it: ${message}`,
    { cause: error },
  );
}

/**
 * Loads the key that belongs to `chain`.
 *
 * @throws {RekeyError} kind `pair`, also when they do not match
 */
export async function loadKeyPair(
  chain: readonly [Certificate, ...Certificate[]],
  files: KeyPairFiles,
  password: PasswordSource,
  read?: InputReader,
): Promise<KeyPair> {
  const loaded = await loadKey(files.key, password, read);
  requireMatch(chain, loaded.key.publicKey, files);
  return { ...loaded, chain };
}

/**
 * Proves that two files are a certificate and its key, as far as that can be
 * told without a password: of an encrypted key, that it is one.
 *
 * @throws {RekeyError} kind `pair`
 */
export async function requireBelonging(
  files: KeyPairFiles,
): Promise<void> {
  const chain = await loadChain(files.certificate);
  const content = await withPrefix(KEY_PREFIX, () => readInputFile(files.key));
  const sealed = new Error("the key is encrypted");
  try {
    const { key } = await withPrefix(
      `${KEY_PREFIX}: ${files.key}`,
      () => loadPrivateKey(content, () => Promise.reject(sealed)),
    );
    requireMatch(chain, key.publicKey, files);
  } catch (error) {
    if (error !== sealed) throw error;
  }
}

function requireMatch(
  [leaf]: readonly [Certificate, ...Certificate[]],
  publicKey: Uint8Array,
  { certificate: certificateFile, key: keyFile }: KeyPairFiles,
): void {
  if (equalBytes(publicKey, leaf.publicKey)) return;
  throw new RekeyError(
    "pair",
    `${KEY_PREFIX}: ${keyFile} is not the key of the certificate in ${certificateFile}: their public keys differ`,
    { hint: "name the certificate and the key that belong together" },
  );
}

const CHAIN_PREFIX = "error reading certificate chain";
const KEY_PREFIX = "error loading private key";

async function askPassword(
  file: string,
  { file: passwordFile, terminal, signal }: PasswordSource,
): Promise<string> {
  try {
    return await terminal.readPassword(
      `Please enter the password to decrypt ${file}: `,
      signal,
    );
  } catch (error) {
    if (!(error instanceof NoTerminalError)) throw error;
    throw new RekeyError(
      "pair",
      `the key is encrypted and nobody can be asked for its password: ${error.message}`,
      {
        hint: passwordFile === undefined
          ? { remedy: "name a password file" }
          : `the password file ${passwordFile} is empty: write the password into it`,
        cause: error,
      },
    );
  }
}

/** Puts `prefix` in front of what is wrong with a file. */
async function withPrefix<T>(
  prefix: string,
  action: () => T | Promise<T>,
): Promise<T> {
  try {
    return await action();
  } catch (error) {
    const isOfFile = error instanceof MalformedError ||
      (error instanceof RekeyError && error.kind === "pair");
    if (!isOfFile) throw error;
    throw new RekeyError("pair", `${prefix}: ${error.message}`, {
      hint: error.hint,
      cause: error,
    });
  }
}
