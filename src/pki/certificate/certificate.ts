/**
 * X.509 certificates as plain data, read from PEM or DER.
 *
 * Everything that is compared or verified later (names, key, signed part) is a
 * piece of the original bytes: nothing here is encoded anew.
 */
import { equalBytes } from "../../base/bytes.ts";
import { DER_TAG, type DerElement, DerFields, readDer } from "../asn1/der.ts";
import {
  type AlgorithmIdentifier,
  readAlgorithm,
  readBoolean,
  readInteger,
  readObjectIdentifier,
  readOctetBits,
  readPublicKeyInfo,
  readSmallInteger,
  readTime,
} from "../asn1/der_values.ts";
import { readDistinguishedName } from "./distinguished_name.ts";
import { generalNameToText, readAlternativeNames } from "./general_name.ts";
import { explainMalformed, MalformedError } from "../asn1/malformed.ts";
import { isPem, parsePem, toPem } from "../asn1/pem.ts";

/** One X.509 v3 extension; `value` is the content of extnValue. */
export interface CertificateExtension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array<ArrayBuffer>;
}

/** Object identifiers of the extensions that the program looks into. */
export const EXTENSION_OID = {
  subjectKeyIdentifier: "2.5.29.14",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  nameConstraints: "2.5.29.30",
  crlDistributionPoints: "2.5.29.31",
  certificatePolicies: "2.5.29.32",
  authorityKeyIdentifier: "2.5.29.35",
  extendedKeyUsage: "2.5.29.37",
} as const;

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

/** The certificates of a file or of an answer, in order: of a chain, leaf first. */
export type CertificateChain = readonly [Certificate, ...Certificate[]];

/** Whether subject and issuer are the same name; says nothing of signatures. */
export function isSelfIssued({ subjectDer, issuerDer }: Certificate): boolean {
  return equalBytes(subjectDer, issuerDer);
}

/** From notBefore to notAfter, in ms. */
export function lifetimeMs({ notBefore, notAfter }: Certificate): number {
  return notAfter.getTime() - notBefore.getTime();
}

/**
 * Parses one DER certificate (RFC 5280 §4.1).
 *
 * Refuses what two readers could understand in two ways: duplicate extensions,
 * negative serial numbers, two different signature algorithms, bytes behind the
 * end.
 *
 * @throws {MalformedError}
 */
export function parseCertificate(der: Uint8Array): Certificate {
  return explainMalformed(() => readCertificate(readDer(der)));
}

/**
 * Reads a certificate file: every PEM block `CERTIFICATE` without headers, in
 * file order, or one DER certificate. A damaged block fails the file
 * (go.step.sm/crypto pemutil/pem.go, ReadCertificateBundle).
 *
 * @throws {MalformedError}
 */
export function parseChain(content: Uint8Array): CertificateChain {
  if (!isPem(content)) return [parseCertificate(content)];
  const [first, ...others] = parsePem(content)
    .filter(({ label, headers }) =>
      label === "CERTIFICATE" && headers.size === 0
    )
    .map(({ der }) => parseCertificate(der));
  if (first === undefined) {
    throw new MalformedError(
      "does not contain a valid PEM encoded certificate",
    );
  }
  return [first, ...others];
}

/** The chain as PEM: 64 columns, LF, leaf first, nothing between the blocks. */
export function chainToPem(chain: readonly Certificate[]): string {
  return chain.map(({ der }) => toPem("CERTIFICATE", der)).join("");
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
  const version = readVersion(fields.takeExplicit(0xa0));
  const serial = readSerial(fields.take());
  if (!equalBytes(fields.take().der, algorithm.der)) {
    throw new SyntaxError(
      "inner and outer signature algorithm identifiers don't match",
    );
  }
  const issuer = fields.take();
  const validity = new DerFields(fields.take());
  const subject = fields.take();
  const publicKey = fields.take();
  readPublicKeyInfo(publicKey);
  fields.takeOptional(0x81); // issuerUniqueID
  fields.takeOptional(0x82); // subjectUniqueID
  const extensions = readExtensions(fields.takeExplicit(0xa3), version);
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
    publicKey: publicKey.der.slice(),
    extensions,
  };
}

function readVersion(element: DerElement | undefined): 1 | 2 | 3 {
  const version = element === undefined ? 0 : readSmallInteger(element);
  if (version === 0) return 1;
  if (version === 1) return 2;
  if (version === 2) return 3;
  throw new SyntaxError("unknown version");
}

function readSerial(element: DerElement): string {
  const octets = readInteger(element);
  const [first = 0] = octets;
  if (first >= 0x80) throw new SyntaxError("negative serial number");
  // A leading zero octet only keeps the number positive.
  const isSignOctet = first === 0 && octets.length > 1;
  return octets.subarray(isSignOctet ? 1 : 0).toHex().toUpperCase();
}

function readExtensions(
  element: DerElement | undefined,
  version: number,
): readonly CertificateExtension[] {
  if (element === undefined) return [];
  if (version !== 3) throw new SyntaxError("extensions need version 3");
  return readExtensionList(element);
}

/**
 * Extensions (RFC 5280 §4.1).
 *
 * @throws {SyntaxError} also when one of them is there twice
 */
export function readExtensionList(
  element: DerElement,
): readonly CertificateExtension[] {
  const list = new DerFields(element);
  const extensions = new Map<string, CertificateExtension>();
  while (!list.isAtEnd) {
    const extension = readExtension(list.take());
    if (extensions.has(extension.oid)) {
      throw new SyntaxError(
        `certificate contains duplicate extension with OID "${extension.oid}"`,
      );
    }
    extensions.set(extension.oid, extension);
  }
  return [...extensions.values()];
}

function readExtension(element: DerElement): CertificateExtension {
  const fields = new DerFields(element);
  const oid = readObjectIdentifier(fields.take());
  const flag = fields.takeOptional(DER_TAG.boolean);
  const value = fields.take(DER_TAG.octetString).content.slice();
  fields.end();
  return { oid, critical: flag !== undefined && readBoolean(flag), value };
}

/** The subject alternative names, typed: see {@linkcode Certificate}. */
export function readNames(
  extensions: readonly CertificateExtension[],
): readonly string[] {
  const extension = extensions.find(({ oid }) =>
    oid === EXTENSION_OID.subjectAltName
  );
  if (extension === undefined) return [];
  return readAlternativeNames(extension.value).map(generalNameToText);
}
