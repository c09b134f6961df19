/**
 * The offline CA's own files: ca.json, certificates and the signing key.
 */
import { STANDARD_INPUT } from "../../base/paths.ts";
import { RekeyError } from "../../base/errors.ts";
import { shortened } from "../../base/printable.ts";
import { readLimited, readToLimit } from "../../base/limited_file.ts";
import { osReason } from "../../base/os_error.ts";
import {
  type Certificate,
  type CertificateChain,
  parseChain,
} from "../../pki/certificate/certificate.ts";
import { equalBytes } from "../../base/bytes.ts";
import { MalformedError } from "../../pki/asn1/malformed.ts";
import {
  authorityKeyIdentifier,
  subjectKeyIdentifier,
} from "../../pki/certificate/extensions.ts";
import { nameConstraints } from "../../pki/verify/name_constraints.ts";
import { loadPrivateKey, type PrivateKey } from "../../pki/keys/private_key.ts";
import {
  type Log,
  NoTerminalError,
  type Terminal,
} from "../../base/runtime.ts";
import { trustAnchors } from "../trust_anchor.ts";
import { type CaConfig, parseCaConfig } from "./config/ca_config.ts";

export interface CaFiles {
  readonly config: CaConfig;
  /** The bundle of `crt`: the first signs, all are delivered. */
  readonly issuers: CertificateChain;
  readonly roots: readonly Certificate[];
  readonly key: PrivateKey;
}

/** How to open the CA's key, and whether to look at its database. */
export interface CaFilesOptions {
  readonly ignoreDatabase?: boolean | undefined;
  /** Undefined: none is named, or it is empty. */
  password(): Promise<string | undefined>;
  readonly terminal: Terminal;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/**
 * Reads all files that `file` (ca.json, or `-` for standard input) names.
 * Relative paths are relative to the working directory, as in step-ca.
 *
 * @throws {RekeyError} kind `config`, also when key and certificate differ
 */
export async function readCaFiles(
  file: string,
  options: CaFilesOptions,
): Promise<CaFiles> {
  const { ignoreDatabase } = options;
  const config = parseCaConfig(await readConfigText(file), {
    file,
    ignoreDatabase,
  });
  const given = await readPassword(options);
  const issuers = await readBundle(config.certificateFile);
  const key = await readSigningKey(
    config.keyFile,
    async (path) => given || config.password || await prompt(path, options),
  );
  if (!equalBytes(key.publicKey, issuers[0].publicKey)) {
    throw new RekeyError(
      "config",
      `the key in ${config.keyFile} is not the one of the CA in ${config.certificateFile}: x509: provided PrivateKey doesn't match parent's PublicKey`,
      { hint: `"crt" and "key" in ${file} have to belong together` },
    );
  }
  const roots = await readRoots(config.rootFiles, options.log);
  return { config, issuers, roots, key };
}

/** Each file has to name a CA: step-ca itself hands them out as its roots. */
async function readRoots(
  files: readonly string[],
  log: Log,
): Promise<readonly Certificate[]> {
  const all: Certificate[] = [];
  for (const file of files) {
    const bundle = await readBundle(file);
    const candidates = bundle.map((certificate) => ({ file, certificate }));
    const refusal = (refused = "") =>
      new RekeyError(
        "config",
        `error reading the CA's roots: no certificate of a CA found: ${refused}`,
        { hint: '"root" in ca.json has to name the CA\'s root certificate' },
      );
    all.push(...trustAnchors(candidates, { log, refusal }));
  }
  return all;
}

async function readConfigText(file: string): Promise<string> {
  const stdin = file === STANDARD_INPUT;
  try {
    return new TextDecoder().decode(
      stdin ? await readToLimit(Deno.stdin) : await readLimited(file),
    );
  } catch (error) {
    throw new RekeyError("config", `open ${file} failed: ${osReason(error)}`, {
      hint: { remedy: "name ca.json" },
      cause: error,
    });
  }
}

async function readBundle(path: string): Promise<CertificateChain> {
  const name = shortened(path);
  const content = await readBytes(
    path,
    (reason) => `error reading ${JSON.stringify(name)}: ${reason}`,
  );
  try {
    const bundle = parseChain(content);
    for (const certificate of bundle) readSigningExtensions(certificate);
    return bundle;
  } catch (error) {
    throw asConfigError(`error parsing ${name}: `, error);
  }
}

/** What is malformed here must not look like a fault of the host's pair later. */
function readSigningExtensions(certificate: Certificate): void {
  subjectKeyIdentifier(certificate);
  authorityKeyIdentifier(certificate);
  nameConstraints(certificate);
}

async function readSigningKey(
  key: string,
  password: (path: string) => Promise<string>,
): Promise<PrivateKey> {
  const path = key.replace(/^softkms:(?:path=)?/i, "");
  const content = await readBytes(
    path,
    (reason) =>
      `error reading the CA's key ${
        JSON.stringify(shortened(path))
      }: ${reason}`,
  );
  const state = { isEncrypted: false };
  try {
    const { key } = await loadPrivateKey(content, () => {
      state.isEncrypted = true;
      return password(path);
    });
    return key;
  } catch (error) {
    const action = state.isEncrypted ? "decrypting" : "decoding";
    throw asConfigError(`error ${action} ${path}: `, error);
  }
}

async function readBytes(
  path: string,
  message: (reason: string) => string,
): Promise<Uint8Array> {
  try {
    return await readLimited(path);
  } catch (error) {
    throw new RekeyError("config", message(osReason(error)), { cause: error });
  }
}

async function readPassword(
  options: CaFilesOptions,
): Promise<string | undefined> {
  try {
    return await options.password();
  } catch (error) {
    throw asConfigError("error reading the password of the CA's key: ", error);
  }
}

async function prompt(
  path: string,
  { terminal, signal }: CaFilesOptions,
): Promise<string> {
  try {
    return await terminal.readPassword(
      `Please enter the password to decrypt ${path}: `,
      signal,
    );
  } catch (error) {
    if (!(error instanceof NoTerminalError)) throw error;
    throw new RekeyError(
      "config",
      `error decrypting ${path}: ${error.message}`,
      { hint: { remedy: "name the CA's password" }, cause: error },
    );
  }
}

/** What is wrong with the host's pair elsewhere is wrong with the CA here. */
function asConfigError(prefix: string, error: unknown): unknown {
  const isOfFile = error instanceof MalformedError ||
    (error instanceof RekeyError && error.kind === "pair");
  if (!isOfFile) return error;
  return new RekeyError("config", `${prefix}${error.message}`, {
    hint: error.hint,
    cause: error,
  });
}
