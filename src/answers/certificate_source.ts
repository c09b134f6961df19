/**
 * The certificates that a question is about: of a file, of standard input, or of
 * a server that shows its own.
 */
import { RekeyError } from "../base/errors.ts";
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
  const content = await readInputFile(source);
  try {
    return parseChain(content);
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    const { message, hint } = error;
    throw new RekeyError("pair", `error parsing ${source}: ${message}`, {
      hint,
      cause: error,
    });
  }
}
