/**
 * Extensions of certificates and requests as lines of text, those of the
 * original; see certificate_text.ts. Not safe to print yet.
 */
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
  keyUsage,
  subjectKeyIdentifier,
} from "../certificate/extensions.ts";
import type { GeneralName } from "../certificate/general_name.ts";
import { STEP_PROVISIONER_OID } from "../certificate/step_extension.ts";
import { nameConstraints } from "../verify/name_constraints.ts";
import { constraintText } from "../verify/name_matching.ts";
import {
  alternativeNames,
  crlAddresses,
  FURTHER_OID,
  informationAccess,
  policies,
  provisioner,
  registrationAuthority,
  signedTimestamps,
  stringValue,
} from "./extension_facts.ts";
import { EXTENDED_USAGE_NAMES, KEY_USAGE_NAMES } from "./usages.ts";

/** What stands in front of a value. */
export const VALUE: string = " ".repeat(16);

const MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split(" ");

/** `Jan 2 15:04:05 2006 UTC`, as Go writes it. */
export function dateText(
  date: Date,
  { milliseconds }: { readonly milliseconds: boolean } = {
    milliseconds: false,
  },
): string {
  const time = date.toISOString().slice(11, milliseconds ? 23 : 19);
  const month = MONTHS[date.getUTCMonth()];
  return `${month} ${date.getUTCDate()} ${time} ${date.getUTCFullYear()} UTC`;
}

/** Octets in lines of so many, each behind `indent`. */
export function rows(
  value: Uint8Array,
  { octets, indent }: { readonly octets: number; readonly indent: number },
): readonly string[] {
  const lines: string[] = [];
  for (let at = 0; at < value.length; at += octets) {
    const end = at + octets < value.length ? ":" : "";
    const line = colons(value.subarray(at, at + octets));
    lines.push(" ".repeat(indent) + line + end);
  }
  return lines;
}

/** Octets as `0a:0b`. */
export function colons(value: Uint8Array): string {
  return value.toHex().replace(/..(?=.)/g, "$&:");
}

interface Shown {
  readonly name: string;
  /** The lines below it. */
  lines(extended: Extended, value: Uint8Array): readonly string[];
}

/** Those that the original knows in a request, too. */
const REQUESTED: ReadonlyMap<string, Shown> = new Map<string, Shown>([
  [EXTENSION_OID.subjectKeyIdentifier, {
    name: "X509v3 Subject Key Identifier",
    lines: (
      extended,
    ) => [upperOctets(subjectKeyIdentifier(extended)).join(":")],
  }],
  [EXTENSION_OID.keyUsage, {
    name: "X509v3 Key Usage",
    lines: (extended) => [
      (keyUsage(extended) ?? []).map((usage) => KEY_USAGE_NAMES[usage].text)
        .join(", ") || "None",
    ],
  }],
  [EXTENSION_OID.subjectAltName, {
    name: "X509v3 Subject Alternative Name",
    lines: (_, value) => alternativeNameLines(value),
  }],
  [EXTENSION_OID.basicConstraints, {
    name: "X509v3 Basic Constraints",
    lines: basicConstraintLines,
  }],
  [EXTENSION_OID.nameConstraints, {
    name: "X509v3 Name Constraints",
    lines: nameConstraintLines,
  }],
  [EXTENSION_OID.extendedKeyUsage, {
    name: "X509v3 Extended Key Usage",
    lines: (extended) =>
      extendedUsageLines(extended, (oid) => `UNKNOWN(${oid})`),
  }],
]);

