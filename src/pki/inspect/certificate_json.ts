/**
 * A certificate or a request as JSON, with the members that the original writes
 * (smallstep/zcrypto x509/json.go) as far as they say something of this one: not
 * the numbers of its curve, the notices of its policies and the timestamps of
 * certificate transparency.
 */
import { sha256 } from "../../base/bytes.ts";
import { addressToText } from "../../base/ip_address.ts";
import { escapeForJson } from "../../base/printable.ts";
import { DerFields, readDer } from "../asn1/der.ts";
import {
  type AlgorithmIdentifier,
  readObjectIdentifier,
} from "../asn1/der_values.ts";
import { writeDer, writeSequence } from "../asn1/der_writer.ts";
import { explainMalformed } from "../asn1/malformed.ts";
import {
  type Certificate,
  type CertificateExtension,
  EXTENSION_OID,
} from "../certificate/certificate.ts";
import type { CertificateRequest } from "../certificate/certificate_request.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  type Extended,
  extendedKeyUsage,
  findExtension,
  keyUsage,
  subjectKeyIdentifier,
} from "../certificate/extensions.ts";
import type { GeneralName } from "../certificate/general_name.ts";
import { STEP_PROVISIONER_OID } from "../certificate/step_extension.ts";
import { nameConstraints } from "../verify/name_constraints.ts";
import { constraintText } from "../verify/name_matching.ts";
import {
  type AlternativeNames,
  alternativeNames,
  crlAddresses,
  FURTHER_OID,
  informationAccess,
  policies,
  provisioner,
} from "./extension_facts.ts";
import { keyJson, signatureName } from "./key_facts.ts";
import { nameMembers, nameText } from "./names.ts";
import { isSelfSigned } from "./short_text.ts";
import { EXTENDED_USAGE_NAMES, KEY_USAGE_NAMES } from "./usages.ts";

/** A member without a value is left out. */
type Json =
  | string
  | number
  | boolean
  | undefined
  | readonly Json[]
  | { readonly [member: string]: Json };

/** The object of one certificate. */
export async function certificateJson(certificate: Certificate): Promise<Json> {
  const { der, tbs, publicKey, subjectDer, issuerDer } = certificate;
  const isOwn = await isSelfSigned(certificate);
  const names = namesOf(certificate);
  const start = certificate.notBefore;
  const end = certificate.notAfter;
  return {
    version: certificate.version,
    serial_number: String(BigInt(`0x${certificate.serial}`)),
    signature_algorithm: algorithmJson(certificate.signatureAlgorithm),
    issuer: nameMembers(issuerDer),
    issuer_dn: nameText(issuerDer) || undefined,
    validity: {
      start: timeText(start),
      end: timeText(end),
      length: (end.getTime() - start.getTime()) / 1000,
    },
    subject: nameMembers(subjectDer),
    subject_dn: nameText(subjectDer) || undefined,
    subject_key_info: {
      ...keyJson(publicKey),
      fingerprint_sha256: await sha256(publicKey),
    },
    extensions: extensionsJson(certificate),
    unknown_extensions: some(
      certificate.extensions.filter(({ oid }) => !KNOWN.has(oid))
        .map(extensionJson),
    ),
    signature: {
      signature_algorithm: algorithmJson(certificate.signatureAlgorithm),
      value: certificate.signature.toBase64(),
      // Of what has no issuer at hand the original never says more.
      valid: false,
      self_signed: isOwn,
    },
    fingerprint_md5: await weakDigest("md5", der),
    fingerprint_sha1: await weakDigest("sha1", der),
    fingerprint_sha256: await sha256(der),
    tbs_noct_fingerprint: await sha256(withoutTransparency(tbs)),
    spki_subject_fingerprint: await sha256(
      Uint8Array.from([...publicKey, ...subjectDer]),
    ),
    tbs_fingerprint: await sha256(tbs),
    validation_level: isOwn ? "unknown" : validationLevel(certificate),
    names: some(names),
    redacted: names.some((name) => name.startsWith("?")),
  };
}

/** The object of a request: that of Go's own fields, as the original has it. */
export function requestJson(request: CertificateRequest): Json {
  const { dns, email, ip } = subjectNames(request);
  const { key_algorithm } = keyJson(request.publicKey);
  return {
    Raw: request.der.toBase64(),
    RawTBSCertificateRequest: request.info.toBase64(),
    RawSubjectPublicKeyInfo: request.publicKey.toBase64(),
    RawSubject: request.subjectDer.toBase64(),
    Version: request.version,
    Signature: request.signature.toBase64(),
    SignatureAlgorithm: algorithmJson(request.signatureAlgorithm),
    PublicKeyAlgorithm: key_algorithm,
    Subject: nameMembers(request.subjectDer),
    Extensions: some(request.extensions.map(extensionJson)),
    DNSNames: some(dns),
    EmailAddresses: some(email),
    IPAddresses: some(ip),
  };
}

/**
 * As text: with control characters escaped, those above ASCII too, which JSON
 * allows and terminals obey.
 */
