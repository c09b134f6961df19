import { hintWords } from "../../support/hint.ts";
import {
  totalLimit,
  watchConnection,
} from "../../../src/ca/online/connection.ts";
import { createOnlineAuthority } from "../../../src/ca/online/online.ts";
import { RekeyError } from "../../../src/base/errors.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertRejects,
  assertStringIncludes,
} from "../../support/assert.ts";
import { OpensslCa, type OpensslPair } from "../../support/openssl_ca.ts";
import {
  blackHole,
  closedPort,
  connectProxy,
  opensslServer,
  type Peer,
  tcpPeer,
} from "../../support/tcp_peers.ts";
import {
  makeTestPki,
  rightAnswer,
  startTestCa,
} from "../../support/test_ca.ts";
import { type PemPair, rekeyRequest } from "../../support/test_pair.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
const pki = await makeTestPki(directory);
const other = await OpensslCa.root(`${directory}/other`, "Other Root");

/** The error of one rekey, which has to fail as `unreachable`. */
async function failure(
  url: string,
  { pair = pki.host, connectTimeoutMs = 5000, timeoutMs = 5000, now }: {
    readonly pair?: PemPair;
    readonly connectTimeoutMs?: number;
    readonly timeoutMs?: number;
    readonly now?: Date;
  } = {},
): Promise<RekeyError> {
  const online = createOnlineAuthority({
    url,
    root: pki.root.certificateFile,
    connectTimeoutMs,
    timeoutMs,
    clock: { now: () => now ?? new Date(), sleep: () => Promise.resolve() },
    log: { write() {} },
  });
  const request = await rekeyRequest(pair);
  const error = await assertRejects(() => online.rekey(request), "unreachable");
  assert(error instanceof RekeyError);
  assertStringIncludes(
    error.message,
    `error rekeying certificate: client POST ${url}/rekey failed: `,
  );
  assert(!/\n/.test(error.message));
  return error;
}

function urlOf({ port }: Pick<Peer, "port">): string {
  return `https://127.0.0.1:${port}`;
}

function serverArgs({ certificateFile, keyFile }: OpensslPair): string[] {
  return [
    ...["-cert", certificateFile, "-key", keyFile],
    ...["-cert_chain", pki.intermediate.certificateFile],
  ];
}

Deno.test("postOverTls() says connection refused as Go does", async () => {
  const port = closedPort();
  const { message } = await failure(urlOf({ port }));
  assertStringIncludes(
    message,
    `failed: dial tcp 127.0.0.1:${port}: connect: connection refused`,
  );
});

Deno.test("postOverTls() says that a host does not exist", async () => {
  const { message } = await withProxy({}, () => failure("https://ca.invalid"));
  assertMatch(message, /failed: dial tcp: lookup ca\.invalid: /);
});

Deno.test("postOverTls() gives up at the connect limit when nothing accepts", async () => {
  await using peer = await blackHole();
  const start = performance.now();
  const { message } = await failure(urlOf(peer), {
    connectTimeoutMs: 600,
    timeoutMs: 20_000,
  });
  assertStringIncludes(message, `dial tcp 127.0.0.1:${peer.port}: i/o timeout`);
  const elapsed = performance.now() - start;
  assert(elapsed >= 590 && elapsed < 15_000, String(elapsed));
});

Deno.test("postOverTls() names the connection when both limits are equal", async () => {
  await using peer = await blackHole();
  const limits = { connectTimeoutMs: 500, timeoutMs: 500 };
  const { message } = await failure(urlOf(peer), limits);
  assertStringIncludes(message, "i/o timeout");
});

Deno.test("totalLimit() names the connection, however late that one's clock began", async () => {
  await using peer = await blackHole();
  const request = {
    url: new URL(urlOf(peer)),
    reachable: new Map(),
    connectTimeoutMs: 300,
    timeoutMs: 300,
    signal: new AbortController().signal,
  };
  using limit = totalLimit(request);
  const late = performance.now() + 20;
  while (performance.now() < late);
  using _watch = watchConnection(request, limit);
  await new Promise((resolve) =>
    limit.signal.addEventListener("abort", resolve)
  );
  assertStringIncludes(String(limit.signal.reason), "i/o timeout");
});

