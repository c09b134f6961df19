import type { KeySpec } from "../../../src/base/options.ts";
import { createCsr } from "../../../src/pki/keys/csr.ts";
import { requestedNames } from "../../../src/pki/certificate/requested_names.ts";
import type { PrivateKey } from "../../../src/pki/keys/private_key.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../support/assert.ts";
import { runOk } from "../../support/run.ts";
import { derOf } from "./key_files.ts";

interface Case {
  readonly spec: KeySpec;
  readonly algorithm: EcKeyGenParams | RsaHashedKeyGenParams | Algorithm;
  /** DER of the signature's AlgorithmIdentifier as Go's crypto/x509 writes it. */
  readonly signatureAlgorithm: string;
}

const CASES: readonly Case[] = [
  {
    spec: { kty: "EC", curve: "P-256" },
    algorithm: { name: "ECDSA", namedCurve: "P-256" },
    signatureAlgorithm: "300a06082a8648ce3d040302",
  },
  {
    spec: { kty: "EC", curve: "P-384" },
    algorithm: { name: "ECDSA", namedCurve: "P-384" },
    signatureAlgorithm: "300a06082a8648ce3d040303",
  },
  {
    spec: { kty: "EC", curve: "P-521" },
    algorithm: { name: "ECDSA", namedCurve: "P-521" },
    signatureAlgorithm: "300a06082a8648ce3d040304",
  },
  {
    spec: { kty: "RSA", bits: 2048 },
    algorithm: {
      name: "RSASSA-PKCS1-v1_5",
      hash: "SHA-256",
      modulusLength: 2048,
      publicExponent: Uint8Array.of(1, 0, 1),
    },
    signatureAlgorithm: "300d06092a864886f70d01010b0500",
  },
  {
    spec: { kty: "OKP", curve: "Ed25519" },
    algorithm: { name: "Ed25519" },
    signatureAlgorithm: "300506032b6570",
  },
];

async function makeKey({ spec, algorithm }: Case): Promise<PrivateKey> {
  const pair = await crypto.subtle.generateKey(algorithm, true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const { privateKey: signingKey, publicKey } = pair;
  return {
    spec,
    publicKey: new Uint8Array(
      await crypto.subtle.exportKey("spki", publicKey),
    ),
    pkcs8: new Uint8Array(await crypto.subtle.exportKey("pkcs8", signingKey)),
    signingKey,
  };
}

for (const entry of CASES) {
  const name = entry.spec.kty === "RSA" ? "RSA" : entry.spec.curve;

  Deno.test(`createCsr() signs with a ${name} key what openssl verifies`, async () => {
    const key = await makeKey(entry);
    // ECDSA integers vary in length: several signatures.
    for (let round = 0; round < 5; round++) {
      const csr = await createCsr(key);
      const { stderr } = await runOk(
        "openssl",
        ["req", "-verify", "-noout"],
        { stdin: csr.pem },
      );
      assert(/verify OK/i.test(stderr), stderr);
    }
  });

  Deno.test(`createCsr() encodes every field for a ${name} key as Go does`, async () => {
    const key = await makeKey(entry);
    const csr = await createCsr(key);
    // version 0, empty subject, the key, an empty set of attributes.
    const body = `0201003000${key.publicKey.toHex()}a000`;
    const hex = derOf(csr.pem).toHex();
    const start = hex.indexOf(body);
    assert(start > 0, `no ${body} in ${hex}`);
    assertEquals(csr.publicKey, key.publicKey);
    const rest = hex.slice(start + body.length);
    assert(rest.startsWith(`${entry.signatureAlgorithm}03`), rest);
  });
}

Deno.test("createCsr() writes 64-column PEM with the label CERTIFICATE REQUEST", async () => {
  const [entry] = CASES;
  assert(entry !== undefined);
  const { pem } = await createCsr(await makeKey(entry));
  const { stdout } = await runOk("openssl", ["req"], { stdin: pem });
  assertEquals(pem, stdout);
});

Deno.test("createCsr() refuses a key whose halves do not belong together", async () => {
  const [p256, p384] = CASES;
  assert(p256 !== undefined && p384 !== undefined);
  const [key, other] = await Promise.all([makeKey(p256), makeKey(p384)]);
  await assertRejects(() => createCsr({ ...key, publicKey: other.publicKey }));
});

Deno.test("createCsr() asks for subject and names as openssl reads them", async () => {
  const [entry] = CASES;
  assert(entry !== undefined);
  const key = await makeKey(entry);
  const requested = requestedNames("internal", [
    "internal.example.com",
    "10.0.0.1",
    "a@example.com",
    "spiffe://x/y",
  ]);
  const { pem } = await createCsr(key, requested);
  const { stdout: text } = await runOk("openssl", [
    "req",
    "-noout",
    "-text",
    "-verify",
  ], {
    stdin: pem,
  });
  assertMatch(text, /Subject: CN = internal\n/);
  assertMatch(
    text,
    /X509v3 Subject Alternative Name: \n +DNS:internal.example.com, IP Address:10.0.0.1, email:a@example.com, URI:spiffe:\/\/x\/y\n/,
  );
});

Deno.test("createCsr() asks for no extension where there are no names", async () => {
  const [entry] = CASES;
  assert(entry !== undefined);
  const { pem } = await createCsr(
    await makeKey(entry),
    requestedNames("internal", []),
  );
  const { stdout: text } = await runOk("openssl", ["req", "-noout", "-text"], {
    stdin: pem,
  });
  assertMatch(text, /Subject: CN = internal\n/);
  assert(!text.includes("Alternative Name"), text);
});
