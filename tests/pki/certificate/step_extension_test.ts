/**
 * step's own extension, in certificates that openssl makes.
 */
import { provisionerReference } from "../../../src/pki/certificate/step_extension.ts";
import { assertEquals } from "../../support/assert.ts";
import { OpensslCertificates } from "../../support/openssl_certificates.ts";

const openssl = new OpensslCertificates();

async function reference(...extensions: string[]) {
  const { certificate } = await openssl.issue({
    subject: "/CN=host",
    extensions,
  });
  return provisionerReference(certificate);
}

const OID = "1.3.6.1.4.1.37476.9000.64.1";
const MALFORMED = { kind: "malformed" };

Deno.test("provisionerReference() says absent without the extension", async () => {
  assertEquals(await reference("basicConstraints = CA:FALSE"), {
    kind: "absent",
  });
});

for (
  const [what, der, name] of [
    ["a name", "300c02010104037879" + "7a" + "04026964", "xyz"],
    ["a name in UTF-8", "300a" + "020101" + "0402c3a9" + "0401" + "61", "é"],
    // A byte order mark makes it the name of another provisioner.
    ["a mark as well", "300b" + "020101" + "0404efbbbf61" + "0400", "\ufeffa"],
    ["an empty name", "3007" + "020101" + "0400" + "0400", ""],
    [
      "members at the end",
      "300e" + "020101" + "040161" + "040162" + "3003" + "130163",
      "a",
    ],
    // Where Go stops reading, so that step-ca knows the certificate.
    ["bytes behind it", "3009" + "020101" + "040161" + "040162" + "0500", "a"],
    ["a negative type", "3009" + "0201ff" + "040161" + "040162", "a"],
    [
      "members of other types at the end",
      "300b" + "020101" + "040161" + "040162" + "0500",
      "a",
    ],
    ["an unknown type", "3009" + "02016f" + "040161" + "040162", "a"],
  ] as const
) {
  Deno.test(`provisionerReference() reads ${what}`, async () => {
    assertEquals(await reference(`${OID} = DER:${der}`), {
      kind: "named",
      name,
    });
  });
}

for (
  const [what, der] of [
    ["no sequence", "0403616263"],
    ["an empty sequence", "3000"],
    ["no credential", "3006" + "020101" + "040161"],
    ["a name of another type", "3009" + "020101" + "0c0161" + "040162"],
    ["a type that is no number", "3009" + "040101" + "040161" + "040162"],
    ["a name that is not UTF-8", "3008" + "020101" + "0401ff" + "0400"],
    ["a length beyond the end", "3019" + "020101" + "040161" + "040162"],
  ] as const
) {
  Deno.test(`provisionerReference() calls ${what} malformed`, async () => {
    assertEquals(await reference(`${OID} = DER:${der}`), MALFORMED);
  });
}