Deno.test("postOverTls() does not take a slow answer for a slow connection", async () => {
  const accepted = { count: 0 };
  await using peer = tcpPeer(async (connection) => {
    accepted.count++;
    while (await connection.read(new Uint8Array(4096)) !== null);
  });
  const limits = { connectTimeoutMs: 200, timeoutMs: 700 };
  const { message } = await failure(urlOf(peer), limits);
  assertStringIncludes(message, "no complete answer within 700ms");
  // The system tells; elsewhere a second connection finds out.
  assertEquals(accepted.count, Deno.build.os === "linux" ? 1 : 2);
});

Deno.test("postOverTls() makes one connection when the answer comes in time", async () => {
  const accepted = { count: 0 };
  await using peer = tcpPeer(async (connection) => {
    accepted.count++;
    await connection.read(new Uint8Array(4096));
    // A CA that takes its time, but by far not the limit.
    await new Promise((resolve) => setTimeout(resolve, 100));
  });
  await failure(urlOf(peer));
  assertEquals(accepted.count, 1);
});

Deno.test("postOverTls() says that the server closed the connection during TLS", async () => {
  await using peer = tcpPeer(async (connection) => {
    await connection.read(new Uint8Array(4096));
  });
  const { message } = await failure(urlOf(peer));
  assertMatch(message, /EOF|connection reset by peer/);
});

Deno.test("postOverTls() says that the port does not speak TLS", async () => {
  await using peer = tcpPeer(async (connection) => {
    await connection.read(new Uint8Array(4096));
    await connection.write(
      new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"),
    );
  });
  const { message, hint } = await failure(urlOf(peer));
  assertStringIncludes(
    message,
    "first record does not look like a TLS handshake",
  );
  assertStringIncludes(hintWords(hint), "does not speak TLS");
});

Deno.test("postOverTls() refuses a server that only speaks TLS 1.1", async () => {
  await using peer = await opensslServer([
    ...serverArgs(pki.server),
    ...["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"],
  ]);
  const { message, hint } = await failure(urlOf(peer));
  assertStringIncludes(message, "protocol version not supported");
  assertStringIncludes(hintWords(hint), "TLS 1.2");
});

Deno.test("postOverTls() refuses a server certificate of another root and names --root", async () => {
  const server = await other.issue("server", {
    subject: "/CN=ca",
    names: "IP:127.0.0.1",
  });
  await using peer = await opensslServer(serverArgs(server));
  const { message, hint } = await failure(urlOf(peer));
  assertStringIncludes(
    message,
    "x509: certificate signed by unknown authority",
  );
  assertStringIncludes(hintWords(hint), pki.root.certificateFile);
});

Deno.test("postOverTls() refuses a self-signed server certificate", async () => {
  await using peer = await opensslServer(serverArgs(other));
  const { message } = await failure(urlOf(peer));
  assertMatch(message, /failed to verify certificate: x509: /);
});

Deno.test("postOverTls() refuses a server certificate for another name and says for which", async () => {
  const server = await pki.intermediate.issue("named", {
    subject: "/CN=127.0.0.1",
    names: "DNS:ca.example,IP:10.0.0.1",
  });
  await using peer = await opensslServer(serverArgs(server));
  const { message, hint } = await failure(urlOf(peer));
  assertStringIncludes(
    message,
    "x509: certificate is valid for ca.example, 10.0.0.1, not 127.0.0.1",
  );
  assertStringIncludes(hintWords(hint), "--ca-url");
});

Deno.test("postOverTls() names some of the thousands of names of a server", async () => {
  const server = await pki.intermediate.issue("many-names", {
    subject: "/CN=many",
    names: Array.from({ length: 3000 }, (_, at) => `DNS:h${at}.example`)
      .join(","),
  });
  await using peer = await opensslServer(serverArgs(server));
  const { message } = await failure(urlOf(peer));
  assertMatch(message, /x509: certificate is valid for h0\.example, .*…/);
  assert(message.length < 600, String(message.length));
});

