/**
 * X.509 certificates as plain data, read from PEM or DER.
 */

/** One X.509 v3 extension; `value` is the content of extnValue. */
export interface CertificateExtension {
  readonly oid: string;
  readonly critical: boolean;
  readonly value: Uint8Array<ArrayBuffer>;
}

/** The fields of a certificate that the program uses, parsed once. */
export interface Certificate {
  /** As issued, DER. */
  readonly der: Uint8Array<ArrayBuffer>;
  /** DER of tbsCertificate, as signed. */
  readonly tbs: Uint8Array<ArrayBuffer>;
  /** RFC 4514 text; empty for an empty subject. */
  readonly subject: string;
  /** First common name of the subject, or undefined. */
  readonly commonName: string | undefined;
  readonly issuer: string;
  /** DER of the names: what "same subject" and "issued by" compare. */
  readonly subjectDer: Uint8Array<ArrayBuffer>;
  readonly issuerDer: Uint8Array<ArrayBuffer>;
  /** Subject alternative names in order, typed: `DNS:a`, `IP:10.0.0.1`, `email:a@b`, `URI:spiffe://x`, `other:<hex>`. */
  readonly names: readonly string[];
  /** Upper-case hexadecimal without leading zero bytes, as openssl prints it. */
  readonly serial: string;
  /** Inclusive, second resolution. */
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** SubjectPublicKeyInfo DER: what "match" compares. */
  readonly publicKey: Uint8Array<ArrayBuffer>;
  /** OID and DER parameters of the signature algorithm. */
  readonly signatureAlgorithm: {
    readonly oid: string;
    readonly parameters: Uint8Array<ArrayBuffer> | undefined;
  };
  readonly signature: Uint8Array<ArrayBuffer>;
  readonly extensions: readonly CertificateExtension[];
}

/**
 * Parses one DER certificate.
 *
 * @throws {RekeyError} kind `pair`, with a text without file name such as
 *   `malformed certificate`; callers put the file in front
 */
export function parseCertificate(_der: Uint8Array): Certificate {
  throw new Error("contract only");
}

/**
 * Reads a certificate file: every PEM block `CERTIFICATE` in file order, or one
 * DER certificate (parity: at least one; a damaged block fails the file).
 *
 * @throws {RekeyError} kind `pair`, text without file name
 */
export function parseChain(_content: Uint8Array): readonly Certificate[] {
  throw new Error("contract only");
}

/** The chain as PEM: 64 columns, LF, leaf first, nothing between the blocks. */
export function chainToPem(_chain: readonly Certificate[]): string {
  throw new Error("contract only");
}
