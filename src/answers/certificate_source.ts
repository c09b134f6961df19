/**
 * The certificates that a question is about: of a file, of standard input, or of
 * a server that shows its own.
 */
import { RekeyError } from "../base/errors.ts";
import { STANDARD_INPUT } from "../base/paths.ts";
import { readInputFile } from "../files/pair/input_file.ts";
import { MalformedError } from "../pki/asn1/malformed.ts";
import {
  type CertificateChain,
  parseChain,
} from "../pki/certificate/certificate.ts";
import { peerAddress, type PeerOptions } from "./peer_address.ts";

/**
 * The certificates of `source`, leaf first: every one of a PEM file, the one of
 * a DER file, or what a server shows. `-` is standard input.
 *
 * @throws {RekeyError} kind `pair` for a file, with the system's error as its
 *   cause; kinds `unreachable` and `untrusted` for a server, `config` for its
 *   roots
 */
export async function readCertificates(
  source: string,
  options: PeerOptions,
): Promise<CertificateChain> {
  const address = peerAddress(source);
  if (address !== undefined) {
    const { readPeerCertificates } = await import("./peer_certificates.ts");
    return await readPeerCertificates(address, options);
  }
  return await readAs(source, parseChain);
}

/**
 * The content of a file or of standard input (`-`), as `parse` reads it.
 *
 * @throws {RekeyError} kind `pair`
 */
export async function readAs<T>(
  file: string,
  parse: (content: Uint8Array) => T,
): Promise<T> {
  const content = await readInputFile(file);
  try {
    if (content.length === 0) throw new MalformedError("it is empty");
    return parse(content);
  } catch (error) {
    throw unusable(file, error);
  }
}

/** What is wrong with the content of a file; any other error as it is. */
export function unusable(file: string, error: unknown): unknown {
  if (!(error instanceof MalformedError)) return error;
  const { message, hint } = error;
  const name = file === STANDARD_INPUT ? "standard input" : file;
  return new RekeyError("pair", `error parsing ${name}: ${message}`, {
    hint,
    cause: error,
  });
}