Deno.test("createOnlineAuthority() trusts no server whose certificate a host issued, though the host's is among the roots", async () => {
  const folder = `${directory}/roots-and-host`;
  await Deno.mkdir(folder);
  const { certificateFile, keyFile, certificate } = pki.host;
  await Deno.writeTextFile(`${folder}/host.crt`, certificate);
  await Deno.writeTextFile(`${folder}/root.crt`, pki.root.certificate);
  const impostor = await OpensslCa.adopt(
    `${directory}/impostor`,
    certificateFile,
    keyFile,
  );
  const server = await impostor.issue("server", {
    subject: "/CN=ca",
    names: "IP:127.0.0.1",
  });
  await using ca = await startTestCa(pki, rightAnswer(pki), {
    ...server,
    certificate: server.certificate + certificate,
  });
  const online = createOnlineAuthority({
    url: ca.url,
    root: folder,
    connectTimeoutMs: 5000,
    timeoutMs: 5000,
    clock: { now: () => new Date(), sleep: () => Promise.resolve() },
    log: { write() {} },
  });
  const request = await rekeyRequest(pki.host);
  await assertRejects(
    () => online.rekey(request),
    "unreachable",
    /certificate signed by unknown authority/,
  );
  assertEquals(ca.requests, []);
});

for (
  const [what, year] of [["expired", 2020], ["not yet valid", 2040]] as const
) {
  Deno.test(`postOverTls() refuses a server certificate that is ${what} and gives the dates`, async () => {
    const server = await pki.intermediate.issue(`server-${year}`, {
      subject: "/CN=ca",
      names: "IP:127.0.0.1",
      notBefore: new Date(`${year}-01-01T00:00:00Z`),
      notAfter: new Date(`${year}-01-02T03:04:05Z`),
    });
    await using peer = await opensslServer(serverArgs(server));
    const { message, hint } = await failure(urlOf(peer));
    assertMatch(
      message,
      year === 2020
        ? /expired or is not yet valid: current time \S+Z is after 2020-01-02T03:04:05Z$/
        : /expired or is not yet valid: current time \S+Z is before 2040-01-01T00:00:00Z$/,
    );
    assertStringIncludes(hintWords(hint), "clock");
  });
}

Deno.test("postOverTls() refuses a server certificate that is not for servers", async () => {
  const server = await pki.intermediate.issue("client-only", {
    subject: "/CN=ca",
    names: "IP:127.0.0.1",
    usages: "clientAuth",
  });
  await using peer = await opensslServer(serverArgs(server));
  const { message } = await failure(urlOf(peer));
  assertStringIncludes(message, "incompatible key usage");
});

for (const version of ["-tls1_2", "-tls1_3"]) {
  Deno.test(`postOverTls() explains that the CA refused the client certificate, ${version}`, async () => {
    await using peer = await opensslServer([
      ...serverArgs(pki.server),
      ...["-CAfile", other.certificateFile, "-Verify", "2"],
      ...["-verify_return_error", version],
    ]);
    const { message, hint } = await failure(urlOf(peer));
    assertStringIncludes(
      message,
      "remote error: tls: unknown certificate authority",
    );
    assertStringIncludes(hintWords(hint), "may not have issued");
  });
}

Deno.test("postOverTls() names the clock when the certificate is not valid yet", async () => {
  await using peer = await opensslServer([
    ...serverArgs(pki.server),
    ...["-CAfile", other.certificateFile, "-Verify", "2"],
    ...["-verify_return_error"],
  ]);
  const now = new Date("2000-01-01T00:00:00Z");
  const { hint } = await failure(urlOf(peer), { now });
  assertMatch(hintWords(hint), /not valid before .*clocks/);
});

