/** A certificate that nothing comes before is held against what was asked for. */
import {
  type RequestedNames,
  requestedNames,
} from "../../../src/pki/certificate/requested_names.ts";
import {
  UntrustedError,
  verifyIssued,
} from "../../../src/pki/verify/verify.ts";
import { assertEquals, assertRejects } from "../../support/assert.ts";
import {
  CA_EXTENSIONS,
  type Issued,
  LEAF_EXTENSIONS,
  NOW,
} from "../../support/openssl_certificates.ts";
import {
  intermediate,
  leaf,
  makeLeaf,
  previous,
  root,
  withNames,
} from "./chain_fixture.ts";

interface Changes {
  readonly requested?: RequestedNames;
  readonly namesFrom?: "request" | "provisioner";
  readonly publicKey?: Uint8Array;
  readonly now?: Date;
  readonly roots?: readonly Issued[];
}

async function verifyFirst(
  first: Issued,
  { roots = [root], ...changes }: Changes = {},
): Promise<readonly string[]> {
  const chain = [first, intermediate].map(({ certificate }) => certificate);
  const { warnings } = await verifyIssued(chain, {
    publicKey: first.certificate.publicKey,
    requested: asked("internal", "internal"),
    namesFrom: "request",
    now: NOW,
    ...changes,
    roots: roots.map(({ certificate }) => certificate),
  });
  return warnings;
}

const asked = (commonName: string, ...names: readonly string[]) =>
  requestedNames(commonName, names);

async function refuseFirst(
  first: Issued,
  pattern: RegExp,
  changes: Changes = {},
): Promise<void> {
  await assertRejects(
    () => verifyFirst(first, changes),
    UntrustedError,
    pattern,
  );
}

Deno.test("verifyIssued() accepts a first certificate with the names that were asked for", async () => {
  const first = await withNames("DNS:Internal,IP:10.0.0.1,email:a@b,URI:x://y");
  const requested = asked("internal", "x://y", "a@b", "10.0.0.1", "iNternal");
  assertEquals(await verifyFirst(first, { requested }), []);
});

Deno.test("verifyIssued() refuses a first certificate for another key", async () => {
  await refuseFirst(leaf, /another key than the one requested/, {
    publicKey: previous.certificate.publicKey,
  });
});

Deno.test("verifyIssued() refuses a first certificate that lacks a name", async () => {
  await refuseFirst(
    await withNames("DNS:internal"),
    /left out names: DNS:other IP:10.0.0.1 are missing, it has DNS:internal$/,
    { requested: asked("internal", "internal", "other", "10.0.0.1") },
  );
  // Of another kind is another name.
  await refuseFirst(
    await withNames("DNS:10.0.0.1,email:A@b"),
    /left out names: IP:10.0.0.1 email:a@b are missing/,
    { requested: asked("internal", "10.0.0.1", "a@b") },
  );
});

Deno.test("verifyIssued() warns of what a template of the CA has changed", async () => {
  const first = await withNames("DNS:internal,DNS:other");
  assertEquals(
    await verifyFirst(first, { requested: asked("x", "internal") }),
    [
      'the CA chose the subject "CN=internal,O=Acme" instead of "CN=x"',
      "the CA chose the names DNS:internal DNS:other instead of DNS:internal",
    ],
  );
});

Deno.test("verifyIssued() lets a provisioner choose the names, and says so", async () => {
  const namesFrom = "provisioner";
  const requested = asked("internal", "a@example.com");
  const first = await withNames("DNS:internal");
  assertEquals(await verifyFirst(first, { requested, namesFrom }), [
    "the CA chose the names DNS:internal instead of email:a@example.com",
  ]);
  await refuseFirst(first, /another key/, {
    requested,
    namesFrom,
    publicKey: previous.certificate.publicKey,
  });
});

Deno.test("verifyIssued() warns of a first certificate that is a CA's", async () => {
  const first = await makeLeaf({
    extensions: [...CA_EXTENSIONS, "subjectAltName = DNS:internal"],
  });
  assertEquals(await verifyFirst(first), [
    "the CA issued a certificate of a CA",
  ]);
});

Deno.test("verifyIssued() refuses a first certificate with an unknown critical extension", async () => {
  const first = await makeLeaf({
    extensions: [
      ...LEAF_EXTENSIONS,
      "1.2.3.4 = critical,ASN1:NULL",
    ],
  });
  const requested = asked("internal", "10.0.0.1");
  await refuseFirst(first, /critical extension that is unknown, 1.2.3.4$/, {
    requested,
  });
});

Deno.test("verifyIssued() refuses a first certificate that is expired, or leads to no root", async () => {
  const first = await withNames("DNS:internal");
  const { notAfter } = first.certificate;
  await refuseFirst(first, /expired/, {
    now: new Date(notAfter.getTime() + 1000),
  });
  await refuseFirst(first, /./, { roots: [previous] });
});
