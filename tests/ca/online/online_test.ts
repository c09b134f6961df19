import { hintOf } from "../../support/hint.ts";
import { createOnlineAuthority } from "../../../src/ca/online/online.ts";
import type { OnlineAuthorityOptions } from "../../../src/ca/online/online.ts";
import { RekeyError } from "../../../src/base/errors.ts";
import { verifyAnswer } from "../../../src/ca/verified_answer.ts";
import type { LogEvent } from "../../../src/base/runtime.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "../../support/assert.ts";
import { OpensslCa } from "../../support/openssl_ca.ts";
import {
  type Answer,
  csrOf,
  HOST,
  makeTestPki,
  rightAnswer,
  sendJson,
  startTestCa,
  type TestCa,
} from "../../support/test_ca.ts";
import { ReadyClient } from "../../../src/ca/online/tls_post.ts";
import { tcpPeer } from "../../support/tcp_peers.ts";
import { rekeyRequest } from "../../support/test_pair.ts";
import { wrongAnswers } from "../../support/wrong_answers.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
const pki = await makeTestPki(directory);
const other = await OpensslCa.root(`${directory}/other`, "Other Root");
const EXPIRED = {
  notBefore: new Date("2025-01-01T00:00:00Z"),
  notAfter: new Date("2025-01-02T00:00:00Z"),
};
const refusedPairs = {
  "a self-signed certificate": other,
  "a certificate for servers only": await pki.intermediate.issue("servers", {
    ...HOST,
    usages: "serverAuth",
  }),
  "an expired certificate for servers only": await pki.intermediate.issue(
    "expired-servers",
    { ...HOST, usages: "serverAuth", ...EXPIRED },
  ),
};
const clock = { now: () => new Date(), sleep: () => Promise.resolve() };

/** Servers on Deno 2.7 see no client certificate, and cannot cut connections. */
const isOldDeno = Deno.version.deno.startsWith("2.7.");

function authority(
  ca: Pick<TestCa, "url">,
  options: Partial<OnlineAuthorityOptions> = {},
) {
  return createOnlineAuthority({
    url: ca.url,
    root: pki.root.certificateFile,
    connectTimeoutMs: 5000,
    timeoutMs: 5000,
    clock,
    log: { write() {} },
    ...options,
  });
}

/** Asks and verifies, as the pipeline does. */
async function rekeyAndVerify(
  ca: Pick<TestCa, "url">,
  options: Partial<OnlineAuthorityOptions> = {},
) {
  const online = authority(ca, options);
  const request = await rekeyRequest(pki.host);
  return await verifyAnswer(await online.rekey(request), {
    publicKey: request.csr.publicKey,
    previous: request.current.chain[0],
    roots: await online.roots(),
    now: clock.now(),
  });
}

Deno.test("createOnlineAuthority() returns a chain that verifies", async () => {
  await using ca = await startTestCa(pki, rightAnswer(pki));
  const { chain } = await rekeyAndVerify(ca);
  assertEquals(chain.map(({ subject }) => subject), [
    "CN=host.example",
    "CN=Test Intermediate",
  ]);
});

Deno.test("createOnlineAuthority() sends exactly the CSR, as JSON over HTTP/1.1", async () => {
  await using ca = await startTestCa(pki, rightAnswer(pki));
  const request = await rekeyRequest(pki.host);
  await authority(ca).rekey(request);
  const [{ method, path, body, headers } = {}] = ca.requests;
  assertEquals([method, path], ["POST", "/rekey"]);
  assertEquals(body, JSON.stringify({ csr: request.csr.pem }));
  assertEquals(headers?.["content-type"], "application/json");
  assertEquals(headers?.["content-length"], String(body?.length));
  assertEquals(headers?.authorization, undefined);
});

Deno.test({
  name: "createOnlineAuthority() authenticates with the current certificate",
  ignore: isOldDeno,
  async fn() {
    await using ca = await startTestCa(pki, rightAnswer(pki));
    const request = await rekeyRequest(pki.host);
    await authority(ca).rekey(request);
    assertEquals(
      ca.requests[0]?.clientCertificate?.toHex(),
      request.current.chain[0].der.toHex(),
    );
  },
});

