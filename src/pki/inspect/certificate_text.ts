/**
 * A certificate or a request as text, line by line that of the original
 * (smallstep/certinfo, which is near to OpenSSL's), so that what reads the one
 * reads the other.
 *
 * Control characters are shown, and never reach a terminal.
 */
import { printable } from "../../base/printable.ts";
import { DerFields, readDer } from "../asn1/der.ts";
import type { AlgorithmIdentifier } from "../asn1/der_values.ts";
import { explainMalformed } from "../asn1/malformed.ts";
import type { Certificate } from "../certificate/certificate.ts";
import type { CertificateRequest } from "../certificate/certificate_request.ts";
import {
  certificateExtensionLines,
  colons,
  dateText,
  requestedExtensionLines,
  rows,
  VALUE,
} from "./extension_text.ts";
import { keyFacts, signatureName } from "./key_facts.ts";
import { nameLine } from "./names.ts";

export function certificateText(certificate: Certificate): string {
  const { version, extensions, serial } = certificate;
  const number = BigInt(`0x${serial}`);
  return textOf([
    "Certificate:",
    "    Data:",
    versionLine(version),
    `        Serial Number: ${number} (0x${number.toString(16)})`,
    `    Signature Algorithm: ${signatureName(certificate.signatureAlgorithm)}`,
    `        Issuer: ${nameLine(certificate.issuerDer)}`,
    "        Validity",
    `            Not Before: ${dateText(certificate.notBefore)}`,
    `            Not After : ${dateText(certificate.notAfter)}`,
    ...subjectLines(certificate),
    ...uniqueIdLines(certificate),
    ...extensions.length === 0 ? [] : ["        X509v3 extensions:"],
    ...extensions.flatMap((extension) =>
      certificateExtensionLines(certificate, extension)
    ),
    ...signatureLines(certificate),
  ]);
}

export function certificateRequestText(request: CertificateRequest): string {
  return textOf([
    "Certificate Request:",
    "    Data:",
    versionLine(request.version),
    ...subjectLines(request),
    ...requestedExtensionLines(request),
    ...signatureLines(request),
  ]);
}

function textOf(lines: readonly string[]): string {
  return `${lines.map(printable).join("\n")}\n`;
}

/** Go takes 0 for the first version of a request, and so do the numbers. */
function versionLine(version: number): string {
  return `        Version: ${version} (0x${Math.max(version - 1, 0)})`;
}

function subjectLines(
  { subjectDer, publicKey }: Pick<Certificate, "subjectDer" | "publicKey">,
): readonly string[] {
  const subject = nameLine(subjectDer);
  return [
    `        Subject:${subject === "" ? "" : ` ${subject}`}`,
    "        Subject Public Key Info:",
    ...keyLines(publicKey),
  ];
}

function keyLines(publicKey: Uint8Array): readonly string[] {
  const key = keyFacts(publicKey);
  const name = key.algorithm === "other" ? key.name : key.algorithm;
  const head = `            Public Key Algorithm: ${name}`;
  switch (key.algorithm) {
    case "RSA":
      return [
        head,
        `${VALUE}Public-Key: (${bitLength(key.modulus)} bit)`,
        `${VALUE}Modulus:`,
        ...rows(key.modulus, KEY_ROW),
        `${VALUE}Exponent: ${key.exponent} (0x${key.exponent.toString(16)})`,
      ];
    case "ECDSA":
      return [
        head,
        `${VALUE}Public-Key: (${key.bits} bit)`,
        `${VALUE}X:`,
        ...rows(key.x, KEY_ROW),
        `${VALUE}Y:`,
        ...rows(key.y, KEY_ROW),
        `${VALUE}Curve: ${key.curve}`,
      ];
    case "Ed25519":
      return [
        head,
        // Octets, but it is what the original says.
        `${VALUE}Public-Key: (${key.octets.length} bit)`,
        ...rows(key.octets, KEY_ROW),
      ];
    case "other":
      return [head];
  }
}

function bitLength(number: Uint8Array): number {
  const [first = 0, ...rest] = number;
  return rest.length * 8 + first.toString(2).length;
}

const KEY_ROW = { octets: 15, indent: 20 } as const;
const SIGNATURE_ROW = { octets: 18, indent: 9 } as const;

/** RFC 5280 §4.1.2.8, of old certificates only. */
function uniqueIdLines({ tbs }: Certificate): readonly string[] {
  const elements = explainMalformed(() => new DerFields(readDer(tbs)));
  const lines: string[] = [];
  while (!elements.isAtEnd) {
    const { tag, content } = elements.take();
    const whose = tag === 0x81 ? "Issuer" : tag === 0x82 ? "Subject" : "";
    if (whose === "" || content.length < 2) continue;
    lines.push(`        ${whose} Unique ID: ${colons(content.subarray(1))}`);
  }
  return lines;
}

function signatureLines(
  { signatureAlgorithm, signature }: {
    readonly signatureAlgorithm: AlgorithmIdentifier;
    readonly signature: Uint8Array;
  },
): readonly string[] {
  return [
    `    Signature Algorithm: ${signatureName(signatureAlgorithm)}`,
    ...rows(signature, SIGNATURE_ROW),
  ];
}
