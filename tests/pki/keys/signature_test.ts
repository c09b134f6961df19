import { isValidSignature } from "../../../src/pki/keys/signature.ts";
import { isSignedBy } from "../../../src/pki/verify/certification_path.ts";
import { assert } from "../../support/assert.ts";
import {
  acceptAsOpenssl,
  ca,
  intermediate,
  leaf,
  makeLeaf,
  refuse,
  root,
  verify,
} from "../verify/chain_fixture.ts";
import { CA_EXTENSIONS } from "../../support/openssl_certificates.ts";

const SIGNATURES: readonly (readonly [string, string, readonly string[]])[] = [
  ["EC:P-256", "sha256", []],
  ["EC:P-256", "sha512", []],
  ["EC:P-384", "sha384", []],
  ["EC:P-384", "sha256", []],
  ["EC:P-521", "sha512", []],
  ["RSA:2048", "sha256", []],
  ["RSA:2048", "sha384", []],
  ["RSA:2048", "sha512", []],
  ["RSA:2048", "sha256", ["rsa_padding_mode:pss", "rsa_pss_saltlen:32"]],
  ["RSA:2048", "sha512", ["rsa_padding_mode:pss", "rsa_pss_saltlen:20"]],
  ["RSA:2048", "sha384", ["rsa_padding_mode:pss", "rsa_pss_saltlen:48"]],
  ["Ed25519", "default", []],
];

for (const [key, digest, signatureOptions] of SIGNATURES) {
  const name = [key, digest, ...signatureOptions].join(" ");
  Deno.test(`verifyIssued() accepts signatures by ${name}`, async () => {
    const signer = await ca.issue({
      subject: "/CN=Signer",
      key,
      extensions: CA_EXTENSIONS,
      ...(key === "Ed25519" ? {} : { digest: "sha256" }),
    });
    const signed = await makeLeaf({ issuer: signer, digest, signatureOptions });
    await acceptAsOpenssl([signed, signer], { anchor: signer });
  });
}

Deno.test("verifyIssued() refuses a signature with SHA-1", async () => {
  for (const key of ["EC:P-256#root", "RSA:2048"]) {
    const signer = await ca.issue({
      subject: "/CN=Signer",
      key,
      extensions: CA_EXTENSIONS,
    });
    const signed = await makeLeaf({ issuer: signer, digest: "sha1" });
    await refuse([signed, signer], /signature .* does not verify/, {
      roots: [signer],
    });
    await refuse(
      [signed],
      /names the trusted root .* but that root's key did not sign it/,
      { roots: [signer] },
    );
  }
});

Deno.test("verifyIssued() refuses RSA-PSS with SHA-1, its default", async () => {
  const signer = await ca.issue({
    subject: "/CN=Signer",
    key: "RSA:2048",
    extensions: CA_EXTENSIONS,
  });
  const mixed = ["rsa_padding_mode:pss", "rsa_mgf1_md:sha1"];
  const signed = await makeLeaf({ issuer: signer, signatureOptions: mixed });
  await refuse([signed, signer], /does not verify/, { roots: [signer] });
});

Deno.test("verifyIssued() lets an anchor be trusted without its self-signature", async () => {
  // A root file may hold a root whose own signature is of an old kind.
  const old = await ca.issue({
    subject: "/CN=Old SHA-1 Root",
    key: "EC:P-256#old",
    extensions: CA_EXTENSIONS,
    digest: "sha1",
  });
  await verify([await makeLeaf({ issuer: old })], { roots: [old] });
});

Deno.test("isSignedBy() tells the issuer from others, and does not throw for odd keys", async () => {
  const rsa = await ca.issue({
    subject: "/CN=RSA",
    key: "RSA:2048",
    extensions: CA_EXTENSIONS,
  });
  const p521 = await ca.issue({
    subject: "/CN=P-521",
    key: "EC:P-521",
    extensions: CA_EXTENSIONS,
  });
  const odd = await ca.issue({
    subject: "/CN=secp256k1",
    key: "EC:secp256k1",
    extensions: CA_EXTENSIONS,
  });
  assert(await isSignedBy(leaf.certificate, intermediate.certificate));
  for (const other of [root, rsa, p521, odd, leaf]) {
    assert(!await isSignedBy(leaf.certificate, other.certificate));
  }
  assert(!await isSignedBy(odd.certificate, odd.certificate));
});