Deno.test("prepare() leaves it to rekey() to say that TLS cannot use the pair", async () => {
  await using ca = await startTestCa(pki, rightAnswer(pki));
  const keyArguments = ["-newkey", "rsa:1024"];
  const weak = await pki.intermediate.issue("weak", { ...HOST, keyArguments });
  const online = authority(ca);
  const request = await rekeyRequest(weak);
  const ready = online.prepare?.(request.current, await online.roots());
  assertEquals(ready, undefined);
  await assertRejects(() => online.rekey(request), "pair", /1024 bits/);
  assertEquals(ca.requests.length, 0);
});

Deno.test({
  name: "rekey() does not use what was prepared for another pair",
  ignore: isOldDeno,
  async fn() {
    await using ca = await startTestCa(pki, rightAnswer(pki));
    const online = authority(ca);
    const [first, second] = await Promise.all(
      [pki.host, pki.host].map((pair) => rekeyRequest(pair)),
    );
    assert(first !== undefined && second !== undefined);
    using ready = online.prepare?.(first.current, await online.roots());
    assert(ready instanceof ReadyClient);
    await online.rekey(second);
    const left = ready.take();
    assert(left !== undefined, "it was used");
    left.close();
  },
});

Deno.test("createOnlineAuthority() asks once and does not repeat after a failure", async () => {
  await using ca = await startTestCa(pki, (_, response) => {
    sendJson(response, { message: "later" }, 503);
  });
  await assertRejects(() => rekeyAndVerify(ca), "unreachable");
  assertEquals(ca.requests.length, 1);
});

Deno.test("createOnlineAuthority() takes crt and ca when certChain is empty", async () => {
  await using ca = await startTestCa(pki, async (request, response) => {
    const crt = await pki.intermediate.sign(csrOf(request), HOST);
    sendJson(response, {
      crt,
      ca: pki.intermediate.certificate,
      certChain: [],
    });
  });
  assertEquals((await rekeyAndVerify(ca)).chain.length, 2);
});

for (const wrong of wrongAnswers(pki, other)) {
  Deno.test({
    name: `createOnlineAuthority() and verifyAnswer() refuse ${wrong.name}`,
    ignore: isOldDeno && wrong.needsSockets === true,
    async fn() {
      await using ca = await startTestCa(pki, wrong.answer);
      const timeoutMs = wrong.slow ? 300 : 5000;
      const error = await assertRejects(
        () => rekeyAndVerify(ca, { timeoutMs }),
        wrong.kind,
        wrong.message,
      );
      assert(!/[\p{Cc}\u202e]/u.test(error.message), error.message);
    },
  });
}

Deno.test("createOnlineAuthority() names status, request id and what to do in the hint", async () => {
  await using ca = await startTestCa(pki, (_, response) => {
    response.setHeader("X-Request-Id", "abc123");
    sendJson(response, { status: 401, message: "No." }, 401);
  });
  const error = await assertRejects(() => rekeyAndVerify(ca), "refused");
  assertEquals(error.message, "No.");
  assertMatch(hintOf(error), /^HTTP 401, request id abc123; .*revoked/);
});

Deno.test("createOnlineAuthority() explains a missing client certificate", async () => {
  await using ca = await startTestCa(pki, (_, response) => {
    const message =
      "The request could not be completed: missing client certificate.";
    sendJson(response, { message }, 400);
  });
  const error = await assertRejects(() => rekeyAndVerify(ca), "refused");
  assertStringIncludes(hintOf(error), "a proxy in front of the CA ends TLS");
});

Deno.test("createOnlineAuthority() names the content type of an answer that is no JSON", async () => {
  await using ca = await startTestCa(pki, (_, response) => {
    response.writeHead(502, { "content-type": "text/html; charset=utf-8" });
    response.end("<html>");
  });
  const error = await assertRejects(() => rekeyAndVerify(ca), "unreachable");
  assertStringIncludes(hintOf(error), "HTTP 502, content type text/html");
});

Deno.test("createOnlineAuthority() never repeats the CSR that a CA sends back", async () => {
  await using ca = await startTestCa(pki, (request, response) => {
    sendJson(response, { message: `bad csr ${csrOf(request)}` }, 400);
  });
  const request = await rekeyRequest(pki.host);
  const error = await assertRejects(() => authority(ca).rekey(request));
  const [, line = ""] = request.csr.pem.split("\n");
  assertStringIncludes(error.message, "bad csr");
  assert(!error.message.includes(line), error.message);
});

