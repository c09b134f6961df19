import {
  type AuthorityAddress,
  fetchHealth,
  fetchRoot,
  fetchRoots,
} from "../../../src/ca/online/authority_info.ts";
import type { ErrorKind, RekeyError } from "../../../src/base/errors.ts";
import {
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../support/assert.ts";
import { OpensslCa } from "../../support/openssl_ca.ts";
import { blackHole } from "../../support/tcp_peers.ts";
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
const other = await OpensslCa.root(`${directory}/other`, "Other Root");
const rootPem = pki.root.certificate;
const FINGERPRINT = await fingerprintOf(rootPem);

async function fingerprintOf(pem: string): Promise<string> {
  const der = Uint8Array.fromBase64(pem.replaceAll(/-----.*-----|\s/g, ""));
  return new Uint8Array(await crypto.subtle.digest("SHA-256", der)).toHex();
}

function address(
  url: string,
  { timeoutMs = 5_000, signal = new AbortController().signal }: {
    readonly timeoutMs?: number;
    readonly signal?: AbortSignal;
  } = {},
): AuthorityAddress {
  return {
    url,
    timeoutMs,
    clock: { now: () => new Date(), sleep: () => Promise.resolve() },
    log: { write() {} },
    signal,
  };
}

const verified = (url: string) => ({
  ...address(url),
  root: pki.root.certificateFile,
});

function json(value: unknown, status = 200): Answer {
  return (_request, response) => sendJson(response, value, status);
}

function raw(body: string, status = 200): Answer {
  return (_request, response) => {
    response.writeHead(status, { location: "https://elsewhere.example/" });
    response.end(body);
  };
}

Deno.test("fetchRoot() asks for the digest and gives that certificate", async () => {
  await using ca = await startTestCa(pki, json({ ca: rootPem }));
  const root = await fetchRoot(address(ca.url), FINGERPRINT);
  assertEquals(root.subject, "CN=Test Root");
  assertEquals(
    ca.requests.map(({ method, path, headers }) => [
      method,
      path,
      headers.host,
    ]),
    [["GET", `/root/${FINGERPRINT}`, new URL(ca.url).host]],
  );
});

Deno.test("fetchRoot() needs no trust in the server", async () => {
  const stranger = await other.issue("stranger", {
    subject: "/CN=elsewhere",
    names: "DNS:elsewhere.example",
    notBefore: new Date(Date.now() - 7_200_000),
    notAfter: new Date(Date.now() - 3_600_000),
  });
  await using ca = await startTestCa(pki, json({ ca: rootPem }), stranger);
  const { subject } = await fetchRoot(address(ca.url), FINGERPRINT);
  assertEquals(subject, "CN=Test Root");
});

const NOT_A_CA = pki.server.certificate;
const WRONG_ROOTS: Readonly<
  Record<string, readonly [Answer, kind: ErrorKind, RegExp]>
> = {
  "another root": [
    json({ ca: other.certificate }),
    "untrusted",
    /fingerprint does not match: the CA sent one with [0-9a-f]{64}$/,
  ],
  "two certificates": [
    json({ ca: rootPem + other.certificate }),
    "untrusted",
    /"ca" is more than one certificate$/,
  ],
  "a host's certificate": [
    json({ ca: NOT_A_CA }),
    "untrusted",
    /is not a CA's certificate/,
  ],
  "no certificate": [json({}), "untrusted", /"ca" is not a string$/],
  "something else": [json({ ca: "x" }), "untrusted", /"ca" is not PEM$/],
  "no JSON": [raw("<html>"), "untrusted", /it is not JSON$/],
  "nothing": [raw(""), "untrusted", /it is empty$/],
  "a redirect": [raw("", 302), "untrusted", /a redirect to elsewhere.example/],
  "too much": [
    raw("x".repeat(1024 * 1024 + 1)),
    "untrusted",
    /the answer is larger than 1 MiB$/,
  ],
  "a refusal": [
    json({ message: "was not found" }, 404),
    "refused",
    /^error downloading root certificate: was not found$/,
  ],
  "an outage": [raw("oops", 503), "unreachable", /failed decoding CA error/],
};

for (const [what, [answer, kind, pattern]] of Object.entries(WRONG_ROOTS)) {
  Deno.test(`fetchRoot() refuses ${what}`, async () => {
    await using ca = await startTestCa(pki, answer);
    const error = await assertRejects(
      () => fetchRoot(address(ca.url), FINGERPRINT),
      kind,
    );
    const { message } = error as RekeyError;
    assertMatch(message, /^error downloading root certificate: /);
    assertMatch(message, pattern);
  });
}

Deno.test("fetchRoot() refuses a host's certificate whose digest is right", async () => {
  await using ca = await startTestCa(pki, json({ ca: NOT_A_CA }));
  const fingerprint = await fingerprintOf(NOT_A_CA);
  await assertRejects(
    () => fetchRoot(address(ca.url), fingerprint),
    "untrusted",
  );
});

/** Real answers have other members, too. */
const padded = (bytes: number): Answer =>
  json({ ca: rootPem, pad: "x".repeat(bytes) });

for (const bytes of [20_000, 100_000, 1_000_000]) {
  Deno.test(`fetchRoot() reads an answer of ${bytes} bytes`, async () => {
    await using ca = await startTestCa(pki, padded(bytes));
    const { subject } = await fetchRoot(address(ca.url), FINGERPRINT);
    assertEquals(subject, "CN=Test Root");
  });
}

Deno.test("fetchRoot() reads an answer that comes byte by byte", async () => {
  const body = JSON.stringify({ ca: rootPem });
  await using ca = await startTestCa(pki, async (_request, response) => {
    response.writeHead(200, { "content-length": String(body.length) });
    for (const byte of body) {
      await new Promise((sent) => response.write(byte, sent));
    }
    response.end();
  });
  const { subject } = await fetchRoot(address(ca.url), FINGERPRINT);
  assertEquals(subject, "CN=Test Root");
});

const BROKEN_OFF: Readonly<Record<string, Answer>> = {
  "at once": (_request, response) => void response.socket?.end(),
  "after half of the head": (_request, response) =>
    void response.socket?.end("HTTP/1.1 20"),
  "after half of the body": (_request, response) => {
    response.writeHead(200, { "content-length": "1000" });
    response.write("{");
    response.socket?.end();
  },
};

for (const [when, answer] of Object.entries(BROKEN_OFF)) {
  Deno.test(`fetchRoot() notices at once a server that closes ${when}`, async () => {
    await using ca = await startTestCa(pki, answer);
    const error = await assertRejects(
      () => fetchRoot(address(ca.url, { timeoutMs: 3_000 }), FINGERPRINT),
      "unreachable",
    );
    assertMatch(
      (error as RekeyError).message,
      /failed: unexpected EOF: the connection ended before the answer$/,
    );
  });
}

Deno.test("fetchRoot() ends at its limit, and on a signal", async () => {
  await using silent = await blackHole();
  const late = await assertRejects(
    () =>
      fetchRoot(
        address(`https://127.0.0.1:${silent.port}`, { timeoutMs: 50 }),
        FINGERPRINT,
      ),
    "unreachable",
  );
  assertMatch((late as RekeyError).message, /no complete answer within 50ms$/);
  const stop = new AbortController();
  const stopped = assertRejects(
    () =>
      fetchRoot(address(`https://127.0.0.1:${silent.port}`, stop), FINGERPRINT),
    "interrupted",
  );
  stop.abort();
  await stopped;
});

Deno.test("fetchHealth() gives the status", async () => {
  await using ca = await startTestCa(pki, json({ status: "ok" }));
  assertEquals(await fetchHealth(verified(ca.url)), "ok");
  assertEquals(ca.requests.map(({ path }) => path), ["/health"]);
});

const WRONG_HEALTH: Readonly<
  Record<string, readonly [Answer, kind: ErrorKind, RegExp]>
> = {
  "no status": [
    json({}),
    "untrusted",
    /^the CA's answer is unusable: it holds no/,
  ],
  "a status that is no text": [
    json({ status: 1 }),
    "untrusted",
    /it holds no status$/,
  ],
  "an outage": [raw("", 500), "unreachable", /^failed decoding CA error/],
  "too much": [
    raw("x".repeat(1024 * 1024 + 1)),
    "untrusted",
    /^client GET https:.*\/health failed: the answer is larger than 1 MiB$/,
  ],
};

for (const [what, [answer, kind, pattern]] of Object.entries(WRONG_HEALTH)) {
  Deno.test(`fetchHealth() refuses ${what}`, async () => {
    await using ca = await startTestCa(pki, answer);
    const error = await assertRejects(
      () => fetchHealth(verified(ca.url)),
      kind,
    );
    assertMatch((error as RekeyError).message, pattern);
  });
}

Deno.test("fetchHealth() refuses a server of another root", async () => {
  const stranger = await other.issue("elsewhere", {
    subject: "/CN=ca",
    names: "IP:127.0.0.1",
  });
  await using ca = await startTestCa(pki, json({ status: "ok" }), stranger);
  const error = await assertRejects(
    () => fetchHealth(verified(ca.url)),
    "unreachable",
  );
  assertMatch(
    (error as RekeyError).message,
    /^client GET https:\/\/127.0.0.1:\d+\/health failed: tls: failed to verify certificate: x509: certificate signed by unknown authority$/,
  );
});

Deno.test("fetchRoots() gives each certificate of a list, in order", async () => {
  const crts = [other.certificate, rootPem];
  await using ca = await startTestCa(pki, json({ crts }, 201));
  const [roots, federation] = [
    await fetchRoots(verified(ca.url), "roots"),
    await fetchRoots(verified(ca.url), "federation"),
  ];
  const subjects = ["CN=Other Root", "CN=Test Root"];
  assertEquals(roots.map(({ subject }) => subject), subjects);
  assertEquals(federation.map(({ subject }) => subject), subjects);
  const paths = ca.requests.map(({ path }) => path);
  assertEquals(paths, ["/roots", "/federation"]);
});

const WRONG_LISTS: Readonly<Record<string, readonly [unknown, RegExp]>> = {
  "no list": [{}, /it holds no certificate$/],
  "an empty list": [{ crts: [] }, /it holds no certificate$/],
  "33 certificates": [
    { crts: Array(33).fill(rootPem) },
    /it holds 33 certificates$/,
  ],
  "a host's certificate among them": [
    { crts: [rootPem, NOT_A_CA] },
    /is not a CA's certificate/,
  ],
  "two certificates in one place": [
    { crts: [rootPem + rootPem] },
    /"crts"\[0\] is more than one certificate$/,
  ],
};

for (const [what, [answer, pattern]] of Object.entries(WRONG_LISTS)) {
  Deno.test(`fetchRoots() refuses ${what}`, async () => {
    await using ca = await startTestCa(pki, json(answer));
    const error = await assertRejects(
      () => fetchRoots(verified(ca.url), "roots"),
      "untrusted",
    );
    assertMatch((error as RekeyError).message, pattern);
  });
}
