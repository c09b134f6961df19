import {
  fetchSealedKey,
  listProvisioners,
} from "../../../src/ca/online/provisioners.ts";
import {
  requestCertificate,
  revokeCertificate,
} from "../../../src/ca/online/one_time_requests.ts";
import type { TrustedCa } from "../../../src/ca/online/trusted_ca.ts";
import { parseCertificate } from "../../../src/pki/certificate/certificate.ts";
import { parsePem } from "../../../src/pki/asn1/pem.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import {
  type Answer,
  makeTestPki,
  sendJson,
  startTestCa,
} from "../../support/test_ca.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
const pki = await makeTestPki(directory);
const [block] = parsePem(new TextEncoder().encode(pki.root.certificate));
if (block === undefined) throw new Error("no root");
const root = parseCertificate(block.der);

async function asking<T>(
  answer: Answer,
  ask: (ca: TrustedCa) => Promise<T>,
): Promise<{ readonly found: T; readonly paths: readonly string[] }> {
  await using server = await startTestCa(pki, answer);
  const found = await ask({
    ...{ url: server.url, trust: [root], root: pki.root.certificateFile },
    ...{ connectTimeoutMs: 5000, timeoutMs: 5000 },
    clock: { now: () => new Date(), sleep: () => Promise.resolve() },
    signal: new AbortController().signal,
  });
  return { found, paths: server.requests.map(({ path }) => path) };
}

/** As JSON, with status 200. */
const saying = (value: unknown): Answer => (_, response) =>
  sendJson(response, value, 200);

Deno.test("listProvisioners() reads every page", async () => {
  const pages = [
    { provisioners: [{ type: "ACME", name: "a" }], nextCursor: "x&y" },
    { provisioners: [{ type: "JWK", name: "b", key: { kid: "k" } }] },
  ];
  let page = 0;
  const { found, paths } = await asking(
    (_, response) => sendJson(response, pages[page++], 200),
    listProvisioners,
  );
  assertEquals(found, [
    { type: "ACME", name: "a", kid: undefined },
    { type: "JWK", name: "b", kid: "k" },
  ]);
  assertEquals(paths, [
    "/provisioners?cursor=&limit=100",
    "/provisioners?cursor=x%26y&limit=100",
  ]);
});

Deno.test("listProvisioners() ends with a CA that goes on for ever", async () => {
  let page = 0;
  await assertRejects(
    () =>
      asking(
        (_, response) => sendJson(response, { nextCursor: `${page++}` }, 200),
        listProvisioners,
      ),
    "untrusted",
    /more than 100 pages/,
  );
  // The same page again is the end.
  const { paths } = await asking(
    saying({ provisioners: [], nextCursor: "x" }),
    listProvisioners,
  );
  assertEquals(paths.length, 2);
});

for (
  const [what, answer] of Object.entries({
    "no object": [1],
    "no list": { provisioners: {} },
    "a provisioner that is none": { provisioners: [null] },
    "a name that is no text": { provisioners: [{ name: 1, type: "JWK" }] },
    "a cursor that is no text": { nextCursor: 1 },
    "a long cursor": { nextCursor: "x".repeat(1025) },
  })
) {
  Deno.test(`listProvisioners() refuses ${what}`, async () => {
    await assertRejects(
      () => asking(saying(answer), listProvisioners),
      "untrusted",
      /^the CA's answer is unusable: /,
    );
  });
}

Deno.test("fetchSealedKey() asks for the key of a kid, whatever is in it", async () => {
  const { found, paths } = await asking(
    saying({ key: "sealed" }),
    (ca) => fetchSealedKey(ca, "a/../b?c"),
  );
  assertEquals(found, "sealed");
  assertEquals(paths, ["/provisioners/a%2F..%2Fb%3Fc/encrypted-key"]);
});

Deno.test("fetchSealedKey() refuses an answer without key, or of another size", async () => {
  for (const answer of [{}, { key: "" }, { key: 1 }, []]) {
    await assertRejects(
      () => asking(saying(answer), (ca) => fetchSealedKey(ca, "id")),
      "untrusted",
    );
  }
  await assertRejects(
    () =>
      asking(
        saying({ key: "x".repeat(1_100_000) }),
        (ca) => fetchSealedKey(ca, "id"),
      ),
    "untrusted",
    /larger than 1 MiB/,
  );
});

Deno.test("no refusal shows the token that was sent", async () => {
  const token = "eyJhbGciOiJFUzI1NiJ9.eyJzdWIiOiJob3N0In0.c2lnbmF0dXJl";
  const repeating: Answer = ({ body }, response) =>
    sendJson(response, { message: `no: ${body}` }, 403);
  const csr = { pem: "csr", publicKey: new Uint8Array() };
  const requests = [
    (ca: TrustedCa) =>
      requestCertificate(ca, { csr, token, notBefore: "", notAfter: "1h" }),
    (ca: TrustedCa) =>
      revokeCertificate(ca, {
        ...{ serial: "1", reason: "", reasonCode: 0 },
        by: { kind: "token", token },
      }),
  ];
  for (const request of requests) {
    const error = await assertRejects(
      () => asking<unknown>(repeating, request),
      "refused",
      /^no: /,
    );
    for (const part of token.split(".")) {
      assert(!error.message.includes(part), error.message);
    }
  }
});

Deno.test("revokeCertificate() believes only an answer that says ok", async () => {
  const revoke = (answer: Answer) =>
    asking(answer, (ca) =>
      revokeCertificate(ca, {
        ...{ serial: "1", reason: "", reasonCode: 0 },
        by: { kind: "token", token: "a.b.c" },
      }));
  await revoke(saying({ status: "ok" }));
  const page: Answer = (_, response) => {
    response.writeHead(200, { "Content-Type": "text/html" });
    response.end("<html>Welcome</html>");
  };
  const others = [null, [], {}, { status: "" }, { status: "no" }].map(saying);
  for (const answer of [page, ...others]) {
    await assertRejects(
      () => revoke(answer),
      "untrusted",
      /^the CA's answer does not say that the certificate is revoked$/,
    );
  }
});