Deno.test("createOnlineAuthority() shortens a long message", async () => {
  await using ca = await startTestCa(pki, (_, response) => {
    sendJson(response, { message: "x".repeat(100_000) }, 400);
  });
  const error = await assertRejects(() => rekeyAndVerify(ca), "refused");
  assert(error.message.length < 1100, String(error.message.length));
});

async function retryAfterOf(value: string): Promise<number | undefined> {
  await using ca = await startTestCa(pki, (_, response) => {
    response.setHeader("Retry-After", value);
    sendJson(response, { message: "later" }, 429);
  });
  const error = await assertRejects(() => rekeyAndVerify(ca), "unreachable");
  return error instanceof RekeyError ? error.retryAfterMs : undefined;
}

Deno.test("createOnlineAuthority() passes Retry-After in seconds on", async () => {
  assertEquals(await retryAfterOf("120"), 120_000);
});

Deno.test("createOnlineAuthority() passes a Retry-After date on", async () => {
  const ms = await retryAfterOf(new Date(Date.now() + 60_000).toUTCString());
  assert(ms !== undefined && ms > 50_000 && ms <= 60_000, String(ms));
});

Deno.test("createOnlineAuthority() does not wait for years because of Retry-After", async () => {
  assertEquals(await retryAfterOf("999999999999"), 24 * 3600 * 1000);
});

Deno.test("createOnlineAuthority() ignores a Retry-After that is neither", async () => {
  assertEquals(await retryAfterOf("soon"), undefined);
});

Deno.test({
  name: "createOnlineAuthority() ends at once when the caller's signal aborts",
  ignore: isOldDeno,
  async fn() {
    const stop = new AbortController();
    const reason = new RekeyError("interrupted", "stopped by SIGTERM", {
      exitCode: 143,
    });
    await using ca = await startTestCa(pki, () => stop.abort(reason));
    const request = await rekeyRequest(pki.host, { signal: stop.signal });
    const error = await assertRejects(
      () => authority(ca).rekey(request),
      "interrupted",
    );
    assert(error === reason);
  },
});

Deno.test({
  name: "createOnlineAuthority() ends when the signal aborts in the body",
  ignore: isOldDeno,
  async fn() {
    const stop = new AbortController();
    await using ca = await startTestCa(pki, (_, response) => {
      response.writeHead(201);
      response.write("{", () => stop.abort());
    });
    const request = await rekeyRequest(pki.host, { signal: stop.signal });
    await assertRejects(() => authority(ca).rekey(request), "interrupted");
  },
});

Deno.test("createOnlineAuthority() asks nothing when the signal has aborted before", async () => {
  await using ca = await startTestCa(pki, rightAnswer(pki));
  const request = await rekeyRequest(pki.host, { signal: AbortSignal.abort() });
  await assertRejects(() => authority(ca).rekey(request), "interrupted");
  assertEquals(ca.requests.length, 0);
});

/** The kind of certificate that the CA renews by token. */
async function expiredHost(change: { readonly subject?: string } = {}) {
  const leaf = await pki.intermediate.issue("expired", {
    ...HOST,
    ...change,
    notBefore: new Date("2025-01-01T00:00:00Z"),
    notAfter: new Date("2025-01-02T03:04:05Z"),
  });
  return leaf;
}

/** Renews the host's key at /renew, then rekeys as usual. */
function renewingAnswer(publicKeyOf: { readonly keyFile: string }): Answer {
  return async (request, response) => {
    if (request.path !== "/renew") {
      return await rightAnswer(pki)(request, response);
    }
    const csr = await csrFor(publicKeyOf.keyFile);
    const leaf = await pki.intermediate.sign(csr, HOST);
    sendJson(response, { certChain: [leaf, pki.intermediate.certificate] });
  };
}

async function csrFor(keyFile: string): Promise<string> {
  const { stdout } = await new Deno.Command("openssl", {
    args: ["req", "-new", "-key", keyFile, "-subj", "/CN=any"],
  }).output();
  return new TextDecoder().decode(stdout);
}

