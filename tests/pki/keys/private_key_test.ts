import { MalformedError } from "../../../src/pki/asn1/malformed.ts";
import { parseChain } from "../../../src/pki/certificate/certificate.ts";
import { toPem } from "../../../src/pki/asn1/pem.ts";
import {
  generatePrivateKey,
  loadPrivateKey,
  privateKeyToPem,
} from "../../../src/pki/keys/private_key.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { runOk } from "../../support/run.ts";
import { tempDir } from "../../support/temp_dir.ts";
import {
  derOf,
  encode,
  generate,
  KEY_TYPE_NAMES,
  keyOf,
  loadPlain,
  noPassword,
  openssl,
  publicKeyOf,
  signsFor,
  SPECS,
  traditional,
} from "./key_files.ts";

for (const type of KEY_TYPE_NAMES) {
  Deno.test(`loadPrivateKey() reads ${type} in PKCS#8 and in the traditional form`, async () => {
    const pkcs8 = await keyOf(type);
    const expected = await publicKeyOf(pkcs8);
    for (const text of [pkcs8, await traditional(pkcs8)]) {
      const key = await loadPlain(text);
      assertEquals(key.spec, SPECS[type]);
      assertEquals(key.publicKey.toHex(), expected);
      assert(await signsFor(key.publicKey, text));
      assertEquals(
        await publicKeyOf(toPem("PRIVATE KEY", key.pkcs8)),
        expected,
      );
    }
  });

  Deno.test(`loadPrivateKey() gives for ${type} the public key that the certificate has`, async () => {
    await using dir = await tempDir();
    await Deno.writeTextFile(dir.file("key"), await keyOf(type));
    const { stdout } = await runOk("openssl", [
      ...["req", "-x509", "-key", dir.file("key"), "-subj", "/CN=a"],
    ]);
    const [certificate] = parseChain(encode(stdout));
    const key = await loadPlain(await keyOf(type));
    assertEquals(key.publicKey, certificate?.publicKey);
  });

  Deno.test(`privateKeyToPem() writes ${type} byte for byte as openssl does`, async () => {
    const pkcs8 = await keyOf(type);
    const expected = await traditional(pkcs8);
    for (const text of [pkcs8, expected]) {
      assertEquals(await privateKeyToPem(await loadPlain(text)), expected);
    }
  });

  Deno.test(`generatePrivateKey() makes a ${type} key that openssl finds sound`, async () => {
    const key = await generatePrivateKey(SPECS[type]);
    assertEquals(key.spec, SPECS[type]);
    const pem = await privateKeyToPem(key);
    assertEquals(await traditional(pem), pem);
    assertEquals(await publicKeyOf(pem), key.publicKey.toHex());
    await openssl(["pkey", "-check", "-noout"], pem);
    assert(await signsFor(key.publicKey, pem));
  });
}

for (const type of ["P-256", "P-384", "P-521"] as const) {
  Deno.test(`loadPrivateKey() reads ${type} without public key inside`, async () => {
    const pkcs8 = await keyOf(type);
    const expected = await traditional(pkcs8);
    const sec1 = await openssl(["ec", "-no_public"], pkcs8);
    assert(sec1.length < expected.length);
    const wrapped = await openssl(["pkcs8", "-topk8", "-nocrypt"], sec1);
    assert(wrapped.length < pkcs8.length);
    for (const text of [sec1, wrapped]) {
      assertEquals(await privateKeyToPem(await loadPlain(text)), expected);
    }
  });

  Deno.test(`loadPrivateKey() reads ${type} with a compressed or hybrid point`, async () => {
    const pkcs8 = await keyOf(type);
    for (const form of ["compressed", "hybrid"]) {
      const text = await openssl(["ec", "-conv_form", form], pkcs8);
      const key = await loadPlain(text);
      assertEquals(await privateKeyToPem(key), await traditional(pkcs8));
    }
  });
}

Deno.test("loadPrivateKey() skips the EC PARAMETERS of openssl ecparam, and certificates", async () => {
  const both = (await runOk("openssl", [
    ...["ecparam", "-name", "secp384r1", "-genkey"],
  ])).stdout;
  const file = `text\n${
    toPem("CERTIFICATE", new Uint8Array(3))
  }${both}${await keyOf(
    "RSA",
  )}`;
  const key = await loadPlain(file);
  assertEquals(key.spec, SPECS["P-384"]);
  assertEquals(key.publicKey.toHex(), await publicKeyOf(both));
});

