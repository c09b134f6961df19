/**
 * Name constraints against Go's own judgement, by the frozen vectors of
 * tests/testdata/offline.
 */
import { parseCertificate } from "../../../src/pki/certificate/certificate.ts";
import { nameConstraintViolation } from "../../../src/pki/verify/name_constraints.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { readVectors } from "../../support/go_vectors.ts";

const { certificates, constraints } = readVectors();

function certificateOf(name: string) {
  return parseCertificate(Uint8Array.fromHex(certificates[name] ?? ""));
}

/**
 * Go refuses it since its fix of CVE-2025-61727; the copy of the rules in
 * step-ca, which decides here, is older.
 */
const NEWER = 'DNS "*.example.com", excluded DNS "a.example.com"';

for (const { name, issuer, leaf, refusal } of constraints) {
  Deno.test(`nameConstraintViolation() judges as Go: ${name}`, () => {
    const violation = nameConstraintViolation(certificateOf(leaf), [
      certificateOf(issuer),
    ]);
    if (refusal === undefined || name === NEWER) {
      assertEquals(violation, undefined);
      return;
    }
    assert(violation !== undefined, refusal);
    // Go of today shows mailboxes in another form than the copy in step-ca.
    if (name.startsWith("email ")) return;
    assert(refusal.endsWith(violation), `${violation}, not ${refusal}`);
  });
}