Deno.test("createOnlineAuthority() renews an expired certificate by token, then rekeys with it", async () => {
  const expired = await expiredHost();
  await using ca = await startTestCa(pki, renewingAnswer(expired));
  const events: LogEvent[] = [];
  const log = { write: (event: LogEvent) => events.push(event) };
  const chain = await authority(ca, { log }).rekey(await rekeyRequest(expired));
  assertEquals(chain.length, 2);
  assertEquals(ca.requests.map(({ path }) => path), ["/renew", "/rekey"]);
  const [renewal, rekeying] = ca.requests;
  assertEquals(renewal?.clientCertificate, undefined);
  assertEquals(renewal?.body, "");
  assertMatch(
    renewal?.headers.authorization ?? "",
    /^Bearer [\w-]+\.[\w-]+\.[\w-]+$/,
  );
  assertEquals(rekeying?.headers.authorization, undefined);
  const warnings = events.map((event) =>
    event.event === "warning" ? event.message : event.event
  );
  assertMatch(warnings[0] ?? "", /does not name its provisioner/);
  assertMatch(warnings[1] ?? "", /expired on 2025-01-02T03:04:05Z/);
});

Deno.test("createOnlineAuthority() does not go on with a renewal for another key", async () => {
  const expired = await expiredHost();
  await using ca = await startTestCa(pki, renewingAnswer(pki.host));
  const request = await rekeyRequest(expired);
  await assertRejects(
    () => authority(ca).rekey(request),
    "untrusted",
    /another key/,
  );
  assertEquals(ca.requests.length, 1);
});

Deno.test("createOnlineAuthority() names the claim when the CA renews no expired certificate", async () => {
  const expired = await expiredHost();
  await using ca = await startTestCa(pki, (_, response) => {
    sendJson(response, { message: "certificate expired" }, 401);
  });
  const request = await rekeyRequest(expired);
  const error = await assertRejects(
    () => authority(ca).rekey(request),
    "pair",
    /^cannot rekey an expired certificate: expired on 2025-01-02T03:04:05Z; certificate expired$/,
  );
  assertStringIncludes(
    hintOf(error),
    "the certificate does not name its provisioner",
  );
});

Deno.test("createOnlineAuthority() says that an expired certificate needs a common name", async () => {
  const expired = await expiredHost({ subject: "/O=nobody" });
  await using ca = await startTestCa(pki, rightAnswer(pki));
  const request = await rekeyRequest(expired);
  await assertRejects(
    () => authority(ca).rekey(request),
    "pair",
    /common name/,
  );
  assertEquals(ca.requests.length, 0);
});

Deno.test("createOnlineAuthority() keeps trying for an expired certificate while the CA is down", async () => {
  const expired = await expiredHost();
  await using ca = await startTestCa(pki, (_, response) => {
    sendJson(response, { message: "down" }, 503);
  });
  const request = await rekeyRequest(expired);
  await assertRejects(() => authority(ca).rekey(request), "unreachable");
});

Deno.test("createOnlineAuthority() never repeats the token that a CA sends back", async () => {
  const expired = await expiredHost();
  await using ca = await startTestCa(pki, ({ headers }, response) => {
    sendJson(response, { message: headers.authorization }, 500);
  });
  const request = await rekeyRequest(expired);
  const error = await assertRejects(() => authority(ca).rekey(request));
  assertEquals(error.message, "Bearer [removed]");
});

for (const [what, pair] of Object.entries(refusedPairs)) {
  Deno.test(`createOnlineAuthority() refuses ${what} before any call`, async () => {
    const accepted = { count: 0 };
    await using peer = tcpPeer(() => {
      accepted.count++;
      return Promise.resolve();
    });
    const request = await rekeyRequest(pair);
    const error = await assertRejects(
      () => authority({ url: `https://127.0.0.1:${peer.port}` }).rekey(request),
      "pair",
      /^error rekeying certificate: the current certificate is /,
    );
    assert(error instanceof RekeyError && error.exitCode === 65);
    assertMatch(hintOf(error), /"step-rekey ca certificate"/);
    assertEquals(accepted.count, 0);
  });
}

Deno.test("createOnlineAuthority() warns of a certificate that is not valid yet, and asks", async () => {
  await using ca = await startTestCa(pki, rightAnswer(pki));
  const events: LogEvent[] = [];
  const online = authority(ca, {
    clock: { ...clock, now: () => new Date("2000-01-01T00:00:00Z") },
    log: { write: (event) => void events.push(event) },
  });
  await online.rekey(await rekeyRequest(pki.host)).catch(() => undefined);
  assertMatch(
    events.map((event) => event.event === "warning" ? event.message : "")
      .join(),
    /not valid before .* by this machine's clock/,
  );
  assertEquals(ca.requests.length, 1);
});
