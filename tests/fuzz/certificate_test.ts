/**
 * Damaged certificates: read as they are, or refused.
 */
import { MalformedError } from "../../src/pki/asn1/malformed.ts";
import fc from "fast-check";
import {
  type Certificate,
  parseCertificate,
} from "../../src/pki/certificate/certificate.ts";
import {
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  keyUsage,
  subjectKeyIdentifier,
} from "../../src/pki/certificate/extensions.ts";
import { unreadableExtension } from "../../src/pki/issue/reissue.ts";
import {
  nameConstraints,
  nameConstraintViolation,
} from "../../src/pki/verify/name_constraints.ts";
import { provisionerReference } from "../../src/pki/certificate/step_extension.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { readVectors } from "../support/go_vectors.ts";
import { damagedOneOf, fuzzRuns, inTime } from "./mutation.ts";

const READERS: readonly ((certificate: Certificate) => unknown)[] = [
  authorityKeyIdentifier,
  basicConstraints,
  extendedKeyUsage,
  unreadableExtension,
  keyUsage,
  nameConstraints,
  (certificate) => nameConstraintViolation(certificate, [certificate]),
  provisionerReference,
  subjectKeyIdentifier,
];

function unlessMalformed<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof MalformedError)) throw error;
    return undefined;
  }
}

Deno.test("parseCertificate() reads or refuses any damaged certificate", async () => {
  const seeds = Object.values(readVectors().certificates)
    .map((hex) => Uint8Array.fromHex(hex));
  let read = 0;
  await fc.assert(
    fc.asyncProperty(damagedOneOf(seeds), async (der) => {
      await inTime(() => {
        const certificate = unlessMalformed(() => parseCertificate(der));
        if (certificate === undefined) return;
        read++;
        assertEquals(certificate.der.toHex(), der.toHex());
        for (const reader of READERS) {
          unlessMalformed(() => reader(certificate));
        }
      });
    }),
    { numRuns: fuzzRuns(3000) },
  );
  assert(read > 0, "no input got as far as the extensions");
});
