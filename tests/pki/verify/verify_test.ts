import { MalformedError } from "../../../src/pki/asn1/malformed.ts";
import {
  type Certificate,
  parseCertificate,
} from "../../../src/pki/certificate/certificate.ts";
import {
  UntrustedError,
  verifyIssued,
} from "../../../src/pki/verify/verify.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import {
  acceptAsOpenssl,
  intermediate,
  leaf,
  makeLeaf,
  previous,
  refuse,
  refuseAsOpenssl,
  root,
  verify,
  withNames,
} from "./chain_fixture.ts";
import { spread } from "../../support/sweep.ts";
import { LEAF_EXTENSIONS, NOW } from "../../support/openssl_certificates.ts";

Deno.test("verifyIssued() refuses an empty chain", async () => {
  await refuse([], /the CA sent no certificate/);
});

Deno.test("verifyIssued() refuses a certificate for another key", async () => {
  await refuse([leaf, intermediate], /another key than the one requested/, {
    publicKey: previous.certificate.publicKey,
  });
});

Deno.test("verifyIssued() refuses the old certificate sent back", async () => {
  await refuse([previous, intermediate], /another key than the one requested/);
});

Deno.test("verifyIssued() refuses a chain that begins with the intermediate", async () => {
  await refuse([intermediate, leaf], /another key than the one requested/);
});

Deno.test("verifyIssued() refuses another subject", async () => {
  const other = await makeLeaf({ subject: "/O=Acme/CN=other" });
  await refuse(
    [other, intermediate],
    /changed the subject: it was "CN=internal,O=Acme", and is now "CN=other,O=Acme"/,
  );
});

Deno.test("verifyIssued() refuses a subject with a component more", async () => {
  const other = await makeLeaf({ subject: "/O=Acme/OU=x/CN=internal" });
  await refuse([other, intermediate], /changed the subject/);
});

Deno.test("verifyIssued() accepts a subject in another type of string", async () => {
  // The same text, as PrintableString instead of UTF8String.
  const name = "CN=internal";
  const printable = {
    ...previous.certificate,
    subject: leaf.certificate.subject,
    subjectDer: new TextEncoder().encode(name),
  };
  const { warnings } = await verifyIssued(
    [leaf.certificate, intermediate.certificate],
    {
      publicKey: leaf.certificate.publicKey,
      previous: printable,
      roots: [root.certificate],
      now: NOW,
    },
  );
  assertEquals(warnings, []);
});

Deno.test("verifyIssued() refuses other names", async () => {
  const lists = [
    "",
    "DNS:internal.example.com",
    "DNS:internal.example.com,IP:10.0.0.1,DNS:evil.example.com",
    "DNS:internal.example.com,IP:10.0.0.2",
    "DNS:internal.example.com,DNS:10.0.0.1",
    "DNS:Internal.example.com,IP:10.0.0.1",
    "DNS:internal.example.com,DNS:internal.example.com,IP:10.0.0.1",
  ];
  for (const list of lists) {
    await refuse(
      [await withNames(list), intermediate],
      /changed the names: they were DNS:internal.example.com IP:10.0.0.1/,
    );
  }
});

Deno.test("verifyIssued() refuses another otherName of the same type", async () => {
  const before = await withNames("otherName:1.3.6.1.4.1.311.20.2.3;UTF8:a@b");
  const after = await withNames("otherName:1.3.6.1.4.1.311.20.2.3;UTF8:a@c");
  await refuse([after, intermediate], /changed the names/, {
    previous: before,
  });
  await verify([after, intermediate], { previous: after });
});

Deno.test("verifyIssued() accepts the same names in another order", async () => {
  const turned = await withNames("IP:10.0.0.1,DNS:internal.example.com");
  await acceptAsOpenssl([turned, intermediate]);
});

Deno.test("verifyIssued() refuses a CA certificate for a host", async () => {
  const extensions = [...LEAF_EXTENSIONS, "basicConstraints = CA:TRUE"];
  const promoted = await makeLeaf({ extensions });
  await refuse([promoted, intermediate], /sent a CA certificate/);
  await verify([promoted, intermediate], { previous: promoted });
});

Deno.test("verifyIssued() warns when a CA's certificate comes back as a host's", async () => {
  const extensions = [...LEAF_EXTENSIONS, "basicConstraints = CA:TRUE"];
  const promoted = await makeLeaf({ extensions });
  const warnings = await verify([leaf, intermediate], { previous: promoted });
  assertEquals(warnings, ["the new certificate is no longer a CA's"]);
});

Deno.test("verifyIssued() warns about another key usage and extended key usage", async () => {
  const extensions = LEAF_EXTENSIONS.map((line) =>
    line.replace("digitalSignature", "digitalSignature,keyEncipherment")
      .replace("serverAuth,clientAuth", "serverAuth")
  );
  const other = await makeLeaf({ extensions });
  assertEquals(await verify([other, intermediate]), [
    "the CA changed the key usage: it was digitalSignature, and is now digitalSignature keyEncipherment",
    "the CA changed the extended key usage: it was 1.3.6.1.5.5.7.3.1 1.3.6.1.5.5.7.3.2, and is now 1.3.6.1.5.5.7.3.1",
  ]);
});

