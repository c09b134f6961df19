/**
 * What Go's crypto/x509 refuses to read in a certificate, beyond what is refused
 * everywhere here (certificate.ts). step-ca could not rekey such a certificate,
 * and programs in Go could not use its successor, so the offline CA does not
 * make one.
 */
import { RekeyError } from "../../base/errors.ts";
import type { Certificate } from "../certificate/certificate.ts";
import {
  basicConstraints,
  extendedKeyUsage,
  EXTENSION_OID,
  findExtension,
  keyUsage,
} from "../certificate/extensions.ts";
import {
  readAccessDescriptions,
  readDistributionPoints,
  readInhibitAnyPolicy,
  readPolicies,
  readPolicyConstraints,
  readPolicyMappings,
  readSequence,
} from "./go_extensions.ts";
import { goNameRefusal } from "./go_name.ts";
import { isGoOid } from "./go_oid.ts";
import { GoUrlError, goUrlHost } from "./go_url.ts";
import { reverseLabels } from "../verify/mailbox.ts";
import { nameConstraints } from "../verify/name_constraints.ts";
import { quote } from "../verify/name_matching.ts";

/**
 * Why Go does not read the certificate, in its words (crypto/x509/parser.go);
 * undefined when it does.
 */
export function goRefusal(certificate: Certificate): string | undefined {
  const { issuerDer, subjectDer, extensions, names } = certificate;
  const fault = goNameRefusal(issuerDer) ?? goNameRefusal(subjectDer);
  if (fault !== undefined) return fault;
  if (!extensions.every(({ oid }) => isGoOid(oid))) {
    return "x509: malformed extension OID field";
  }
  for (const [read, text] of READERS) {
    if (!succeeds(() => read(certificate))) return `x509: invalid ${text}`;
  }
  return names.filter((name) => name.startsWith("URI:"))
    .map((name) => uriRefusal(name.slice(4)))
    .find((refusal) => refusal !== undefined);
}

type Reader = (certificate: Certificate) => unknown;

const READERS: readonly (readonly [read: Reader, text: string])[] = [
  [basicConstraints, "basic constraints"],
  [keyUsage, "key usage"],
  [readUsageOids, "extended key usages"],
  [
    extension(EXTENSION_OID.certificatePolicies, readPolicies),
    "certificate policies",
  ],
  [extension("2.5.29.33", readPolicyMappings), "policy mappings extension"],
  [
    extension("2.5.29.36", readPolicyConstraints),
    "policy constraints extension",
  ],
  [
    extension("2.5.29.54", readInhibitAnyPolicy),
    "inhibit any policy extension",
  ],
  [nameConstraints, "NameConstraints extension"],
  [
    extension(EXTENSION_OID.crlDistributionPoints, readSequence),
    "CRL distribution points",
  ],
  [
    extension(EXTENSION_OID.crlDistributionPoints, readDistributionPoints),
    "CRL distribution point",
  ],
  [
    extension("1.3.6.1.5.5.7.1.1", readAccessDescriptions),
    "authority info access",
  ],
];

/** A reader of one extension, where the certificate has it. */
function extension(
  oid: string,
  read: (value: Uint8Array) => unknown,
): Reader {
  return (certificate) => {
    const found = findExtension(certificate, oid);
    if (found !== undefined) read(found.value);
  };
}

function readUsageOids(certificate: Certificate): void {
  for (const oid of extendedKeyUsage(certificate) ?? []) {
    if (!isGoOid(oid)) throw new SyntaxError();
  }
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

function uriRefusal(uri: string): string | undefined {
  const refusal = `x509: cannot parse URI ${quote(uri)}`;
  try {
    const isDomain = reverseLabels(goUrlHost(uri)) !== undefined;
    return isDomain ? undefined : `${refusal}: invalid domain`;
  } catch (error) {
    if (!(error instanceof GoUrlError)) throw error;
    return `${refusal}: ${error.message}`;
  }
}
