import {
  createOneTimeToken,
  namesFor,
  type OneTimeToken,
  readOneTimeToken,
  tokenValidity,
} from "../../../src/ca/online/one_time_token.ts";
import { MalformedError } from "../../../src/pki/asn1/malformed.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertThrows,
} from "../../support/assert.ts";

const encode = (value: unknown) =>
  new TextEncoder().encode(JSON.stringify(value))
    .toBase64({ alphabet: "base64url", omitPadding: true });

function tokenWith(claims: object): OneTimeToken {
  return readOneTimeToken(`${encode({ alg: "ES256" })}.${encode(claims)}.x`);
}

const TYPES: readonly (readonly [OneTimeToken["type"], object])[] = [
  ["JWK", { iss: "admin", sha: "ab" }],
  ["JWK", { iss: "admin", sans: ["x"] }],
  // As the original's order of questions.
  ["JWK", { email: "a@b", sans: ["x"] }],
  ["OIDC", { iss: "https://accounts.example", email: "a@b" }],
  ["OIDC", { email: "a@b", sans: [], sha: "" }],
  ["GCP", { iss: "https://accounts.google.com", google: {}, email: "a@b" }],
  ["AWS", { amazon: { document: "" }, sha: "ab" }],
  ["Azure", { iss: "https://sts.windows.net/x/", xms_mirid: "/s/x" }],
  ["K8sSA", { iss: "kubernetes/serviceaccount" }],
  ["unknown", {}],
  ["unknown", { iss: 1, sha: 1, sans: "x", email: [], google: null }],
];

for (const [type, claims] of TYPES) {
  Deno.test(`readOneTimeToken() takes ${JSON.stringify(claims)} for ${type}`, () => {
    assertEquals(tokenWith(claims).type, type);
  });
}

Deno.test("readOneTimeToken() reads what has the right type, and nothing else", () => {
  assertEquals(
    tokenWith({
      ...{ iss: "i", sub: "s", aud: ["https://ca/1.0/sign", "b"] },
      ...{ sha: "AB", sans: ["x", 1, null], email: "" },
    }),
    {
      ...{ type: "JWK", issuer: "i", subject: "s", rootDigest: "ab" },
      ...{ audience: "https://ca/1.0/sign", names: ["x"], email: undefined },
    },
  );
  assertThrows(() => readOneTimeToken("x"), MalformedError);
});

const NOW = new Date("2026-05-04T03:02:01.999Z");
const at = (ms: number) => new Date(NOW.getTime() + ms);

Deno.test("tokenValidity() begins now and lasts five minutes", () => {
  assertEquals(tokenValidity(NOW), { notBefore: NOW, notAfter: at(300_000) });
  const notBefore = at(60_000);
  assertEquals(tokenValidity(NOW, { notBefore }).notAfter, at(360_000));
});

Deno.test("tokenValidity() has the original's limits", () => {
  const refused: readonly (readonly [number, number, RegExp])[] = [
    [1_800_001, 1_900_000, /validity delay is too long/],
    [0, 9_999, /validity is too short/],
    [60_000, 0, /validity is too short/],
    [0, 3_600_001, /validity is too long/],
  ];
  for (const [begin, end, pattern] of refused) {
    const wish = { notBefore: at(begin), notAfter: at(end) };
    assertThrows(() => tokenValidity(NOW, wish), "usage", pattern);
  }
  for (
    const [begin, end] of [[1_800_000, 1_810_000], [0, 3_600_000]] as const
  ) {
    tokenValidity(NOW, { notBefore: at(begin), notAfter: at(end) });
  }
});

async function made(purpose: "sign" | "revoke", names: readonly string[]) {
  const { privateKey } = await crypto.subtle.generateKey(
    { name: "ECDSA", namedCurve: "P-256" },
    true,
    ["sign", "verify"],
  );
  const jwk = await crypto.subtle.exportKey("jwk", privateKey);
  const token = await createOneTimeToken({
    ...{ url: "https://ca:9000", purpose, subject: "host", names },
    ...{ rootDigest: "ab", now: NOW, validity: tokenValidity(NOW) },
  }, { name: "admin", kid: "id", key: { ...jwk } });
  const [, payload = ""] = token.split(".");
  return new TextDecoder().decode(
    Uint8Array.fromBase64(payload, { alphabet: "base64url" }),
  );
}

Deno.test("createOneTimeToken() writes the claims as the original does", async () => {
  const seconds = Math.floor(NOW.getTime() / 1000);
  const form = (text: string) =>
    text.replace(/"jti":"[0-9a-f]{64}"/, '"jti":""');
  assertEquals(
    form(await made("sign", ["b", "a"])),
    `{"aud":"https://ca:9000/1.0/sign","exp":${
      seconds + 300
    },"iat":${seconds},"iss":"admin","jti":"","nbf":${seconds},"sans":["b","a"],"sha":"ab","sub":"host"}`,
  );
  assertMatch(await made("sign", []), /"sans":\["host"\]/);
  const revoke = await made("revoke", []);
  assertMatch(revoke, /"aud":"https:\/\/ca:9000\/1.0\/revoke"/);
  assert(!revoke.includes("sans"), revoke);
  assert(await made("sign", []) !== await made("sign", []), "the same id");
});

Deno.test("namesFor() asks for the names of a token of step", () => {
  const token = tokenWith({ sub: "Host", sha: "ab", sans: ["a", "b"] });
  const wish = { subject: "host", names: [] };
  assertEquals(namesFor(token, wish), {
    ...{ commonName: "Host", names: ["a", "b"], namesFrom: "request" },
  });
  assertEquals(
    namesFor(tokenWith({ sub: "Host", sha: "ab" }), wish).names,
    ["Host"],
  );
});

Deno.test("namesFor() asks for the person of a token of OIDC, or for what is typed", () => {
  const token = tokenWith({ iss: "https://id", sub: "42", email: "Me@x.y" });
  const namesFrom = "provisioner";
  assertEquals(namesFor(token, { subject: "me@X.y", names: [] }), {
    ...{ commonName: "42", names: ["Me@x.y", "https://id#42"], namesFrom },
  });
  assertEquals(namesFor(token, { subject: "host", names: [] }), {
    ...{ commonName: "host", names: ["host"], namesFrom },
  });
  assertEquals(namesFor(token, { subject: "me@x.y", names: ["a"] }), {
    ...{ commonName: "me@x.y", names: ["a"], namesFrom },
  });
});