const DATA = new TextEncoder().encode("what is signed");

interface Signer {
  readonly publicKey: Uint8Array<ArrayBuffer>;
  readonly privateKey: CryptoKey;
}

async function makeSigner(
  algorithm: EcKeyGenParams | RsaHashedKeyGenParams,
): Promise<Signer> {
  const pair = await crypto.subtle.generateKey(algorithm, true, [
    "sign",
    "verify",
  ]) as CryptoKeyPair;
  const spki = await crypto.subtle.exportKey("spki", pair.publicKey);
  return { publicKey: new Uint8Array(spki), privateKey: pair.privateKey };
}

/** SEQUENCE of up to 127 octets. */
function sequence(...parts: readonly (readonly number[])[]): readonly number[] {
  const content = parts.flat();
  return [0x30, content.length, ...content];
}

/** The shortest INTEGER of these octets. */
function integer(octets: Uint8Array): readonly number[] {
  const start = octets.findIndex((octet) => octet !== 0);
  const content = [...octets.subarray(start)];
  if ((content[0] ?? 0) >= 0x80) content.unshift(0);
  return [2, content.length, ...content];
}

Deno.test("isValidSignature() refuses other encodings of a valid ECDSA signature", async () => {
  const { publicKey, privateKey } = await makeSigner({
    name: "ECDSA",
    namedCurve: "P-256",
  });
  const check = (signature: readonly number[]) =>
    isValidSignature({
      data: DATA,
      signature: Uint8Array.from(signature),
      algorithm: { oid: "1.2.840.10045.4.3.2", parameters: undefined },
    }, publicKey);
  const raw = new Uint8Array(
    await crypto.subtle.sign(
      { name: "ECDSA", hash: "SHA-256" },
      privateKey,
      DATA,
    ),
  );
  const [r, s] = [raw.subarray(0, 32), raw.subarray(32)].map(integer);
  assert(r !== undefined && s !== undefined);
  assert(await check(sequence(r, s)));
  const padded = [2, r.length - 1, 0, ...r.slice(2)];
  assert(!await check(sequence(padded, s)), "padded");
  assert(!await check(sequence(r, s, [5, 0])), "a third member");
  assert(!await check([...sequence(r, s), 0]), "a byte behind it");
  assert(!await check(sequence(r)), "one number");
  assert(!await check([...raw]), "without DER");
  assert(!await check([]), "empty");
  const wide = [2, 34, 1, ...new Uint8Array(33)];
  assert(!await check(sequence(wide, s)), "wider than the curve");
});

Deno.test("isValidSignature() refuses an ECDSA signature with negative numbers", async () => {
  const { publicKey, privateKey } = await makeSigner({
    name: "ECDSA",
    namedCurve: "P-256",
  });
  // About every second r has its highest bit set, and so a zero octet in front.
  for (let round = 0; round < 64; round++) {
    const data = Uint8Array.of(...DATA, round);
    const raw = new Uint8Array(
      await crypto.subtle.sign(
        { name: "ECDSA", hash: "SHA-256" },
        privateKey,
        data,
      ),
    );
    if ((raw[0] ?? 0) < 0x80) continue;
    const negative = [2, 32, ...raw.subarray(0, 32)];
    const signature = sequence(negative, integer(raw.subarray(32)));
    const isValid = await isValidSignature({
      data,
      signature: Uint8Array.from(signature),
      algorithm: { oid: "1.2.840.10045.4.3.2", parameters: undefined },
    }, publicKey);
    assert(!isValid);
    return;
  }
  throw new Error("64 signatures without a high bit");
});