const CERTIFIED: ReadonlyMap<string, Shown> = new Map<string, Shown>([
  ...REQUESTED,
  [EXTENSION_OID.extendedKeyUsage, {
    name: "X509v3 Extended Key Usage",
    lines: (extended) => extendedUsageLines(extended, (oid) => oid),
  }],
  [EXTENSION_OID.crlDistributionPoints, {
    name: "X509v3 CRL Distribution Points",
    lines: (_, value) => crlLines(value),
  }],
  [EXTENSION_OID.certificatePolicies, {
    name: "X509v3 Certificate Policies",
    lines: (_, value) => policies(value).map(({ oid }) => `Policy: ${oid}`),
  }],
  [EXTENSION_OID.authorityKeyIdentifier, {
    name: "X509v3 Authority Key Identifier",
    lines: (extended) => [
      ["keyid", ...upperOctets(authorityKeyIdentifier(extended))].join(":"),
    ],
  }],
  [FURTHER_OID.informationAccess, {
    name: "Authority Information Access",
    lines: (_, value) => informationAccessLines(value),
  }],
  [FURTHER_OID.comment, {
    name: "Netscape Comment",
    lines: (_, value) => [stringValue(value)],
  }],
  [STEP_PROVISIONER_OID, {
    name: "X509v3 Step Provisioner",
    lines: (_, value) => provisionerLines(value),
  }],
  [FURTHER_OID.timestamps, {
    name: "RFC6962 Certificate Transparency SCT",
    lines: (_, value) => timestampLines(value),
  }],
  [FURTHER_OID.registrationAuthority, {
    name: "X509v3 Step Registration Authority",
    lines: (_, value) => registrationAuthorityLines(value),
  }],
]);

/** @throws {MalformedError} for an extension that is known and malformed */
export function certificateExtensionLines(
  certificate: Certificate,
  extension: CertificateExtension,
): readonly string[] {
  const { oid, value } = extension;
  const shown = CERTIFIED.get(oid);
  if (shown !== undefined) {
    return [
      headOf(extension, shown),
      ...below(shown.lines(certificate, value)),
    ];
  }
  // In the original's words, without their values.
  if (/^2\.5\.29\.\d+$/.test(oid)) return [`Unknown extension ${oid}`];
  return [headOf(extension), ...below([visible(value)])];
}

/** @throws {MalformedError} for an extension that is known and malformed */
export function requestedExtensionLines(
  request: CertificateRequest,
): readonly string[] {
  const { extensions } = request;
  if (extensions.length === 0) return [];
  const unknown = extensions.filter(({ oid }) => !REQUESTED.has(oid));
  return [
    "        Requested Extensions:",
    ...extensions.flatMap((extension) => {
      const shown = REQUESTED.get(extension.oid);
      return shown === undefined ? [] : [
        headOf(extension, shown),
        ...below(shown.lines(request, extension.value)),
      ];
    }),
    ...unknown.length === 0 ? [] : ["        Attributes:"],
    ...unknown.flatMap((extension) => {
      const text = visible(extension.value);
      const isWhole = !text.includes(".");
      return [
        headOf(extension),
        ...below(isWhole ? [text] : [text, colons(extension.value)]),
      ];
    }),
  ];
}

function headOf(
  { oid, critical }: CertificateExtension,
  { name }: Pick<Shown, "name"> = { name: oid },
): string {
  return `            ${name}:${critical ? " critical" : ""}`;
}

function below(lines: readonly string[]): readonly string[] {
  return lines.map((line) => VALUE + line);
}

function upperOctets(value: Uint8Array = new Uint8Array()): readonly string[] {
  return value.toHex().toUpperCase().match(/../g) ?? [];
}

function alternativeNameLines(value: Uint8Array): readonly string[] {
  const { dns, email, ip, uri } = alternativeNames(value);
  const forms = { "DNS": dns, "email": email, "IP Address": ip, "URI": uri };
  return Object.entries(forms).filter(([, names]) => names.length > 0)
    .map(([form, names]) => names.map((name) => `${form}:${name}`).join(", "));
}

function basicConstraintLines(extended: Extended): readonly string[] {
  const { isCa = false, pathLength } = basicConstraints(extended) ?? {};
  const length = pathLength === undefined ? "" : `, pathlen:${pathLength}`;
  return [`CA:${isCa ? "TRUE" : "FALSE"}${length}`];
}

