/**
 * Certificates of the offline CA: what reissue_vectors_test.ts does not show.
 */
import type { KeySpec } from "../../../src/base/options.ts";
import type { Certificate } from "../../../src/pki/certificate/certificate.ts";
import {
  generatePrivateKey,
  loadPrivateKey,
  type PrivateKey,
} from "../../../src/pki/keys/private_key.ts";
import {
  type Reissue,
  reissue,
  ReissueError,
} from "../../../src/pki/issue/reissue.ts";
import { assert, assertRejects } from "../../support/assert.ts";
import {
  CA_EXTENSIONS,
  type CertificateRequest,
  type Issued,
  LEAF_EXTENSIONS,
  OpensslCertificates,
} from "../../support/openssl_certificates.ts";

const openssl = new OpensslCertificates();
const MINUTE = 60_000_000_000n;
/** With a part below the second. */
const NOW = new Date("2026-06-01T12:34:56.789Z");

async function readKey({ keyFile }: Issued): Promise<PrivateKey> {
  const { key } = await loadPrivateKey(
    await Deno.readFile(keyFile),
    () => Promise.reject(new Error("the keys of tests are not encrypted")),
  );
  return key;
}

async function newKey(spec: KeySpec = P256): Promise<Uint8Array<ArrayBuffer>> {
  return (await generatePrivateKey(spec)).publicKey;
}

const P256: KeySpec = { kty: "EC", curve: "P-256" };

const shared: { issuer?: Promise<Issued> } = {};

function defaultIssuer(): Promise<Issued> {
  return shared.issuer ??= issuerOf({});
}

function issuerOf(change: Partial<CertificateRequest>): Promise<Issued> {
  return openssl.issue({
    subject: "/O=Test/CN=Test Intermediate CA",
    key: "EC:P-256#issuer",
    extensions: CA_EXTENSIONS,
    ...change,
  });
}

async function leafOf(
  change: Partial<CertificateRequest> = {},
): Promise<Certificate> {
  const { certificate } = await openssl.issue({
    subject: "/CN=internal.example.com",
    issuer: await defaultIssuer(),
    extensions: LEAF_EXTENSIONS,
    ...change,
  });
  return certificate;
}

/** A request with everything that the test does not give. */
async function requestOf(change: Partial<Reissue> = {}): Promise<Reissue> {
  const issued = await defaultIssuer();
  return {
    previous: change.previous ?? await leafOf(),
    publicKey: change.publicKey ?? await newKey(),
    issuer: issued.certificate,
    issuerKey: change.issuerKey ?? await readKey(issued),
    backdate: MINUTE,
    now: NOW,
    serial: crypto.getRandomValues(new Uint8Array(16)),
    ...change,
  };
}

const plain = CA_EXTENSIONS.filter((line) => !line.includes("KeyIdent"));
/** openssl adds one unless it is told not to. */
const withoutSki = [...plain, "subjectKeyIdentifier = none"];

Deno.test("reissue() names no key identifier of an issuer without one", async () => {
  const issued = await issuerOf({ extensions: withoutSki });
  const certificate = await reissue(
    await requestOf({
      issuer: issued.certificate,
      issuerKey: await readKey(issued),
    }),
  );
  const oids = [issued.certificate, certificate].map(({ extensions }) =>
    extensions.map(({ oid }) => oid)
  );
  assert(!oids[0]?.includes("2.5.29.14") && !oids[1]?.includes("2.5.29.35"));
});

function assertImpossible(
  change: Partial<Reissue>,
  pattern: RegExp,
): Promise<void> {
  return requestOf(change).then(async (request) => {
    const error = await assertRejects(
      () => reissue(request),
      undefined,
      pattern,
    );
    assert(error instanceof ReissueError);
  });
}

Deno.test("reissue() refuses a lifetime that equals the backdate", async () => {
  const previous = await leafOf({
    from: "20260101000000Z",
    to: "20260101000100Z",
  });
  await assertImpossible({ previous }, /`lifetime` cannot be 0$/);
});

Deno.test("reissue() refuses CA:FALSE with a path length", async () => {
  const previous = await leafOf({
    extensions: ["basicConstraints = CA:FALSE,pathlen:0"],
  });
  await assertImpossible(
    { previous },
    /only CAs are allowed to specify MaxPathLen$/,
  );
});

Deno.test("reissue() refuses a key that is not the issuer's", async () => {
  await assertImpossible(
    { issuerKey: await generatePrivateKey(P256) },
    /provided PrivateKey doesn't match parent's PublicKey$/,
  );
});

Deno.test("reissue() refuses a signature that the issuer's key denies", async () => {
  const issued = await defaultIssuer();
  const other = await generatePrivateKey(P256);
  const issuerKey = { ...await readKey(issued), signingKey: other.signingKey };
  await assertImpossible({ issuerKey }, /returned by signer is invalid$/);
});
