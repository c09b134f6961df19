import { calculateJwkThumbprint, exportJWK, importSPKI, jwtVerify } from "jose";
import { createRenewToken } from "../../../src/ca/online/renew_token.ts";
import { toPem } from "../../../src/pki/asn1/pem.ts";
import { assertEquals, assertRejects } from "../../support/assert.ts";
import { OpensslCa } from "../../support/openssl_ca.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { keyPair } from "../../support/test_pair.ts";

const AUDIENCE = "https://ca.example:9000/renew";
const NOW = new Date("2026-05-04T03:02:01.999Z");

const KEYS = [
  ["ES256", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]],
  ["ES384", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-384"]],
  ["ES512", ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-521"]],
  ["EdDSA", ["-newkey", "ed25519"]],
  ["RS256", ["-newkey", "rsa:2048"]],
] as const;

for (const [alg, keyArguments] of KEYS) {
  Deno.test(`createRenewToken() makes a ${alg} token that another library verifies`, async () => {
    await using dir = await tempDir();
    const ca = await OpensslCa.root(dir.file("ca"), "Root");
    const subject = "/CN=h\u00f6st.example";
    const leaf = await ca.issue("host", { subject, keyArguments });
    const certificate = leaf.certificate + ca.certificate;
    const pair = await keyPair({ ...leaf, certificate });
    const token = await createRenewToken(pair, {
      audience: AUDIENCE,
      now: NOW,
    });
    const key = await importSPKI(
      toPem("PUBLIC KEY", pair.chain[0].publicKey),
      alg,
      { extractable: true },
    );
    const { payload, protectedHeader } = await jwtVerify(token, key, {
      audience: AUDIENCE,
      issuer: "step-ca-client/1.0",
      subject: pair.chain[0].commonName ?? "",
      currentDate: NOW,
      algorithms: [alg],
      typ: "JWT",
    });
    const seconds = Date.parse("2026-05-04T03:02:01Z") / 1000;
    assertEquals(payload, {
      iss: "step-ca-client/1.0",
      sub: pair.chain[0].commonName,
      aud: AUDIENCE,
      iat: seconds,
      nbf: seconds,
      exp: seconds + 300,
    });
    assertEquals(protectedHeader, {
      alg,
      typ: "JWT",
      kid: await calculateJwkThumbprint(await exportJWK(key)),
      x5cInsecure: pair.chain.map(({ der }) => der.toBase64()),
    });
  });
}

Deno.test("createRenewToken() refuses a certificate without common name", async () => {
  await using dir = await tempDir();
  const ca = await OpensslCa.root(dir.file("ca"), "Root");
  const pair = await keyPair(await ca.issue("host", { subject: "/O=Example" }));
  await assertRejects(
    () => createRenewToken(pair, { audience: AUDIENCE, now: NOW }),
    "pair",
    /without common name/,
  );
});
