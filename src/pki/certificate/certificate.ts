/**
 * X.509 certificates as plain data, read from PEM or DER.
 *
 * Everything that is compared or verified later (names, key, signed part) is a
 * piece of the original bytes: nothing here is encoded anew.
 */
import { RekeyError } from "../../base/errors.ts";
import {
  type CertificateExtension,
  readExtensions,
} from "./certificate_extension.ts";
import { readTime } from "./certificate_time.ts";
import {
  DER_TAG,
  type DerElement,
  DerFields,
  equalBytes,
  readDer,
} from "../asn1/der.ts";
import {
  type AlgorithmIdentifier,
  readAlgorithm,
  readInteger,
  readOctetBits,
  readSmallInteger,
} from "../asn1/der_values.ts";
import { readDistinguishedName } from "./distinguished_name.ts";
import { generalNameToText, readAlternativeNames } from "./general_name.ts";
import { isPem, parsePem, toPem } from "../asn1/pem.ts";

export type { AlgorithmIdentifier, CertificateExtension };

/**
 * The fields of a certificate that the program uses, parsed once. Each array of
 * bytes has a buffer of its own.
 */
export interface Certificate {
  /** As issued, DER. */
  readonly der: Uint8Array<ArrayBuffer>;
  /** DER of tbsCertificate, as signed. */
  readonly tbs: Uint8Array<ArrayBuffer>;
  /** 1 and 2 have no extensions, so nothing says whether they are a CA's. */
  readonly version: 1 | 2 | 3;
  /** RFC 4514 text, safe to print; empty for an empty subject. */
  readonly subject: string;
  /** First common name of the subject, or undefined. As it is: not safe to print. */
  readonly commonName: string | undefined;
  readonly issuer: string;
  /** DER of the names: what "same subject" and "issued by" compare. */
  readonly subjectDer: Uint8Array<ArrayBuffer>;
  readonly issuerDer: Uint8Array<ArrayBuffer>;
  /**
   * Subject alternative names in order, typed: `DNS:a`, `IP:10.0.0.1`,
   * `email:a@b`, `URI:spiffe://x`, `other:<hex>`. Equal lists, equal extensions.
   */
  readonly names: readonly string[];
  /** Upper-case hexadecimal without leading zero bytes, as openssl prints it. */
  readonly serial: string;
  /** Inclusive, second resolution. */
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SubjectPublicKeyInfo DER: what "match" compares. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly signatureAlgorithm: AlgorithmIdentifier;
  readonly signature: Uint8Array<ArrayBuffer>;
  readonly extensions: readonly CertificateExtension[];
}

/**
 * Parses one DER certificate (RFC 5280 §4.1).
 *
 * Refuses what Go's crypto/x509 refuses of it, since the CA could not read such
 * a certificate either: duplicate extensions, negative serial numbers, two
 * different signature algorithms, bytes behind the end.
 *
 * @throws {RekeyError} kind `pair`, with a text without file name such as
 *   `malformed certificate`; callers put the file in front
 */
export function parseCertificate(der: Uint8Array): Certificate {
  return explainMalformed(() => readCertificate(readDer(der)));
}

/**
 * Reads a certificate file: every PEM block `CERTIFICATE` without headers, in
 * file order, or one DER certificate. There is at least one; a damaged block
 * fails the file (go.step.sm/crypto pemutil/pem.go, ReadCertificateBundle).
 *
 * @throws {RekeyError} kind `pair`, text without file name
 */
export function parseChain(content: Uint8Array): readonly Certificate[] {
  if (!isPem(content)) return [parseCertificate(content)];
  const chain = parsePem(content)
    .filter(({ label, headers }) =>
      label === "CERTIFICATE" && headers.size === 0
    )
    .map(({ der }) => parseCertificate(der));
  if (chain.length === 0) {
    throw new RekeyError(
      "pair",
      "does not contain a valid PEM encoded certificate",
    );
  }
  return chain;
}

/** The chain as PEM: 64 columns, LF, leaf first, nothing between the blocks. */
export function chainToPem(chain: readonly Certificate[]): string {
  return chain.map(({ der }) => toPem("CERTIFICATE", der)).join("");
}

/**
 * Runs a reader of certificate parts.
 *
 * @throws {RekeyError} kind `pair`: `malformed certificate`, and the reason
 *   where there is a short one
 */
export function explainMalformed<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const reason = error.message === "" ? "" : `: ${error.message}`;
    throw new RekeyError("pair", `malformed certificate${reason}`, {
      cause: error,
    });
  }
}

function readCertificate(outer: DerElement): Certificate {
  const fields = new DerFields(outer);
  const tbs = fields.take(DER_TAG.sequence);
  const algorithm = fields.take(DER_TAG.sequence);
  const signature = readOctetBits(fields.take());
  fields.end();
  return {
    der: outer.der.slice(),
    tbs: tbs.der.slice(),
    ...readSignedPart(tbs, algorithm),
    signatureAlgorithm: readAlgorithm(algorithm),
    signature: signature.slice(),
  };
}

type SignedPart = Omit<
  Certificate,
  "der" | "tbs" | "signatureAlgorithm" | "signature"
>;

function readSignedPart(tbs: DerElement, algorithm: DerElement): SignedPart {
  const fields = new DerFields(tbs);
  const version = readVersion(fields.takeOptional(0xa0));
  const serial = readSerial(fields.take());
  if (!equalBytes(fields.take().der, algorithm.der)) {
    throw new SyntaxError(
      "inner and outer signature algorithm identifiers don't match",
    );
  }
  const issuer = fields.take();
  const validity = new DerFields(fields.take());
  const subject = fields.take();
  const publicKey = readPublicKeyInfo(fields.take());
  fields.takeOptional(0x81); // issuerUniqueID
  fields.takeOptional(0x82); // subjectUniqueID
  const extensions = readExtensions(fields.takeOptional(0xa3), version);
  fields.end();
  const notBefore = readTime(validity.take());
  const notAfter = readTime(validity.take());
  validity.end();
  const { text, commonName } = readDistinguishedName(subject);
  return {
    version,
    subject: text,
    commonName,
    issuer: readDistinguishedName(issuer).text,
    subjectDer: subject.der.slice(),
    issuerDer: issuer.der.slice(),
    names: readNames(extensions),
    serial,
    notBefore,
    notAfter,
    publicKey,
    extensions,
  };
}

function readVersion(tagged: DerElement | undefined): 1 | 2 | 3 {
  if (tagged === undefined) return 1;
  const fields = new DerFields(tagged, 0xa0);
  const version = readSmallInteger(fields.take());
  fields.end();
  switch (version) {
    case 0:
      return 1;
    case 1:
      return 2;
    case 2:
      return 3;
    default:
      throw new SyntaxError("unknown version");
  }
}

function readSerial(element: DerElement): string {
  const octets = readInteger(element);
  const [first = 0] = octets;
  if (first >= 0x80) throw new SyntaxError("negative serial number");
  // A leading zero octet only keeps the number positive.
  const isSignOctet = first === 0 && octets.length > 1;
  return octets.subarray(isSignOctet ? 1 : 0).toHex().toUpperCase();
}

function readPublicKeyInfo(element: DerElement): Uint8Array<ArrayBuffer> {
  const fields = new DerFields(element);
  readAlgorithm(fields.take());
  readOctetBits(fields.take());
  fields.end();
  return element.der.slice();
}

function readNames(
  extensions: readonly CertificateExtension[],
): readonly string[] {
  const extension = extensions.find(({ oid }) => oid === "2.5.29.17");
  if (extension === undefined) return [];
  return readAlternativeNames(extension.value).map(generalNameToText);
}