Deno.test("verifyIssued() refuses an unknown critical extension only when it is new", async () => {
  const extensions = [...LEAF_EXTENSIONS, "1.2.3.4 = critical,DER:0500"];
  const strange = await makeLeaf({ extensions });
  await refuse([strange, intermediate], /critical extension .* 1\.2\.3\.4$/);
  await verify([strange, intermediate], { previous: strange });
});

Deno.test("verifyIssued() accepts an unknown extension that is not critical", async () => {
  const extensions = [...LEAF_EXTENSIONS, "1.2.3.4 = DER:0500"];
  await acceptAsOpenssl([await makeLeaf({ extensions }), intermediate]);
});

Deno.test("verifyIssued() refuses an expired certificate", async () => {
  const expired = await makeLeaf({ to: "20260531235959Z" });
  await refuseAsOpenssl(
    [expired, intermediate],
    /certificate expired on 2026-05-31T23:59:59.000Z, this machine's clock says 2026-06-01/,
  );
});

Deno.test("verifyIssued() refuses a certificate whose last second is now", async () => {
  const ending = await makeLeaf({ to: "20260601000000Z" });
  await refuse([ending, intermediate], /certificate expired/);
});

Deno.test("verifyIssued() refuses a certificate that begins more than 5 minutes ahead", async () => {
  const early = await makeLeaf({ from: "20260601000501Z" });
  await refuseAsOpenssl(
    [early, intermediate],
    /not valid before 2026-06-01T00:05:01.000Z, this machine's clock says 2026-06-01T00:00:00/,
  );
});

Deno.test("verifyIssued() takes what only a clock is wrong about for worth another try", async () => {
  const early = await makeLeaf({ from: "20260601000501Z" });
  const wrong = await makeLeaf({ subject: "/O=Acme/CN=other" });
  const retries = [];
  for (
    const [chain, changes] of [
      [[early, intermediate], {}],
      // A clock that begins in 1970.
      [[leaf, intermediate], { now: new Date(0) }],
      [[early], {}],
      [[wrong, intermediate], {}],
    ] as const
  ) {
    const error = await assertRejects(
      () => verify(chain, changes),
      UntrustedError,
    );
    retries.push(error instanceof UntrustedError && error.isClock);
  }
  assertEquals(retries, [true, true, false, false]);
});

Deno.test("verifyIssued() accepts 5 minutes of clock skew and says so", async () => {
  const early = await makeLeaf({ from: "20260601000500Z" });
  const warnings = await verify([early, intermediate]);
  assertEquals(warnings, [
    "the CA's clock is at least 300 s ahead of this machine's: the certificate is not valid before 2026-06-01T00:05:00.000Z",
  ]);
});

Deno.test("verifyIssued() refuses a validity that ends before it begins", async () => {
  const turned = await makeLeaf({
    from: "20260601000100Z",
    to: "20260601000050Z",
  });
  await refuseAsOpenssl([turned, intermediate], /ends before it begins/);
});

Deno.test("verifyIssued() warns when the lifetime is less than half of before", async () => {
  const short = await makeLeaf({
    from: "20260531000000Z",
    to: "20260602000000Z",
  });
  assertEquals(await verify([short, intermediate]), [
    "the new certificate lives 172800 s, the previous one 31536000 s",
  ]);
});

Deno.test("verifyIssued() warns when the certificate outlives its issuer", async () => {
  const long = await makeLeaf({ to: "20280101000000Z" });
  const [warning, ...more] = await verify([long, intermediate]);
  assertEquals(more, []);
  assertEquals(
    warning,
    'the new certificate is valid until 2028-01-01T00:00:00.000Z, longer than its issuer "CN=Intermediate,O=Acme" (2027-01-01T00:00:00.000Z)',
  );
});

Deno.test("verifyIssued() accepts no certificate with any bit flipped", async () => {
  const chain = [leaf.certificate, intermediate.certificate];
  const expected = {
    publicKey: leaf.certificate.publicKey,
    previous: previous.certificate,
    roots: [root.certificate],
    now: NOW,
  };
  await verifyIssued(chain, expected);
  let tried = 0;
  let parsed = 0;
  for (const [place, original] of chain.entries()) {
    for (const bit of spread({ end: original.der.length * 8 }, 17)) {
      tried++;
      const changed = flipped(original, bit);
      if (changed === undefined) continue;
      parsed++;
      await assertRejects(
        () => verifyIssued(chain.with(place, changed), expected),
        UntrustedError,
      );
    }
  }
  // Most flips hit keys, names and signatures, which leaves the form intact.
  assert(parsed > tried / 3, `only ${parsed} of ${tried} could be parsed`);
});

function flipped(original: Certificate, bit: number): Certificate | undefined {
  const der = original.der.slice();
  der[bit >> 3] = (der[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  try {
    return parseCertificate(der);
  } catch (error) {
    // Malformed: refused before it is verified.
    assert(error instanceof MalformedError);
    return undefined;
  }
}