const PROXY_VARIABLES = ["HTTPS_PROXY", "HTTP_PROXY", "ALL_PROXY", "NO_PROXY"]
  .flatMap((name) => [name, name.toLowerCase()]);

/**
 * Proxy variables for the time of one action, as a parent would set them, and
 * none of whoever runs the tests.
 */
async function withProxy<T>(
  values: Readonly<Record<string, string>>,
  action: () => Promise<T>,
): Promise<T> {
  const before = PROXY_VARIABLES.map((name) =>
    [name, Deno.env.get(name)] as const
  );
  for (const name of PROXY_VARIABLES) Deno.env.delete(name);
  for (const [name, value] of Object.entries(values)) Deno.env.set(name, value);
  try {
    return await action();
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
  }
}

Deno.test("postOverTls() goes through the proxy of HTTPS_PROXY with its password", async () => {
  await using proxy = connectProxy("200 OK");
  await using ca = await startTestCa(pki, rightAnswer(pki));
  const HTTPS_PROXY = `http://user:pass@127.0.0.1:${proxy.port}`;
  // No such name: only the proxy can know it.
  const { message } = await withProxy(
    { HTTPS_PROXY },
    () => failure(`https://ca.invalid:${ca.port}`),
  );
  assertStringIncludes(message, "not ca.invalid");
  assertMatch(proxy.heads[0] ?? "", /^CONNECT ca\.invalid:\d+ /);
  assertMatch(
    proxy.heads[0] ?? "",
    /proxy-authorization: Basic dXNlcjpwYXNz\r\n/i,
  );
});

Deno.test("postOverTls() ignores ALL_PROXY and proxies for loopback addresses", async () => {
  await using proxy = connectProxy("403 Forbidden");
  await using ca = await startTestCa(pki, rightAnswer(pki));
  const url = `http://127.0.0.1:${proxy.port}`;
  const variables = { ALL_PROXY: url, HTTPS_PROXY: url, https_proxy: url };
  await withProxy(variables, async () => {
    const online = createOnlineAuthority({
      url: ca.url,
      root: pki.root.certificateFile,
      connectTimeoutMs: 5000,
      timeoutMs: 5000,
      clock: { now: () => new Date(), sleep: () => Promise.resolve() },
      log: { write() {} },
    });
    assertEquals((await online.rekey(await rekeyRequest(pki.host))).length, 2);
  });
  assertEquals(proxy.heads, []);
});

Deno.test("postOverTls() goes around the proxy for a host in NO_PROXY", async () => {
  await using proxy = connectProxy("403 Forbidden");
  const HTTPS_PROXY = `http://127.0.0.1:${proxy.port}`;
  const variables = { HTTPS_PROXY, NO_PROXY: "ca.invalid:9000" };
  const { message } = await withProxy(
    variables,
    () => failure("https://ca.invalid:9000"),
  );
  assertStringIncludes(message, "lookup ca.invalid");
  assertEquals(proxy.heads, []);
});

for (const status of ["403 Forbidden", "407 Proxy Authentication Required"]) {
  Deno.test(`postOverTls() names a proxy that answers ${status}, without its password`, async () => {
    await using proxy = connectProxy(status);
    const HTTPS_PROXY = `http://user:secret@127.0.0.1:${proxy.port}`;
    const { message, hint = "" } = await withProxy(
      { HTTPS_PROXY },
      () => failure("https://ca.invalid"),
    );
    assertStringIncludes(message, `the proxy http://127.0.0.1:${proxy.port}`);
    assert(!`${message} ${hint}`.includes("secret"));
  });
}

Deno.test("postOverTls() names a proxy that cannot be reached", async () => {
  const port = closedPort();
  const { message, hint } = await withProxy(
    { https_proxy: `127.0.0.1:${port}` },
    () => failure("https://ca.invalid"),
  );
  assertStringIncludes(
    message,
    `proxyconnect tcp: dial tcp 127.0.0.1:${port}: connect: connection refused`,
  );
  assertStringIncludes(
    hintWords(hint),
    "NO_PROXY=ca.invalid goes around it",
  );
});