export function jsonText(value: Json, indent = 0): string {
  return JSON.stringify(value, undefined, indent).replace(
    /[\x7f-\x9f\u2028\u2029<>&]/g,
    escapeForJson,
  );
}

/** Undefined for an empty list, which is left out. */
function some<T>(list: readonly T[]): readonly T[] | undefined {
  return list.length === 0 ? undefined : list;
}

function timeText(time: Date): string {
  return time.toISOString().replace(".000Z", "Z");
}

function algorithmJson(algorithm: AlgorithmIdentifier) {
  return { name: signatureName(algorithm), oid: algorithm.oid };
}

/** Web Crypto has no MD5; both only name the certificate here. */
async function weakDigest(
  hash: "md5" | "sha1",
  bytes: Uint8Array,
): Promise<string> {
  const { createHash } = await import("node:crypto");
  return createHash(hash).update(bytes).digest("hex");
}

/** Which certificate transparency has put in (RFC 6962 §3.1, §3.3). */
const TRANSPARENCY: readonly string[] = [
  FURTHER_OID.timestamps,
  "1.3.6.1.4.1.11129.2.4.3",
];

/** Members of `extensions`; of others the octets are shown. */
const KNOWN: ReadonlySet<string> = new Set([
  ...Object.values(EXTENSION_OID),
  FURTHER_OID.issuerAltName,
  FURTHER_OID.informationAccess,
  FURTHER_OID.timestamps,
  STEP_PROVISIONER_OID,
]);

function extensionJson({ oid, critical, value }: CertificateExtension) {
  return { id: oid, critical, value: value.toBase64() };
}

function extensionsJson(certificate: Certificate): Json {
  const valueOf = (oid: string) => findExtension(certificate, oid)?.value;
  const via = <T>(oid: string, read: (value: Uint8Array) => T) => {
    const value = valueOf(oid);
    return value === undefined ? undefined : read(value);
  };
  return {
    key_usage: keyUsageJson(certificate),
    basic_constraints: basicConstraintsJson(certificate),
    subject_alt_name: via(EXTENSION_OID.subjectAltName, alternativeNamesJson),
    issuer_alt_name: via(FURTHER_OID.issuerAltName, alternativeNamesJson),
    name_constraints: nameConstraintsJson(certificate),
    crl_distribution_points: some(
      via(EXTENSION_OID.crlDistributionPoints, crlAddresses) ?? [],
    ),
    authority_key_id: authorityKeyIdentifier(certificate)?.toHex(),
    subject_key_id: subjectKeyIdentifier(certificate)?.toHex(),
    extended_key_usage: extendedKeyUsageJson(certificate),
    certificate_policies: via(
      EXTENSION_OID.certificatePolicies,
      (value) =>
        policies(value).map(({ oid, statements }) => ({
          id: oid,
          cps: some(statements),
        })),
    ),
    authority_info_access: via(FURTHER_OID.informationAccess, (value) => {
      const { ocsp, issuers } = informationAccess(value);
      return { ocsp_urls: some(ocsp), issuer_urls: some(issuers) };
    }),
    step_provisioner: via(STEP_PROVISIONER_OID, provisionerJson),
  };
}

function keyUsageJson(certificate: Certificate): Json {
  const usages = keyUsage(certificate) ?? [];
  if (usages.length === 0) return undefined;
  const bits = Object.entries(KEY_USAGE_NAMES).map((
    [usage, { member }],
    bit,
  ) => ({
    member,
    value: usages.some((each) => each === usage) ? 1 << bit : 0,
  })).filter(({ value }) => value > 0);
  return {
    ...Object.fromEntries(bits.map(({ member }) => [member, true])),
    value: bits.reduce((sum, { value }) => sum + value, 0),
  };
}

function basicConstraintsJson(certificate: Certificate): Json {
  const constraints = basicConstraints(certificate);
  return constraints && {
    is_ca: constraints.isCa,
    max_path_len: constraints.pathLength,
  };
}

function extendedKeyUsageJson(certificate: Certificate): Json {
  const oids = extendedKeyUsage(certificate);
  if (oids === undefined) return undefined;
  const members = oids.flatMap((oid) =>
    EXTENDED_USAGE_NAMES.get(oid)?.member ?? []
  );
  return {
    ...Object.fromEntries(members.map((member) => [member, true])),
    unknown: some(oids.filter((oid) => !EXTENDED_USAGE_NAMES.has(oid))),
  };
}

function alternativeNamesJson(value: Uint8Array): Json {
  const names = alternativeNames(value);
  return {
    directory_names: some(names.directory.map(({ der }) => nameMembers(der))),
    dns_names: some(names.dns),
    email_addresses: some(names.email),
    ip_addresses: some(names.ip),
    other_names: some(
      names.other.map(({ oid, value }) => ({
        id: oid,
        value: value.toBase64(),
      })),
    ),
    registered_ids: some(names.registeredIds),
    uniform_resource_identifiers: some(names.uri),
  };
}

