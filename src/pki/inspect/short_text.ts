/** A certificate or a request in a few lines, those of the original. */
import { printable } from "../../base/printable.ts";
import { readDer } from "../asn1/der.ts";
import { explainMalformed } from "../asn1/malformed.ts";
import { type Certificate, EXTENSION_OID } from "../certificate/certificate.ts";
import type { CertificateRequest } from "../certificate/certificate_request.ts";
import { readDistinguishedName } from "../certificate/distinguished_name.ts";
import {
  basicConstraints,
  type Extended,
  findExtension,
} from "../certificate/extensions.ts";
import { STEP_PROVISIONER_OID } from "../certificate/step_extension.ts";
import { isValidSignature } from "../keys/signature.ts";
import { alternativeNames, provisioner } from "./extension_facts.ts";
import { keyFacts } from "./key_facts.ts";

export async function shortCertificateText(
  certificate: Certificate,
): Promise<string> {
  const { notBefore, notAfter, serial, publicKey } = certificate;
  const number = abbreviated(String(BigInt(`0x${serial}`)));
  const issuer = commonNameOf(certificate.issuerDer);
  return textOf([
    `X.509v3 ${await kindOf(certificate)} Certificate (${
      keyText(publicKey)
    }) [Serial: ${number}]`,
    ...subjectLines(certificate),
    `  Issuer:      ${issuer}`,
    ...provisionerLines(certificate),
    `  Valid from:  ${timeText(notBefore)}`,
    `          to:  ${timeText(notAfter)}`,
  ]);
}

export function shortRequestText(request: CertificateRequest): string {
  return textOf([
    `X.509v3 Certificate Signing Request (${keyText(request.publicKey)})`,
    ...subjectLines(request),
  ]);
}

function textOf(lines: readonly string[]): string {
  return `${lines.map(printable).join("\n")}\n`;
}

async function kindOf(certificate: Certificate): Promise<string> {
  if (basicConstraints(certificate)?.isCa !== true) return "TLS";
  return await isSelfSigned(certificate) ? "Root CA" : "Intermediate CA";
}

/** Whether its own key has signed it. */
export async function isSelfSigned(
  { tbs: data, signature, signatureAlgorithm: algorithm, publicKey }:
    Certificate,
): Promise<boolean> {
  return await isValidSignature({ data, signature, algorithm }, publicKey);
}

function keyText(publicKey: Uint8Array): string {
  const key = keyFacts(publicKey);
  switch (key.algorithm) {
    case "RSA":
      return `RSA ${key.modulus.length * 8}`;
    case "ECDSA":
      return `ECDSA ${key.curve}`;
    case "Ed25519":
      return `Ed25519 ${key.octets.length * 8}`;
    case "other":
      return key.name;
  }
}

/** The common name, and each other name below it. */
function subjectLines(
  subject: Extended & Pick<Certificate, "commonName">,
): readonly string[] {
  const { commonName = "" } = subject;
  const extension = findExtension(subject, EXTENSION_OID.subjectAltName);
  const { dns, ip, email, uri } = extension === undefined
    ? NO_NAMES
    : alternativeNames(extension.value);
  const others = [...dns, ...ip, ...email, ...uri];
  const [first, ...rest] = [commonName, ...others].filter((name, index) =>
    name !== "" && (index === 0 || name !== commonName)
  );
  // With a blank at its end, as in the original.
  if (first === undefined) return ["  Subject: "];
  return [
    `  Subject:     ${first}`,
    ...rest.map((name) => `               ${name}`),
  ];
}

const NO_NAMES = { dns: [], ip: [], email: [], uri: [] } as const;

function commonNameOf(nameDer: Uint8Array): string {
  return explainMalformed(() =>
    readDistinguishedName(readDer(nameDer)).commonName
  ) ?? "";
}

function provisionerLines(certificate: Certificate): readonly string[] {
  const extension = findExtension(certificate, STEP_PROVISIONER_OID);
  if (extension === undefined) return [];
  const { name, credentialId } = provisioner(extension.value);
  const id = credentialId === "" ? "" : ` [ID: ${abbreviated(credentialId)}]`;
  return [`  Provisioner: ${name}${id}`];
}

/** RFC 3339 in seconds. */
function timeText(time: Date): string {
  return time.toISOString().replace(".000Z", "Z");
}

/** Its beginning and end. */
function abbreviated(text: string): string {
  return text.length <= 8 ? text : `${text.slice(0, 4)}...${text.slice(-4)}`;
}
