/** Usages of keys by all of the names that people and clients know them by. */
import type { KeyUsage } from "../certificate/extensions.ts";

export interface UsageNames {
  /** In text. */
  readonly text: string;
  /** In JSON. */
  readonly member: string;
}

/** RFC 5280 §4.2.1.3, in the order of the bits. */
export const KEY_USAGE_NAMES: Readonly<Record<KeyUsage, UsageNames>> = {
  digitalSignature: { text: "Digital Signature", member: "digital_signature" },
  contentCommitment: {
    text: "Content Commitment",
    member: "content_commitment",
  },
  keyEncipherment: { text: "Key Encipherment", member: "key_encipherment" },
  dataEncipherment: { text: "Data Encipherment", member: "data_encipherment" },
  keyAgreement: { text: "Key Agreement", member: "key_agreement" },
  keyCertSign: { text: "Certificate Sign", member: "certificate_sign" },
  cRLSign: { text: "CRL Sign", member: "crl_sign" },
  encipherOnly: { text: "Encipher Only", member: "encipher_only" },
  decipherOnly: { text: "Decipher Only", member: "decipher_only" },
};

/** Extended usages by object identifier (RFC 5280 §4.2.1.12). */
export const EXTENDED_USAGE_NAMES: ReadonlyMap<string, UsageNames> = new Map([
  ["2.5.29.37.0", { text: "Any Usage", member: "any" }],
  ["1.3.6.1.5.5.7.3.1", {
    text: "Server Authentication",
    member: "server_auth",
  }],
  ["1.3.6.1.5.5.7.3.2", {
    text: "Client Authentication",
    member: "client_auth",
  }],
  ["1.3.6.1.5.5.7.3.3", { text: "Code Signing", member: "code_signing" }],
  ["1.3.6.1.5.5.7.3.4", {
    text: "E-mail Protection",
    member: "email_protection",
  }],
  ["1.3.6.1.5.5.7.3.5", {
    text: "IPSec End System",
    member: "ipsec_end_system",
  }],
  ["1.3.6.1.5.5.7.3.6", { text: "IPSec Tunnel", member: "ipsec_tunnel" }],
  ["1.3.6.1.5.5.7.3.7", { text: "IPSec User", member: "ipsec_user" }],
  ["1.3.6.1.5.5.7.3.8", { text: "Time Stamping", member: "time_stamping" }],
  ["1.3.6.1.5.5.7.3.9", { text: "OCSP Signing", member: "ocsp_signing" }],
]);
