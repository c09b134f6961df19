/**
 * The certificates and requests in the bytes of a file, PEM or DER.
 */
import { MalformedError } from "../asn1/malformed.ts";
import { isPem, parsePem, type PemBlock, toPem } from "../asn1/pem.ts";
import {
  type Certificate,
  parseCertificate,
} from "../certificate/certificate.ts";
import {
  type CertificateRequest,
  parseCertificateRequest,
} from "../certificate/certificate_request.ts";

/** What may be looked at. */
export type Document =
  | { readonly kind: "certificate"; readonly value: Certificate }
  | { readonly kind: "request"; readonly value: CertificateRequest };

const CERTIFICATE = "CERTIFICATE";
const REQUEST = "CERTIFICATE REQUEST";
/** The second one is Microsoft's (RFC 7468 §7). */
const REQUEST_LABELS: readonly string[] = [REQUEST, `NEW ${REQUEST}`];

/** Bytes in either encoding, and which it was. */
export interface FirstDocument {
  readonly document: Document;
  readonly wasPem: boolean;
}

/**
 * The first certificate or request; other PEM blocks in front of it are skipped,
 * so that it may stand behind a key.
 *
 * @throws {MalformedError}
 */
export function readFirstDocument(content: Uint8Array): FirstDocument {
  if (!isPem(content)) return { document: readDer(content), wasPem: false };
  const blocks = parsePem(content);
  const block = blocks.find(({ label }) => isOfDocument(label));
  if (block === undefined) throw unexpected(blocks[0]);
  return { document: readBlock(block), wasPem: true };
}

/** Whether it is PEM with a private key, and nothing to look at. */
export function holdsKeyAlone(content: Uint8Array): boolean {
  if (!isPem(content)) return false;
  const labels = parsePem(content).map(({ label }) => label);
  return !labels.some(isOfDocument) &&
    labels.some((label) => label.endsWith("PRIVATE KEY"));
}

/**
 * All certificates of a bundle, in their order, or one request.
 *
 * @throws {MalformedError} also for a bundle with something else in it
 */
export function readBundle(content: Uint8Array): readonly Document[] {
  if (!isPem(content)) return [readDer(content)];
  const blocks = parsePem(content);
  const stranger = blocks.find(({ label }) => label !== CERTIFICATE);
  if (stranger !== undefined) {
    throw new MalformedError(
      `contains an unexpected PEM block of type ${stranger.label}; expected type: ${CERTIFICATE}`,
    );
  }
  if (blocks.length === 0) throw unexpected(undefined);
  return blocks.map(readBlock);
}

function readDer(der: Uint8Array): Document {
  try {
    return { kind: "certificate", value: parseCertificate(der) };
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    try {
      return { kind: "request", value: parseCertificateRequest(der) };
    } catch (other) {
      if (!(other instanceof MalformedError)) throw other;
      throw new MalformedError(
        "it is neither PEM nor a certificate or certificate request in DER",
        { cause: error },
      );
    }
  }
}

function readBlock({ label, der }: PemBlock): Document {
  return label === CERTIFICATE
    ? { kind: "certificate", value: parseCertificate(der) }
    : { kind: "request", value: parseCertificateRequest(der) };
}

function isOfDocument(label: string): boolean {
  return label === CERTIFICATE || REQUEST_LABELS.includes(label);
}

function unexpected(block: PemBlock | undefined): MalformedError {
  const found = block === undefined
    ? "no PEM block"
    : JSON.stringify(block.label);
  return new MalformedError(
    `expected [${CERTIFICATE}|${REQUEST}] but got ${found}`,
  );
}

/** The document as PEM. */
export function documentPem({ kind, value: { der } }: Document): string {
  return toPem(kind === "certificate" ? CERTIFICATE : REQUEST, der);
}
