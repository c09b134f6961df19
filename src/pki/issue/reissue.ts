/**
 * A new certificate for an old one and a new key, the way step-ca makes it.
 *
 * Subject, extensions and length of life are the old certificate's; only serial
 * number, dates, key and key identifiers are new (smallstep/certificates
 * authority/tls.go:395-487, cas/softcas/softcas.go:105-130). Everything that is
 * taken over is copied as bytes, never encoded anew.
 */
import {
  type Certificate,
  type CertificateExtension,
  EXTENSION_OID,
  lifetimeMs,
  parseCertificate,
} from "../certificate/certificate.ts";
import { equalBytes } from "../../base/bytes.ts";
import { readDer } from "../asn1/der.ts";
import {
  writeDer,
  writeOctetString,
  writeSequence,
} from "../asn1/der_writer.ts";
import { MalformedError } from "../asn1/malformed.ts";
import { readPublicKeyInfo } from "../asn1/der_values.ts";
import {
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  subjectKeyIdentifier,
} from "../certificate/extensions.ts";
import { issuerSigner } from "./issuer_signature.ts";
import type { PrivateKey } from "../keys/private_key.ts";
import { nameConstraints } from "../verify/name_constraints.ts";
import { isSignedBy } from "../verify/certification_path.ts";
import { encodeTbsCertificate } from "./certificate_encoding.ts";

export interface Reissue {
  /** Subject, extensions and length of life come from it. */
  readonly previous: Certificate;
  /** SubjectPublicKeyInfo DER of the new key; undefined: the old one stays. */
  readonly publicKey: Uint8Array<ArrayBuffer> | undefined;
  readonly issuer: Certificate;
  readonly issuerKey: PrivateKey;
  /** How far notBefore lies before `now`, in nanoseconds. */
  readonly backdate: bigint;
  readonly now: Date;
  /** Sixteen random octets. */
  readonly serial: Uint8Array;
}

/** Why a certificate cannot be issued: the text of Go or step-ca. */
export class ReissueError extends Error {
  override readonly name = "ReissueError";
}

/** Extensions whose meaning counts here or in verification, by Go's names. */
const READERS: readonly (readonly [
  name: string,
  read: (certificate: Certificate) => unknown,
])[] = [
  ["basic constraints", basicConstraints],
  ["key usage", keyUsage],
  ["extended key usages", extendedKeyUsage],
  ["NameConstraints extension", nameConstraints],
];

/** The name of the first extension that cannot be read; undefined: all can. */
export function unreadableExtension(
  certificate: Certificate,
): string | undefined {
  const unreadable = READERS.find(([, read]) => {
    try {
      read(certificate);
      return false;
    } catch (error) {
      if (error instanceof MalformedError) return true;
      throw error;
    }
  });
  return unreadable?.[0];
}

/**
 * Makes and signs the new certificate, and proves the signature.
 *
 * @throws {ReissueError} when step-ca would not issue it either
 * @throws {MalformedError} for what {@linkcode unreadableExtension} names
 */
export async function reissue(request: Reissue): Promise<Certificate> {
  const { issuer, issuerKey, previous } = request;
  refuseImpossible(request);
  const signer = issuerSigner(issuerKey, issuer);
  const { notBefore, notAfter } = newValidity(request);
  const tbs = encodeTbsCertificate({
    serial: request.serial,
    signatureAlgorithm: signer.algorithmDer,
    issuer: issuer.subjectDer,
    notBefore,
    notAfter,
    subject: previous.subjectDer,
    publicKey: request.publicKey ?? previous.publicKey,
    extensions: await newExtensions(request),
  });
  const certificate = parseCertificate(await signer.signed(tbs));
  if (await isSignedBy(certificate, issuer)) return certificate;
  throw new ReissueError(
    "error creating certificate: x509: signature over certificate returned by signer is invalid",
  );
}

function refuseImpossible(
  { previous, issuer, issuerKey, backdate }: Reissue,
): void {
  if (!equalBytes(issuer.publicKey, issuerKey.publicKey)) {
    throw new ReissueError(
      "error creating certificate: x509: provided PrivateKey doesn't match parent's PublicKey",
    );
  }
  if (lifetime(previous) === backdate) {
    throw new ReissueError("createCertificateRequest `lifetime` cannot be 0");
  }
  const constraints = basicConstraints(previous);
  if (constraints?.isCa === false && constraints.pathLength !== undefined) {
    throw new ReissueError(
      "error creating certificate: x509: only CAs are allowed to specify MaxPathLen",
    );
  }
}

const NANOSECONDS_PER_MS = 1_000_000n;

/** Go counts durations in an int64 of nanoseconds, and stops there (292 years). */
const MAX_DURATION = 2n ** 63n - 1n;

/** In nanoseconds. */
function lifetime(certificate: Certificate): bigint {
  const span = BigInt(lifetimeMs(certificate)) * NANOSECONDS_PER_MS;
  return span > MAX_DURATION ? MAX_DURATION : span;
}

/** Both ends floored to the second; the span stays the old one. */
function newValidity(
  { previous, backdate, now }: Reissue,
): { readonly notBefore: Date; readonly notAfter: Date } {
  const instant = BigInt(now.getTime()) * NANOSECONDS_PER_MS;
  return {
    notBefore: wholeSeconds(instant - backdate),
    notAfter: wholeSeconds(instant + lifetime(previous) - backdate),
  };
}

/** Rounds down, also before 1970. */
function wholeSeconds(nanoseconds: bigint): Date {
  const second = NANOSECONDS_PER_MS * 1000n;
  const rest = (nanoseconds % second + second) % second;
  return new Date(Number((nanoseconds - rest) / NANOSECONDS_PER_MS));
}

/**
 * Key identifiers first, then the old extensions in their order; of a key that
 * stays, its identifier is one of those.
 */
async function newExtensions(
  { previous, publicKey, issuer }: Reissue,
): Promise<readonly CertificateExtension[]> {
  const { subjectKeyIdentifier: ofSubject, authorityKeyIdentifier: ofIssuer } =
    EXTENSION_OID;
  const copied = previous.extensions.filter(({ oid }) =>
    oid !== ofIssuer && (oid !== ofSubject || publicKey === undefined)
  );
  const issuerId = subjectKeyIdentifier(issuer);
  // Go leaves the authority's identifier out of what looks self-issued.
  const isSelfIssued = equalBytes(issuer.subjectDer, previous.subjectDer);
  const identifiers: CertificateExtension[] = [];
  if (!copied.some(({ oid }) => oid === ofSubject)) {
    const key = publicKey ?? previous.publicKey;
    identifiers.push({
      oid: ofSubject,
      critical: false,
      value: writeOctetString(await keyIdentifier(key)),
    });
  }
  if (issuerId !== undefined && issuerId.length > 0 && !isSelfIssued) {
    identifiers.push({
      oid: ofIssuer,
      critical: false,
      value: writeSequence(writeDer(0x80, issuerId)),
    });
  }
  return [...identifiers, ...copied];
}

/** RFC 5280 §4.2.1.2 (1): SHA-1 of the bits of the public key. */
async function keyIdentifier(
  publicKey: Uint8Array<ArrayBuffer>,
): Promise<Uint8Array> {
  const { bits } = readPublicKeyInfo(readDer(publicKey));
  return new Uint8Array(await crypto.subtle.digest("SHA-1", bits.slice()));
}
