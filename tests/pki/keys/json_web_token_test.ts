import { jwtVerify } from "jose";
import {
  openProvisionerKey,
  readClaims,
  signToken,
} from "../../../src/pki/keys/json_web_token.ts";
import { MalformedError } from "../../../src/pki/asn1/malformed.ts";
import { assert, assertEquals, assertThrows } from "../../support/assert.ts";
import { runOk } from "../../support/run.ts";
import { STEP, stepCaMissing } from "../../support/step_ca.ts";
import { tempDir } from "../../support/temp_dir.ts";

const PASSWORD = "test password";

/** A sealed key, as an administrator makes one, and its public half. */
async function sealedKey(
  ...args: readonly string[]
): Promise<{ readonly sealed: string; readonly publicKey: JsonWebKey }> {
  await using dir = await tempDir();
  const [file, password] = [dir.file("key.json"), dir.file("password")];
  await Deno.writeTextFile(password, PASSWORD);
  await runOk(STEP, [
    ...["crypto", "jwk", "create", dir.file("public.json"), file],
    ...["--password-file", password, ...args],
  ], { env: { STEPPATH: dir.path, HOME: dir.path } });
  // A CA keeps the compact form of what step writes as JSON.
  const { protected: header, encrypted_key: key, iv, ciphertext, tag } = JSON
    .parse(await Deno.readTextFile(file));
  return {
    sealed: [header, key, iv, ciphertext, tag].join("."),
    publicKey: JSON.parse(await Deno.readTextFile(dir.file("public.json"))),
  };
}

const KEYS = [
  ["ES256", []],
  ["ES384", ["--kty", "EC", "--curve", "P-384"]],
  ["ES512", ["--kty", "EC", "--curve", "P-521"]],
  ["EdDSA", ["--kty", "OKP", "--curve", "Ed25519"]],
  ["RS256", ["--kty", "RSA"]],
] as const;

const ignore = stepCaMissing !== undefined;

for (const [alg, args] of KEYS) {
  Deno.test({
    name: `signToken() signs by ${alg} with a key that step has sealed`,
    ignore,
    async fn() {
      const { sealed, publicKey } = await sealedKey(...args);
      const key = await openProvisionerKey(sealed, PASSWORD);
      const token = await signToken({ sub: "x" }, { key, kid: "id" });
      const { payload, protectedHeader } = await jwtVerify(token, publicKey);
      assertEquals(payload, { sub: "x" });
      assertEquals(protectedHeader, { alg, kid: "id", typ: "JWT" });
    },
  });
}

/** The whole error, as text. */
async function failureOf(work: Promise<unknown>): Promise<string> {
  try {
    await work;
  } catch (error) {
    assert(error instanceof MalformedError, String(error));
    return Deno.inspect(error);
  }
  throw new Error("it passed");
}

Deno.test({
  name: "openProvisionerKey() refuses what no password opens",
  ignore,
  async fn() {
    const { sealed } = await sealedKey();
    const [header = "", ...rest] = sealed.split(".");
    const change = (members: object) => {
      const before = JSON.parse(
        new TextDecoder().decode(
          Uint8Array.fromBase64(header, { alphabet: "base64url" }),
        ),
      );
      const text = JSON.stringify({ ...before, ...members });
      const changed = new TextEncoder().encode(text)
        .toBase64({ alphabet: "base64url", omitPadding: true });
      return [changed, ...rest].join(".");
    };
    const refused: readonly (readonly [string, string, RegExp])[] = [
      [sealed, "wrong", /failed to decrypt JWE: invalid password/],
      [sealed, "", /failed to/],
      ["", PASSWORD, /failed to parse JWE/],
      ["a.b.c", PASSWORD, /failed to parse JWE/],
      ["a.b.c.d.e", PASSWORD, /failed to parse JWE/],
      [sealed.slice(0, -30), PASSWORD, /failed to/],
      [change({ alg: "dir" }), PASSWORD, /failed to parse JWE/],
      [change({ alg: "A128KW" }), PASSWORD, /failed to parse JWE/],
      [change({ p2c: 10_000_001 }), PASSWORD, /failed to parse JWE/],
      [change({ enc: "none" }), PASSWORD, /failed to parse JWE/],
    ];
    for (const [text, password, words] of refused) {
      const failure = await failureOf(openProvisionerKey(text, password));
      assert(words.test(failure), `${text.slice(0, 40)}: ${failure}`);
    }
  },
});

Deno.test("signToken() names the algorithm of a key that cannot sign, and nothing of the key", async () => {
  const secret = "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3I";
  for (
    const key of [
      { d: secret },
      { kty: "EC", crv: "P-256", d: secret },
      { kty: "oct", k: secret, d: secret, alg: "none" },
      { kty: "oct", d: secret, alg: "\x1b[31m" },
    ]
  ) {
    const failure = await failureOf(signToken({}, { key, kid: "id" }));
    assert(!failure.includes(secret), failure);
    assert(/the provisioner's key cannot sign by "\w+"/.test(failure), failure);
  }
});

const encode = (text: string) =>
  new TextEncoder().encode(text)
    .toBase64({ alphabet: "base64url", omitPadding: true });

Deno.test("readClaims() reads what nobody has verified", () => {
  const claims = { aud: "a", sans: ["x"] };
  assertEquals(readClaims(`e30.${encode(JSON.stringify(claims))}.x`), claims);
});

Deno.test("readClaims() refuses what is no token, without a word of it", () => {
  for (
    const payload of ["", "!!", encode("x"), encode("[1]"), encode("null")]
  ) {
    assertThrows(
      () => readClaims(`secret.${payload}.secret`),
      MalformedError,
      /^error parsing token claims$/,
    );
  }
  for (const token of ["", "abc", "a.b", "a.b.c.d", "a.b.c.d.e"]) {
    assertThrows(() => readClaims(token), MalformedError, /three parts/);
  }
});
