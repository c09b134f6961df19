/**
 * What Go's crypto/x509 refuses to read in a certificate, beyond what is refused
 * everywhere here (certificate.ts). step-ca could not rekey such a certificate,
 * and programs in Go could not use its successor, so the offline CA does not
 * make one.
 */
import { RekeyError } from "../errors.ts";
import type { Certificate } from "./certificate.ts";
import {
  DER_TAG,
  type DerElement,
  DerFields,
  readDer,
  requireTag,
} from "./der.ts";
import { readObjectIdentifier } from "./der_values.ts";
import {
  basicConstraints,
  extendedKeyUsage,
  EXTENSION_OID,
  findExtension,
  keyUsage,
} from "./extensions.ts";
import { reverseLabels } from "./mailbox.ts";
import { nameConstraints } from "./name_constraints.ts";
import { quote } from "./name_matching.ts";

/**
 * Why Go does not read the certificate, in its words (crypto/x509/parser.go);
 * undefined when it does.
 */
export function goRefusal(certificate: Certificate): string | undefined {
  if (!certificate.extensions.every(({ oid }) => isGoOid(oid))) {
    return "x509: malformed extension OID field";
  }
  for (const [read, text] of READERS) {
    if (!succeeds(() => read(certificate))) return `x509: invalid ${text}`;
  }
  const uri = certificate.names
    .filter((name) => name.startsWith("URI:")).map((name) => name.slice(4))
    .find((uri) => reverseLabels(hostAndPort(uri)) === undefined);
  return uri === undefined
    ? undefined
    : `x509: cannot parse URI ${quote(uri)}: invalid domain`;
}

type Reader = (certificate: Certificate) => unknown;

const READERS: readonly (readonly [read: Reader, text: string])[] = [
  [basicConstraints, "basic constraints"],
  [keyUsage, "key usage"],
  [readUsageOids, "extended key usages"],
  [readPolicies, "certificate policies"],
  [nameConstraints, "NameConstraints extension"],
  [
    (certificate) =>
      readSequence(certificate, EXTENSION_OID.crlDistributionPoints),
    "CRL distribution points",
  ],
  [
    (certificate) => readSequence(certificate, AUTHORITY_INFO_ACCESS),
    "authority info access",
  ],
];

const AUTHORITY_INFO_ACCESS = "1.3.6.1.5.5.7.1.1";

function readUsageOids(certificate: Certificate): void {
  for (const oid of extendedKeyUsage(certificate) ?? []) {
    if (!isGoOid(oid)) throw new SyntaxError();
  }
}

/** RFC 5280 §4.2.1.4: no policy may stand there twice. */
function readPolicies(certificate: Certificate): void {
  const policies = readSequence(certificate, EXTENSION_OID.certificatePolicies);
  const oids = policies.map((policy) =>
    readObjectIdentifier(new DerFields(policy).take())
  );
  if (new Set(oids).size < oids.length) throw new SyntaxError();
}

function readSequence(
  certificate: Certificate,
  oid: string,
): readonly DerElement[] {
  const extension = findExtension(certificate, oid);
  if (extension === undefined) return [];
  return requireTag(readDer(extension.value), DER_TAG.sequence).children;
}

function succeeds(read: () => unknown): boolean {
  try {
    read();
    return true;
  } catch (error) {
    const isMalformed = error instanceof SyntaxError ||
      (error instanceof RekeyError && error.kind === "pair");
    if (isMalformed) return false;
    throw error;
  }
}

/** Go keeps arcs of these OIDs in 31 bits; the first two share one number. */
function isGoOid(oid: string): boolean {
  const [first = 0n, second = 0n, ...rest] = oid.split(".").map(BigInt);
  return [first * 40n + second, ...rest].every((arc) => arc < 2n ** 31n);
}

/** What Go's net/url calls the host, with its port; empty when there is none. */
function hostAndPort(uri: string): string {
  const authority = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/([^/?#]*)/.exec(uri)?.[1];
  return (authority ?? "").replace(/^[^]*@/, "");
}