const RSA = await makeSigner({
  name: "RSA-PSS",
  hash: "SHA-256",
  modulusLength: 2048,
  publicExponent: Uint8Array.of(1, 0, 1),
});

const SHA256 = "300b0609608648016503040201";
const SHA384 = "300b0609608648016503040202";

/** RSASSA-PSS-params as DER. */
function pssParameters(
  hash: string,
  saltLength: number,
  maskHash = hash,
): Uint8Array<ArrayBuffer> {
  const mask = sequence(
    [0x06, 9, ...Uint8Array.fromHex("2a864886f70d010108")],
    [...Uint8Array.fromHex(maskHash)],
  );
  const tagged = (tag: number, content: readonly number[]) => [
    tag,
    content.length,
    ...content,
  ];
  return Uint8Array.from(sequence(
    tagged(0xa0, [...Uint8Array.fromHex(hash)]),
    tagged(0xa1, mask),
    tagged(0xa2, [2, 1, saltLength]),
  ));
}

/** The same key under the OID of RSA-PSS. */
function asPssKey(
  parameters: Uint8Array | undefined,
): Uint8Array<ArrayBuffer> {
  const algorithm = sequence(
    [0x06, 9, ...Uint8Array.fromHex("2a864886f70d01010a")],
    [...parameters ?? []],
  );
  // The old one is SEQUENCE { rsaEncryption, NULL }: 15 octets behind 4.
  const content = [...algorithm, ...RSA.publicKey.subarray(19)];
  return Uint8Array.of(
    ...[0x30, 0x82, content.length >> 8, content.length & 0xff],
    ...content,
  );
}

async function isValidPss(
  parameters: Uint8Array<ArrayBuffer>,
  publicKey = RSA.publicKey,
): Promise<boolean> {
  const signature = await crypto.subtle.sign(
    { name: "RSA-PSS", saltLength: 32 },
    RSA.privateKey,
    DATA,
  );
  return isValidSignature({
    data: DATA,
    signature: new Uint8Array(signature),
    algorithm: { oid: "1.2.840.113549.1.1.10", parameters },
  }, publicKey);
}

Deno.test("isValidSignature() takes a PSS signature by its parameters", async () => {
  assert(await isValidPss(pssParameters(SHA256, 32)));
  assert(!await isValidPss(pssParameters(SHA256, 20)));
  assert(!await isValidPss(pssParameters(SHA384, 32)));
  assert(!await isValidPss(pssParameters(SHA256, 32, SHA384)));
  assert(!await isValidPss(Uint8Array.of(0x30, 0)));
  assert(!await isValidPss(Uint8Array.of(5, 0)));
});

Deno.test("isValidSignature() takes no key under the OID of PSS, as Go has none", async () => {
  const parameters = pssParameters(SHA256, 32);
  for (const wanted of [undefined, parameters]) {
    assert(!await isValidPss(parameters, asPssKey(wanted)));
  }
});

Deno.test("isValidSignature() refuses PKCS#1 signatures with parameters, or for a PSS key", async () => {
  const pkcs8 = await crypto.subtle.exportKey("pkcs8", RSA.privateKey);
  const algorithm = { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" };
  const key = await crypto.subtle.importKey("pkcs8", pkcs8, algorithm, false, [
    "sign",
  ]);
  const signature = await crypto.subtle.sign(algorithm, key, DATA);
  const check = (
    parameters: Uint8Array<ArrayBuffer> | undefined,
    publicKey = RSA.publicKey,
  ) =>
    isValidSignature({
      data: DATA,
      signature: new Uint8Array(signature),
      algorithm: { oid: "1.2.840.113549.1.1.11", parameters },
    }, publicKey);
  assert(await check(Uint8Array.of(5, 0)));
  assert(await check(undefined));
  assert(!await check(Uint8Array.of(0x30, 0)));
  assert(!await check(undefined, asPssKey(undefined)));
  assert(!await check(undefined, Uint8Array.of(0x30, 0)));
});
