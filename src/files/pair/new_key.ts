/**
 * The private key of the next certificate, and how its file is protected.
 *
 * Rule: a key whose predecessor was encrypted is encrypted, with the same
 * password. Never the other way round: the original writes it in plain text
 * (smallstep/cli command/ca/renew.go:537-541).
 */
import { RekeyError } from "../../base/errors.ts";
import type { KeySpec, NewKey, RekeyOptions } from "../../base/options.ts";
import type { Log, Terminal } from "../../base/runtime.ts";
import type { KeyPair } from "../../pki/keys/key_pair.ts";
import {
  generatePrivateKey,
  type LoadedPrivateKey,
  type Pbes2Protection,
  type PrivateKey,
  privateKeyToPem,
} from "../../pki/keys/private_key.ts";
import { type Cores, searchesAtOnce } from "../../pki/keys/rsa_search.ts";
import { loadKey, type PasswordSource } from "./key_pair.ts";
import { readPasswordFile } from "./password.ts";

/** A key that no certificate belongs to yet. */
export interface NewPrivateKey {
  readonly key: PrivateKey;
  /** The text of its file: encrypted where it has to be. */
  toPem(): Promise<string>;
}

export interface NewKeyContext {
  readonly current: KeyPair;
  readonly encrypt: "as-current" | "always";
  /** How `<key-file>` was opened. */
  readonly password: PasswordSource;
  /** How to open the file of `--private-key`. */
  readonly privateKeyPassword: PasswordSource;
  /** Takes the warning about a key that becomes encrypted. */
  readonly log: Log;
}

interface Encryption {
  readonly password: string;
  readonly like: Pbes2Protection | undefined;
}

/** The file of a key that is not made now; one that is kept must not be overwritten. */
export function keyFileThatStays(
  { newKey, output }: Pick<RekeyOptions, "newKey" | "output">,
): string | undefined {
  if (newKey.from === "generate") return undefined;
  return newKey.from === "file" ? newKey.path : output.key;
}

/**
 * Generates the new key, or reads the one that the user gives, or goes on with
 * the current one.
 *
 * @throws {RekeyError} kind `pair` when the given key cannot be used; kind
 *   `usage` when the new key is to be encrypted and the password is empty
 */
export async function provideNewKey(
  source: NewKey,
  context: NewKeyContext,
): Promise<NewPrivateKey> {
  if (source.from === "generate") {
    const key = await generate(source.spec, context.password.terminal);
    return writable(key, await successorEncryption(context));
  }
  if (source.from === "current") {
    const { key } = context.current;
    return writable(key, await successorEncryption(context));
  }
  const given = await loadKey(source.path, context.privateKeyPassword);
  if (!source.writeCopy) return writable(given.key, ownEncryption(given));
  return writable(
    given.key,
    ownEncryption(given) ?? await successorEncryption(context),
  );
}

/** A large RSA key takes seconds. */
async function generate(
  spec: KeySpec,
  terminal: Terminal,
): Promise<PrivateKey> {
  using _busy = terminal.busy("generating the new key");
  const searches = spec.kty === "RSA" ? searchesAtOnce(coresHere()) : 1;
  return await generatePrivateKey(spec, searches);
}

/** The cores of this machine, as far as this process may use and know them. */
export function coresHere(): Cores {
  const count = navigator.hardwareConcurrency;
  const { state } = Deno.permissions.querySync({
    name: "sys",
    kind: "loadavg",
  });
  // Nobody is asked for a permission for the sake of speed.
  const [load = count] = state === "granted" ? Deno.loadavg() : [];
  return { count, load };
}

function writable(
  key: PrivateKey,
  encryption: Encryption | undefined,
): NewPrivateKey {
  return { key, toPem: () => privateKeyToPem(key, encryption) };
}

function ownEncryption(loaded: LoadedPrivateKey): Encryption | undefined {
  if (loaded.password === undefined) return undefined;
  return { password: loaded.password, like: loaded.protection };
}

async function successorEncryption(
  context: NewKeyContext,
): Promise<Encryption | undefined> {
  const inherited = ownEncryption(context.current);
  if (inherited !== undefined || context.encrypt === "as-current") {
    return inherited;
  }
  const { file = "" } = context.password;
  const password = await readNewPassword(file, context.password);
  context.log.write({
    event: "warning",
    message:
      `the private key was not encrypted, and the new one is, with the password of ${
        JSON.stringify(file)
      }: a service that reads it needs that password from now on`,
    advice: { remedy: "keep the key plain" },
    once: true,
  });
  return { password, like: undefined };
}

/** @throws {RekeyError} kind `usage` when it is empty */
async function readNewPassword(
  file: string,
  { read = readPasswordFile }: Pick<PasswordSource, "read">,
): Promise<string> {
  const password = file === "" ? undefined : await read(file);
  if (password !== undefined) return password;
  throw new RekeyError(
    "usage",
    `cannot encrypt the new private key: the password file ${
      JSON.stringify(file)
    } is empty`,
    { hint: { remedy: "fill the password file" } },
  );
}

/**
 * Generates the key of a first certificate: encrypted with the password of a
 * file, where one is named.
 *
 * @throws {RekeyError} kind `usage` when that is empty; kind `pair` when it
 *   cannot be read
 */
export async function provideFirstKey(
  spec: KeySpec,
  source: PasswordSource,
): Promise<NewPrivateKey> {
  const { file } = source;
  const password = file === undefined
    ? undefined
    : await readNewPassword(file, source);
  const key = await generate(spec, source.terminal);
  return writable(
    key,
    password === undefined ? undefined : { password, like: undefined },
  );
}
