/**
 * The certificates and requests that somebody wants to look at, or to have in
 * another form.
 */
import { STANDARD_INPUT } from "../base/paths.ts";
import type { PasswordSource } from "../files/pair/key_pair.ts";
import {
  type Document,
  type FirstDocument,
  holdsKeyAlone,
  readBundle,
  readFirstDocument,
} from "../pki/inspect/documents.ts";
import { toPem } from "../pki/asn1/pem.ts";
import { readAs } from "./certificate_source.ts";
import { peerAddress, type PeerOptions } from "./peer_address.ts";

/**
 * What is in a file or on standard input (`-`), or what a server shows: the
 * first certificate or request, or all certificates.
 *
 * @throws {RekeyError} as `readCertificates`
 */
export async function readDocuments(
  source: string,
  { isBundle, peer }: {
    readonly isBundle: boolean;
    readonly peer: PeerOptions;
  },
): Promise<readonly Document[]> {
  const address = peerAddress(source);
  if (address === undefined) {
    return isBundle
      ? await readAs(source, readBundle)
      : [(await readDocument(source)).document];
  }
  const { readPeerCertificates } = await import("./peer_certificates.ts");
  const chain = await readPeerCertificates(address, peer);
  return chain.slice(0, isBundle ? undefined : 1)
    .map((value) => ({ kind: "certificate", value }));
}

/**
 * The first certificate or request of a file or of standard input (`-`).
 *
 * @throws {RekeyError} kind `pair`
 */
export async function readDocument(file: string): Promise<FirstDocument> {
  return await readAs(file, readFirstDocument);
}

/** Mode of a file that is made of standard input, or of what is no file: the original's. */
const PRIVATE_MODE = 0o600;

/** The mode that a copy of a file has, so that who reads the one reads the other. */
export async function modeOfInput(file: string): Promise<number> {
  if (file === STANDARD_INPUT) return PRIVATE_MODE;
  const { isFile, mode } = await Deno.stat(file);
  return isFile ? (mode ?? PRIVATE_MODE) & 0o777 : PRIVATE_MODE;
}

/**
 * The public key of the first certificate or request of a file, or of its
 * private key where it holds nothing else; as PEM.
 *
 * @param password asked for one that is encrypted
 * @throws {RekeyError} kind `pair`
 */
export async function readPublicKey(
  file: string,
  password: () => Promise<PasswordSource>,
): Promise<string> {
  const read = await readAs(
    file,
    (content) =>
      holdsKeyAlone(content)
        ? { content }
        : readFirstDocument(content).document.value,
  );
  return toPem(
    "PUBLIC KEY",
    "publicKey" in read
      ? read.publicKey
      : await publicHalf(file, read.content, await password()),
  );
}

async function publicHalf(
  file: string,
  content: Uint8Array,
  password: PasswordSource,
): Promise<Uint8Array> {
  const { openKey } = await import("../files/pair/key_pair.ts");
  return (await openKey({ file, content }, password)).key.publicKey;
}
