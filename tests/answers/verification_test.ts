import { findRefusal } from "../../src/answers/verification.ts";
import { assertEquals, assertMatch } from "../support/assert.ts";
import {
  CA_EXTENSIONS,
  type Issued,
  NOW,
} from "../support/openssl_certificates.ts";
import {
  ca,
  intermediate,
  leaf,
  makeIntermediate,
  makeLeaf,
  root,
} from "../pki/verify/chain_fixture.ts";

/** @returns the reason; undefined when it verifies */
async function refusalOf(
  [first, ...others]: readonly [Issued, ...Issued[]],
  { roots = [root], host, now = NOW }: {
    readonly roots?: readonly Issued[];
    readonly host?: string;
    readonly now?: Date;
  } = {},
): Promise<string | undefined> {
  const refusal = await findRefusal(
    [first.certificate, ...others.map(({ certificate }) => certificate)],
    { roots: roots.map(({ certificate }) => certificate), host, now },
  );
  return refusal?.reason;
}

const UNKNOWN = "x509: certificate signed by unknown authority";

Deno.test("findRefusal() finds the issuers in any order, others between them", async () => {
  const second = await makeIntermediate({
    subject: "/CN=Second",
    key: "EC:P-256#second",
    issuer: intermediate,
  });
  const deep = await makeLeaf({ issuer: second });
  for (
    const issuers of [
      [second, intermediate],
      [intermediate, second],
      [leaf, intermediate, root, second, intermediate],
    ]
  ) {
    assertEquals(await refusalOf([deep, ...issuers]), undefined);
  }
  assertEquals(await refusalOf([deep, second]), UNKNOWN);
  assertEquals(await refusalOf([deep]), UNKNOWN);
});

Deno.test("findRefusal() ends where certificates signed each other", async () => {
  const a = await makeIntermediate({
    subject: "/CN=A",
    key: "EC:P-256#a",
    issuer: await ca.issue({
      subject: "/CN=B",
      key: "EC:P-256#b",
      extensions: CA_EXTENSIONS,
    }),
  });
  const b = await makeIntermediate({
    subject: "/CN=B",
    key: "EC:P-256#b",
    issuer: a,
  });
  const below = await makeLeaf({ issuer: a });
  assertEquals(await refusalOf([below, a, b, a, b]), UNKNOWN);
});

Deno.test("findRefusal() says what was missing", async () => {
  const refusal = await findRefusal(
    [leaf.certificate, intermediate.certificate],
    { roots: [], host: undefined, now: NOW },
  );
  assertEquals(
    refusal?.detail,
    'no trusted root issued certificate 2 of the chain: its issuer is "CN=Root,O=Acme"',
  );
});

Deno.test("findRefusal() believes in the certificate itself where it is a root", async () => {
  assertEquals(await refusalOf([leaf], { roots: [leaf] }), undefined);
  assertEquals(await refusalOf([root]), undefined);
});

Deno.test("findRefusal() believes in no host's certificate as an issuer", async () => {
  const forged = await makeLeaf({ subject: "/CN=forged", issuer: leaf });
  assertMatch(
    await refusalOf([forged], { roots: [leaf] }) ?? "",
    /^x509: the root "CN=internal,O=Acme" is not a CA/,
  );
  assertMatch(
    await refusalOf([forged, leaf, intermediate]) ?? "",
    /^x509: the intermediate "CN=internal,O=Acme" is not a CA/,
  );
});

Deno.test("findRefusal() takes a good path where another one is not", async () => {
  const expired = await makeIntermediate({ to: "20260201000000Z" });
  assertEquals(await refusalOf([leaf, expired, intermediate]), undefined);
  assertMatch(await refusalOf([leaf, expired]) ?? "", /Intermediate.* expired/);
});

Deno.test("findRefusal() refuses what is not valid now, whoever signed it", async () => {
  assertEquals(
    await refusalOf([leaf, intermediate], { now: new Date("2027-01-02Z") }),
    "x509: certificate has expired or is not yet valid: current time 2027-01-02T00:00:00Z is after 2027-01-01T00:00:00Z",
  );
  assertEquals(
    await refusalOf([leaf, intermediate], { now: new Date("2025-01-02Z") }),
    "x509: certificate has expired or is not yet valid: current time 2025-01-02T00:00:00Z is before 2026-01-01T00:00:00Z",
  );
});

Deno.test("findRefusal() refuses a critical extension that is unknown", async () => {
  const odd = await makeLeaf({
    extensions: ["1.2.3.4 = critical,DER:0500"],
  });
  assertEquals(
    await refusalOf([odd, intermediate]),
    "x509: unhandled critical extension",
  );
});

Deno.test("findRefusal() refuses a namesake of the root with another key", async () => {
  const namesake = await ca.issue({
    subject: "/O=Acme/CN=Root",
    key: "EC:P-256#namesake",
    extensions: CA_EXTENSIONS,
  });
  assertEquals(
    await refusalOf([leaf, intermediate], { roots: [namesake] }),
    UNKNOWN,
  );
});

Deno.test("findRefusal() compares the host", async () => {
  const chain = [leaf, intermediate] as const;
  assertMatch(
    await refusalOf([...chain], { host: "nobody.example" }) ?? "",
    /, not nobody\.example$/,
  );
});
