/**
 * Extensions that only Go's crypto/x509 looks into (parser.go,
 * processExtensions): nothing here depends on what they say, but step-ca does
 * not read a certificate in which they are malformed.
 *
 * Each reader throws a SyntaxError where Go refuses the value. Bytes behind the
 * value are not looked at, as in Go.
 */
import {
  DER_TAG,
  type DerElement,
  DerFields,
  readLeadingDer,
  requireTag,
} from "../asn1/der.ts";
import { readInteger, readObjectIdentifier } from "../asn1/der_values.ts";
import { isGoOid } from "./go_oid.ts";

/** The members of a SEQUENCE. */
export function readSequence(value: Uint8Array): readonly DerElement[] {
  return requireTag(readLeadingDer(value), DER_TAG.sequence).children;
}

/** certificatePolicies (RFC 5280 §4.2.1.4): no policy may stand there twice. */
export function readPolicies(value: Uint8Array): void {
  const oids = readSequence(value).map((policy) =>
    readObjectIdentifier(new DerFields(policy).take())
  );
  if (new Set(oids).size < oids.length) throw new SyntaxError();
}

/** policyMappings (RFC 5280 §4.2.1.5). */
export function readPolicyMappings(value: Uint8Array): void {
  for (const mapping of readSequence(value)) {
    const fields = new DerFields(mapping);
    fields.take(DER_TAG.objectIdentifier);
    fields.take(DER_TAG.objectIdentifier);
  }
}

/** policyConstraints (RFC 5280 §4.2.1.11). */
export function readPolicyConstraints(value: Uint8Array): void {
  const fields = new DerFields(readLeadingDer(value));
  for (const tag of [0x80, 0x81]) {
    const skipped = fields.takeOptional(tag);
    if (skipped !== undefined) {
      readInt64({ ...skipped, tag: DER_TAG.integer });
    }
  }
}

/** inhibitAnyPolicy (RFC 5280 §4.2.1.14). */
export function readInhibitAnyPolicy(value: Uint8Array): void {
  readInt64(readLeadingDer(value));
}

/** The points of cRLDistributionPoints (RFC 5280 §4.2.1.13). */
export function readDistributionPoints(value: Uint8Array): void {
  for (const point of readSequence(value)) {
    const name = new DerFields(point).takeOptional(0xa0);
    // Go knows no name relative to the issuer of the CRL.
    if (name !== undefined) new DerFields(name, 0xa0).take(0xa0);
  }
}

/** authorityInfoAccess (RFC 5280 §4.2.2.1). */
export function readAccessDescriptions(value: Uint8Array): void {
  for (const description of readSequence(value)) {
    requireGoOid(new DerFields(description).take());
  }
}

/** @throws {SyntaxError} when it is none, or too large for Go */
export function requireGoOid(element: DerElement): void {
  if (!isGoOid(readObjectIdentifier(element))) throw new SyntaxError();
}

function readInt64(element: DerElement): void {
  if (readInteger(element).length > 8) throw new SyntaxError();
}