Deno.test("loadPrivateKey() takes the first private key of several", async () => {
  const file = (await keyOf("Ed25519")) + (await keyOf("P-256"));
  assertEquals((await loadPlain(file)).spec, SPECS.Ed25519);
});

Deno.test("loadPrivateKey() reads a file with byte order mark and CRLF", async () => {
  const text = `\ufeff${(await keyOf("P-256")).replaceAll("\n", "\r\n")}`;
  assertEquals((await loadPlain(text)).spec, SPECS["P-256"]);
});

Deno.test("loadPrivateKey() accepts RSA of 1024 bits and exponent 3", async () => {
  const text = await generate(
    ...["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"],
    ...["-pkeyopt", "rsa_keygen_pubexp:3"],
  );
  const key = await loadPlain(text);
  assertEquals(key.spec, { kty: "RSA", bits: 1024 });
  assertEquals(key.publicKey.toHex(), await publicKeyOf(text));
  assert(await signsFor(key.publicKey, text));
});

for (
  const [name, content, pattern] of [
    ["no PEM", encode("hello"), /^not a valid PEM encoded block$/],
    ["an empty file", new Uint8Array(), /^not a valid PEM encoded block$/],
    [
      "only a certificate",
      encode(toPem("CERTIFICATE", new Uint8Array(3))),
      /^does not contain a valid private key$/,
    ],
    [
      "only a public key",
      encode(toPem("PUBLIC KEY", new Uint8Array(3))),
      /^does not contain a valid private key$/,
    ],
    [
      "an unknown kind of private key",
      encode(toPem("NEBULA X25519 PRIVATE KEY", new Uint8Array(32))),
      /found a PEM block "NEBULA X25519 PRIVATE KEY"/,
    ],
    [
      "a damaged block",
      encode("-----BEGIN PRIVATE KEY-----\nAAAA\n"),
      /^damaged PEM block 1/,
    ],
    [
      "an empty key",
      encode(toPem("PRIVATE KEY", new Uint8Array())),
      /^malformed PKCS#8 private key$/,
    ],
  ] as const
) {
  Deno.test(`loadPrivateKey() refuses ${name}`, async () => {
    await assertRejects(
      () => loadPrivateKey(content, noPassword),
      MalformedError,
      pattern,
    );
  });
}

Deno.test("loadPrivateKey() refuses a DER key and says how to convert it", async () => {
  const error = await assertRejects(
    async () => loadPrivateKey(derOf(await keyOf("P-256")), noPassword),
    MalformedError,
    /^not a valid PEM encoded block$/,
  );
  assert("hint" in error && /-inform DER/.test(String(error.hint)));
});

Deno.test("loadPrivateKey() refuses a key of one format under the label of another", async () => {
  const pkcs8 = derOf(await keyOf("P-256"));
  const sec1 = derOf(await traditional(await keyOf("P-256")));
  for (
    const text of [
      toPem("EC PRIVATE KEY", pkcs8),
      toPem("RSA PRIVATE KEY", sec1),
      toPem("PRIVATE KEY", sec1),
      toPem("OPENSSH PRIVATE KEY", sec1),
    ]
  ) {
    await assertRejects(() => loadPlain(text), MalformedError, /^malformed/);
  }
});

Deno.test("loadPrivateKey() refuses a truncated key at every length", async () => {
  for (const type of ["P-256", "Ed25519"] as const) {
    const der = derOf(await keyOf(type));
    for (let length = 0; length < der.length; length++) {
      const text = toPem("PRIVATE KEY", der.subarray(0, length));
      await assertRejects(() => loadPlain(text), MalformedError, /^malformed/);
    }
  }
});

Deno.test("generatePrivateKey() makes an RSA key with exponent 65537", async () => {
  const key = await generatePrivateKey({ kty: "RSA", bits: 2048 });
  const text = await openssl(
    ["pkey", "-noout", "-text"],
    await privateKeyToPem(key),
  );
  assert(text.includes("publicExponent: 65537 (0x10001)"));
});