/** The forms that are shown, and the original's words for them. */
const CONSTRAINED = [
  ["DNS", "DNS"],
  ["email", "Email"],
  ["URI", "URI"],
  ["IP", "IP Range"],
] as const;

function nameConstraintLines(extended: Extended): readonly string[] {
  const { permitted = [], excluded = [] } = nameConstraints(extended) ?? {};
  return [
    ...constraintLines("Permitted:", permitted),
    ...constraintLines("Excluded:", excluded),
  ];
}

function constraintLines(
  head: string,
  names: readonly GeneralName[],
): readonly string[] {
  const lines = CONSTRAINED.flatMap(([form, words]) => {
    const texts = names.filter((name) => name.form === form)
      .map(constraintText);
    return texts.length === 0 ? [] : [`  ${words}: ${texts.join(", ")}`];
  });
  return lines.length === 0 ? [] : [head, ...lines];
}

/** Those that are known come first, as Go keeps them apart. */
function extendedUsageLines(
  extended: Extended,
  unknown: (oid: string) => string,
): readonly string[] {
  const oids = extendedKeyUsage(extended) ?? [];
  const names = [
    ...oids.flatMap((oid) => EXTENDED_USAGE_NAMES.get(oid)?.text ?? []),
    ...oids.filter((oid) => !EXTENDED_USAGE_NAMES.has(oid)).map(unknown),
  ];
  return names.length === 0 ? [] : [names.join(", ")];
}

function crlLines(value: Uint8Array): readonly string[] {
  const addresses = crlAddresses(value).map((address) => `URI:${address}`);
  return addresses.length === 0
    ? []
    : ["Full Name:", `  ${addresses.join(", ")}`];
}

function informationAccessLines(value: Uint8Array): readonly string[] {
  const { ocsp, issuers } = informationAccess(value);
  return Object.entries({ "OCSP": ocsp, "CA Issuers": issuers })
    .filter(([, addresses]) => addresses.length > 0)
    .map(([what, addresses]) =>
      `${what} - ${addresses.map((address) => `URI:${address}`).join(",")}`
    );
}

function provisionerLines(value: Uint8Array): readonly string[] {
  const { type, number, name, credentialId, details } = provisioner(value);
  return [
    `Type: ${type ?? `${number} (unknown)`}`,
    `Name: ${name}`,
    ...credentialId === "" ? [] : [`CredentialID: ${credentialId}`],
    ...details.map((detail) => detail.join(": ")),
  ];
}

function registrationAuthorityLines(value: Uint8Array): readonly string[] {
  const { type, certificateId, details } = registrationAuthority(value);
  return [
    `Type: ${type}`,
    ...certificateId === "" ? [] : [`CertificateID: ${certificateId}`],
    ...details.map((detail) => detail.join(": ")),
  ];
}

function timestampLines(value: Uint8Array): readonly string[] {
  return signedTimestamps(value).flatMap((timestamp, index) => {
    const { version, logId, time, algorithm, signature } = timestamp;
    return [
      `SCT [${index}]:`,
      `    Version: V${version + 1} (0x${version.toString(16)})`,
      `    LogID: ${logId.toBase64()}`,
      `    Timestamp: ${dateText(time, { milliseconds: true })}`,
      `    Signature Algorithm: ${algorithm}`,
      ...rows(signature, { octets: 18, indent: 6 }),
    ];
  });
}

/** What can be read in the octets, and a dot for each of the rest; as Go's IsPrint. */
function visible(value: Uint8Array): string {
  const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
  let text = "";
  for (let at = 0; at < value.length;) {
    const first = value[at] ?? 0;
    const length = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    try {
      const character = decoder.decode(value.subarray(at, at + length));
      text += PRINTABLE.test(character) ? character : ".";
      at += length;
    } catch {
      // An octet that is part of no character.
      text += ".";
      at++;
    }
  }
  return text;
}

const PRINTABLE = /^(?!\ufffd)[\p{L}\p{M}\p{N}\p{P}\p{S} ]$/u;