function nameConstraintsJson(certificate: Certificate): Json {
  const constraints = nameConstraints(certificate);
  if (constraints === undefined) return undefined;
  const { permitted, excluded } = constraints;
  const of = (names: readonly GeneralName[], form: GeneralName["form"]) =>
    names.filter((name) => name.form === form);
  const texts = (names: readonly GeneralName[], form: GeneralName["form"]) =>
    some(of(names, form).map(constraintText));
  const extension = findExtension(certificate, EXTENSION_OID.nameConstraints);
  return {
    critical: extension?.critical === true,
    permitted_names: texts(permitted, "DNS"),
    permitted_email_addresses: texts(permitted, "email"),
    permitted_ip_addresses: some(of(permitted, "IP").map(addressRangeJson)),
    excluded_names: texts(excluded, "DNS"),
    excluded_email_addresses: texts(excluded, "email"),
    excluded_ip_addresses: some(of(excluded, "IP").map(addressRangeJson)),
  };
}

function addressRangeJson(name: GeneralName): Json {
  const { content } = name.element;
  const half = content.length / 2;
  const mask = content.subarray(half);
  const at = (octet: (at: number) => number) =>
    addressToText(Uint8Array.from(mask, (_, index) => octet(index)));
  return {
    cidr: constraintText(name),
    begin: at((index) => (content[index] ?? 0) & (mask[index] ?? 0)),
    end: at((index) => (content[index] ?? 0) | ~(mask[index] ?? 0) & 0xff),
    mask: addressToText(mask),
  };
}

function provisionerJson(value: Uint8Array): Json {
  const { type, number, name, credentialId, details } = provisioner(value);
  return {
    type: type ?? `Unknown (0x${number.toString(16)})`,
    name,
    credentialID: credentialId || undefined,
    ...Object.fromEntries(details.map(([key, text]) => [lowered(key), text])),
  };
}

/** With a small first letter. */
function lowered(key: string): string {
  return key.replace(/^[A-Z]/, (letter) => letter.toLowerCase());
}

/** What was signed, but for the extensions of certificate transparency. */
function withoutTransparency(tbs: Uint8Array<ArrayBuffer>) {
  return explainMalformed(() => {
    const members = readDer(tbs).children.map(({ tag, der, children }) => {
      if (tag !== 0xa3) return der;
      const [list] = children;
      const kept = (list?.children ?? []).filter((extension) => {
        const oid = readObjectIdentifier(new DerFields(extension).take());
        return !TRANSPARENCY.includes(oid);
      });
      return writeDer(0xa3, writeSequence(...kept.map(({ der }) => der)));
    });
    return writeSequence(...members);
  });
}

/** By the CA/Browser Forum's policies (https://cabforum.org/object-registry/). */
const LEVELS: ReadonlyMap<string, string> = new Map([
  ["2.23.140.1.1", "EV"],
  ["2.23.140.1.2.2", "OV"],
  ["2.23.140.1.2.3", "OV"],
  ["2.23.140.1.2.1", "DV"],
]);

function validationLevel(certificate: Certificate): string {
  const value = findExtension(certificate, EXTENSION_OID.certificatePolicies)
    ?.value;
  const oids = (value === undefined ? [] : policies(value))
    .map(({ oid }) => oid);
  const found = [...LEVELS].find(([oid]) => oids.includes(oid));
  return found?.[1] ?? "unknown";
}

function subjectNames(extended: Extended): AlternativeNames {
  const extension = findExtension(extended, EXTENSION_OID.subjectAltName);
  return extension === undefined ? NO_NAMES : alternativeNames(extension.value);
}

const NO_NAMES: AlternativeNames = {
  dns: [],
  email: [],
  ip: [],
  uri: [],
  directory: [],
  registeredIds: [],
  other: [],
};

/** Those under which something can be reached. */
function namesOf(certificate: Certificate): readonly string[] {
  const { dns, uri, ip } = subjectNames(certificate);
  const { commonName = "" } = certificate;
  return [
    ...new Set([
      ...[commonName].filter(isReachable),
      ...dns.filter((name) => isReachable(name) || !name.includes(".")),
      ...uri.filter(isReachable),
      ...ip.filter(isReachable),
    ]),
  ];
}

/** What a browser would take; a longer name is no address (govalidator). */
const LONGEST_ADDRESS = 2083;

const ADDRESS_SCHEMES = /^(?:https?|wss?|ftp|tcp|udp):\/\//;

/** Whether it names a host by more than one label, or something on one. */
function isReachable(name: string): boolean {
  if (name.length > LONGEST_ADDRESS) return false;
  const text = name.replace(/^(?:[?*]\.)+/, "");
  const isAddress = ADDRESS_SCHEMES.test(text);
  // Another scheme, or nothing but one label.
  if (!isAddress && (text.includes("://") || !text.includes("."))) return false;
  const host = URL.parse(isAddress ? text : `http://${text}`)?.hostname ?? "";
  return host !== "" && !host.startsWith("[") && !/^\.|\.\.|\.$/.test(host);
}
