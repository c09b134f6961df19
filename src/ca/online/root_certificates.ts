/**
 * Reads `--root`: the certificates that this program trusts, and no others.
 *
 * Texts and rules are those of the original (go.step.sm/crypto
 * x509util/certpool.go): a file, a directory of files or a comma-separated list
 * of files; PEM only; blocks that do not parse are skipped, one must be left.
 */
import { RekeyError } from "../../base/errors.ts";
import { osReason } from "../../base/os_error.ts";
import {
  type Certificate,
  parseChain,
} from "../../pki/certificate/certificate.ts";
import { MalformedError } from "../../pki/asn1/malformed.ts";
import { pemPieces } from "../../pki/asn1/pem.ts";

/**
 * The root certificates that `root` names, in file order.
 *
 * @returns at least one certificate
 * @throws {RekeyError} kind `config`, `error reading cert pool: …`
 */
export async function readRootCertificates(
  root: string,
): Promise<readonly Certificate[]> {
  const found: Certificate[] = [];
  for (const file of await rootFiles(root)) {
    for (const piece of pemPieces(await readText(file))) {
      const certificate = parsePiece(piece);
      if (certificate !== undefined) found.push(certificate);
    }
  }
  if (found.length > 0) return found;
  throw new RekeyError(
    "config",
    "error reading cert pool: not certificates found",
    { hint: `${root} has to hold the CA's root certificate as PEM` },
  );
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
    return new TextDecoder().decode(await Deno.readFile(file));
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
  return new RekeyError(
    "config",
    `error reading cert pool: ${action} ${path}: ${osReason(error)}`,
    { hint: { remedy: "fetch the root" }, cause: error },
  );
}
