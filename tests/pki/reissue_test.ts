/**
 * Certificates of the offline CA against Go's own, byte for byte.
 */
import type { KeySpec } from "../../src/options.ts";
import {
  type Certificate,
  parseCertificate,
} from "../../src/pki/certificate.ts";
import {
  generatePrivateKey,
  loadPrivateKey,
  type PrivateKey,
} from "../../src/pki/private_key.ts";
import { type Reissue, reissue, ReissueError } from "../../src/pki/reissue.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { goTbs, goTest } from "../support/go_reissue.ts";
import { runOk } from "../support/run.ts";
import {
  CA_EXTENSIONS,
  type CertificateRequest,
  type Issued,
  LEAF_EXTENSIONS,
  OpensslCa,
} from "./openssl_ca.ts";

const openssl = new OpensslCa();
const MINUTE = 60_000_000_000n;
/** With a part below the second. */
const NOW = new Date("2026-06-01T12:34:56.789Z");

async function readKey({ keyPath }: Issued): Promise<PrivateKey> {
  const { key } = await loadPrivateKey(
    await Deno.readFile(keyPath),
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

async function assertAsGo(change: Partial<Reissue>): Promise<Certificate> {
  const request = await requestOf(change);
  const certificate = await reissue(request);
  assertEquals(certificate.tbs.toHex(), await goTbs(request));
  return certificate;
}

/** A copy of a certificate in which a UTF8String of the names has another tag. */
function retag(certificate: Certificate, text: string, tag: number) {
  const hex = certificate.der.toHex();
  const value = new TextEncoder().encode(text);
  const body = Uint8Array.of(value.length, ...value).toHex();
  const changed = hex.replaceAll(
    `0c${body}`,
    Uint8Array.of(tag).toHex() + body,
  );
  assert(changed !== hex, `no UTF8String ${text}`);
  return parseCertificate(Uint8Array.fromHex(changed));
}

const plain = CA_EXTENSIONS.filter((line) => !line.includes("KeyIdent"));
/** openssl adds one unless it is told not to. */
const withoutSki = [...plain, "subjectKeyIdentifier = none"];

const ISSUERS: Readonly<Record<string, Partial<CertificateRequest>>> = {
  "EC P-256": {},
  "EC P-384": { key: "EC:P-384" },
  "EC P-521": { key: "EC:P-521" },
  "Ed25519": { key: "Ed25519" },
  "RSA signed with SHA256-RSA": { key: "RSA:2048", digest: "sha256" },
  "RSA signed with SHA384-RSA": { key: "RSA:2048", digest: "sha384" },
  "RSA signed with SHA512-RSA": { key: "RSA:2048", digest: "sha512" },
  "RSA signed with SHA1-RSA": { key: "RSA:2048", digest: "sha1" },
  ...Object.fromEntries(
    ["256", "384", "512"].map((bits) => [`RSA signed with SHA${bits}-RSA-PSS`, {
      key: "RSA:2048",
      digest: `sha${bits}`,
      signatureOptions: ["rsa_padding_mode:pss", "rsa_pss_saltlen:digest"],
    }]),
  ),
  "RSA signed with a salt of 20 octets": {
    key: "RSA:2048",
    digest: "sha256",
    signatureOptions: ["rsa_padding_mode:pss", "rsa_pss_saltlen:20"],
  },
  "without a key identifier": { extensions: withoutSki },
  "with a key identifier of 8 octets": {
    extensions: [...plain, "subjectKeyIdentifier = 0102030405060708"],
  },
};

for (const [name, change] of Object.entries(ISSUERS)) {
  goTest(`reissue() makes what Go makes: issuer ${name}`, async () => {
    const issued = await issuerOf(change);
    const certificate = await assertAsGo({
      issuer: issued.certificate,
      issuerKey: await readKey(issued),
    });
    const path = `${openssl.path}/reissued.der`;
    await Deno.writeFile(path, certificate.der);
    await runOk("openssl", [
      ...[
        "verify",
        "-partial_chain",
        "-attime",
        String(NOW.getTime() / 1000 | 0),
      ],
      ...["-trusted", issued.path, path],
    ]);
  });
}

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

goTest(
  "reissue() makes what Go makes: an issuer with an empty key identifier",
  async () => {
    const issued = await issuerOf({
      extensions: [...withoutSki, "2.5.29.99 = DER:0400"],
    });
    // openssl does not write it, so another extension becomes it.
    const hex = issued.certificate.der.toHex();
    const changed = hex.replace("0603551d63", "0603551d0e");
    assert(changed !== hex);
    const issuer = parseCertificate(Uint8Array.fromHex(changed));
    await assertAsGo({ issuer, issuerKey: await readKey(issued) });
  },
);

goTest(
  "reissue() makes what Go makes: an RSA issuer below an EC root",
  async () => {
    const issued = await issuerOf({
      key: "RSA:2048",
      issuer: await defaultIssuer(),
      subject: "/CN=Below",
    });
    await assertAsGo({
      issuer: issued.certificate,
      issuerKey: await readKey(issued),
    });
  },
);

goTest("reissue() copies an issuer name of mixed string types", async () => {
  const issued = await issuerOf({
    subject: "/C=CH/O=Teletex/OU=BMPS+OU=other/CN=Zürich",
  });
  const teletex = retag(issued.certificate, "Teletex", 0x14);
  const issuer = retag(teletex, "BMPS", 0x1e);
  const certificate = await assertAsGo({
    issuer,
    issuerKey: await readKey(issued),
  });
  assertEquals(certificate.issuerDer.toHex(), issuer.subjectDer.toHex());
});

const STEP_EXTENSION = [
  "1.3.6.1.4.1.37476.9000.64.1 = ASN1:SEQUENCE:step",
  "[step]",
  "type = INTEGER:1",
  "name = FORMAT:ASCII,OCTETSTRING:admin",
  "id = FORMAT:ASCII,OCTETSTRING:kid",
];

const LEAVES: Readonly<Record<string, Partial<CertificateRequest>>> = {
  "of step": { extensions: [...LEAF_EXTENSIONS, ...STEP_EXTENSION] },
  "with an empty subject and a critical SAN": {
    subject: "/",
    extensions: ["subjectAltName = critical,DNS:internal.example.com"],
  },
  "with an otherName": {
    extensions: [
      "subjectAltName = otherName:1.3.6.1.4.1.311.20.2.3;UTF8:user@example.com",
    ],
  },
  "with names of every type": {
    extensions: [
      "subjectAltName = DNS:*.example.com,IP:10.0.0.1,IP:2001:db8::1," +
      "email:a@example.com,URI:spiffe://example.com/a,RID:1.2.3.4",
    ],
  },
  "with an unknown critical extension": {
    extensions: ["1.2.3.4 = critical,DER:0500", ...LEAF_EXTENSIONS],
  },
  "with an extension that says critical FALSE by default": {
    extensions: ["1.2.3.4 = DER:0500", "basicConstraints = CA:FALSE"],
  },
  "that is a CA with path length 0": {
    extensions: ["basicConstraints = critical,CA:TRUE,pathlen:0"],
  },
  "with policies, CRL points and must-staple": {
    extensions: [
      "certificatePolicies = 1.2.3.4,1.2.3.5",
      "crlDistributionPoints = URI:http://example.com/crl",
      "authorityInfoAccess = OCSP;URI:http://example.com/ocsp",
      "tlsfeature = status_request",
    ],
  },
  "with key identifiers in the last place": {
    extensions: ["keyUsage = digitalSignature", ...LEAF_EXTENSIONS.slice(2)],
  },
  "of version 1": { extensions: [] },
  "with the issuer's subject": { subject: "/O=Test/CN=Test Intermediate CA" },
  "with a multi-valued subject": { subject: "/C=CH/O=a+OU=b/CN=Zürich" },
  "for RSA with keyEncipherment": {
    key: "RSA:2048",
    extensions: ["keyUsage = critical,digitalSignature,keyEncipherment"],
  },
  "without end (99991231235959Z)": { to: "99991231235959Z" },
  "until 2051": { to: "20510601000000Z" },
  "from 2049 until 2051": { from: "20490601000000Z", to: "20510601000000Z" },
};

for (const [name, { extensions, ...change }] of Object.entries(LEAVES)) {
  goTest(`reissue() makes what Go makes: a leaf ${name}`, async () => {
    const previous = extensions?.length === 0
      // No list at all makes version 1.
      ? (await openssl.issue({
        subject: "/CN=old",
        issuer: await defaultIssuer(),
      })).certificate
      : await leafOf({ ...change, ...extensions && { extensions } });
    if (name === "of version 1") assertEquals(previous.version, 1);
    await assertAsGo({ previous });
  });
}

for (
  const [name, backdate] of Object.entries({
    "0s": 0n,
    "1500ms": 1_500_000_000n,
    "1h": 60n * MINUTE,
    "longer than the lifetime": 60n * 24n * 400n * MINUTE,
    "before 1970": 60n * 24n * 366n * 60n * MINUTE,
    "before 1950": 60n * 24n * 366n * 80n * MINUTE,
  })
) {
  goTest(`reissue() makes what Go makes: backdate ${name}`, async () => {
    await assertAsGo({ backdate });
  });
}

for (const now of ["2049-12-31T23:59:59.999Z", "2050-01-01T00:00:59.001Z"]) {
  goTest(`reissue() makes what Go makes at ${now}`, async () => {
    await assertAsGo({ now: new Date(now) });
  });
}

for (
  const spec of [
    { kty: "EC", curve: "P-384" },
    { kty: "EC", curve: "P-521" },
    { kty: "OKP", curve: "Ed25519" },
    { kty: "RSA", bits: 2048 },
  ] satisfies KeySpec[]
) {
  const name = spec.kty === "RSA" ? "RSA" : spec.curve;
  goTest(`reissue() makes what Go makes: a new ${name} key`, async () => {
    await assertAsGo({ publicKey: await newKey(spec) });
  });
}

for (
  const serial of [
    "00".repeat(15) + "01",
    "00".repeat(16),
    "ff".repeat(16),
    "0080" + "11".repeat(14),
    "007f" + "11".repeat(14),
  ]
) {
  goTest(`reissue() encodes the serial number ${serial} as Go`, async () => {
    await assertAsGo({ serial: Uint8Array.fromHex(serial) });
  });
}

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
