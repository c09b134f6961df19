/**
 * Reads `--root`: the certificates that this program trusts, and no others.
 *
 * Texts and rules are those of the original (go.step.sm/crypto
 * x509util/certpool.go): a file, a directory of files or a comma-separated list
 * of files; PEM only; blocks that do not parse are skipped, one must be left.
 */
import { RekeyError } from "../../base/errors.ts";
import { accessFacts } from "../../base/access_facts.ts";
import { readLimited, UnusableFileError } from "../../base/limited_file.ts";
import { osReason } from "../../base/os_error.ts";
import type { Hint } from "../../base/remedy.ts";
import type { Log } from "../../base/runtime.ts";
import {
  type Certificate,
  parseChain,
} from "../../pki/certificate/certificate.ts";
import { MalformedError } from "../../pki/asn1/malformed.ts";
import { pemPieces } from "../../pki/asn1/pem.ts";
import { type RootCandidate, trustAnchors } from "../trust_anchor.ts";

/** A block of a private key. */
const KEY_BEGIN = /^-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----/;

/**
 * The root certificates that `root` names, in file order. Warns of those that
 * are trusted with a doubt, and of certificates that are not.
 *
 * @returns at least one certificate
 * @throws {RekeyError} kind `config`, `error reading cert pool: …`
 */
export async function readRootCertificates(
  root: string,
  log: Log,
): Promise<readonly Certificate[]> {
  const { candidates, keyFile } = await readPool(root);
  const refusal = (refused: string | undefined) =>
    refused === undefined
      ? emptyPool(root, keyFile)
      : unusablePool(`no certificate of a CA found: ${refused}`);
  return trustAnchors(candidates, { log, refusal });
}

/**
 * Every certificate that `root` names, of a CA or not: who asks a question about
 * a certificate may believe in that certificate alone.
 *
 * @returns at least one certificate
 * @throws {RekeyError} kind `config`, `error reading cert pool: …`
 */
export async function readCertificatePool(
  root: string,
): Promise<readonly Certificate[]> {
  const { candidates, keyFile } = await readPool(root);
  if (candidates.length === 0) throw emptyPool(root, keyFile);
  return candidates.map(({ certificate }) => certificate);
}

async function readPool(root: string): Promise<{
  readonly candidates: readonly RootCandidate[];
  /** One that holds a private key. */
  readonly keyFile: string | undefined;
}> {
  const candidates: RootCandidate[] = [];
  let keyFile: string | undefined;
  for (const file of await rootFiles(root)) {
    for (const piece of pemPieces(await readText(file))) {
      if (KEY_BEGIN.test(piece)) keyFile ??= file;
      const certificate = parsePiece(piece);
      if (certificate !== undefined) candidates.push({ file, certificate });
    }
  }
  return { candidates, keyFile };
}

function emptyPool(root: string, keyFile: string | undefined): RekeyError {
  if (keyFile !== undefined) {
    return unusablePool(`${keyFile} holds a private key, no certificate`);
  }
  // The text is the original's.
  return unusablePool("not certificates found", {
    hint: `${root} has to hold the CA's root certificate as PEM`,
  });
}

async function rootFiles(root: string): Promise<readonly string[]> {
  const info = await statOrUndefined(root);
  if (!info?.isDirectory) return root.split(",").map((file) => file.trim());
  const names: string[] = [];
  try {
    for await (const entry of Deno.readDir(root)) names.push(entry.name);
  } catch (error) {
    throw poolError("open", root, error);
  }
  return names.sort().map((name) => `${root.replace(/\/+$/, "")}/${name}`);
}

/** A path that is not there may still be a comma-separated list. */
async function statOrUndefined(
  path: string,
): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw poolError("stat", path, error);
  }
}

async function readText(file: string): Promise<string> {
  try {
    return new TextDecoder().decode(await readLimited(file));
  } catch (error) {
    const action = error instanceof Deno.errors.IsADirectory ? "read" : "open";
    throw poolError(action, file, error);
  }
}

function parsePiece(piece: string): Certificate | undefined {
  try {
    return parseChain(new TextEncoder().encode(piece))[0];
  } catch (error) {
    // A root file may hold other things; one certificate is enough.
    if (error instanceof MalformedError) return undefined;
    throw error;
  }
}

function poolError(action: string, path: string, error: unknown): RekeyError {
  return unusablePool(`${action} ${path}: ${osReason(error)}`, {
    hint: poolHint(path, error),
    cause: error,
  });
}

function unusablePool(
  reason: string,
  options: { readonly hint?: Hint | undefined; readonly cause?: unknown } = {
    hint: { remedy: "fetch the root" },
  },
): RekeyError {
  return new RekeyError(
    "config",
    `error reading cert pool: ${reason}`,
    options,
  );
}

/** A file that is there need not be fetched. */
function poolHint(path: string, error: unknown): Hint | undefined {
  if (error instanceof UnusableFileError) return undefined;
  return error instanceof Deno.errors.PermissionDenied
    ? accessFacts(path, error)
    : { remedy: "fetch the root" };
}
