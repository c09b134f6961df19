/**
 * The program against CAs that answer wrongly: the files stay as they are, the
 * reason is one line, the exit code is the kind's. The suite takes a sample of
 * the answers, `deno task sweep` all.
 */
import { ERROR_KINDS, type ErrorKind } from "../../src/base/errors.ts";
import {
  assert,
  assertEquals,
  assertMatch,
  assertStringIncludes,
} from "../support/assert.ts";
import { OpensslCa, type OpensslPair } from "../support/openssl_ca.ts";
import { runProgram } from "../support/program.ts";
import type { RunResult } from "../support/run.ts";
import { sample } from "../support/sweep.ts";
import {
  blackHole,
  closedPort,
  opensslServer,
  tcpPeer,
} from "../support/tcp_peers.ts";
import { tempDir } from "../support/temp_dir.ts";
import {
  HOST,
  makeTestPki,
  rightAnswer,
  startTestCa,
} from "../support/test_ca.ts";
import { wrongAnswers } from "../support/wrong_answers.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
const pki = await makeTestPki(directory);
const other = await OpensslCa.root(`${directory}/other`, "Other Root");

interface Rekeying {
  readonly result: RunResult;
  /** Name and content of every file of the pair's directory. */
  readonly before: Readonly<Record<string, string>>;
  readonly after: Readonly<Record<string, string>>;
}

/** Runs the program on a copy of the pair in a directory of its own. */
async function rekey(
  url: string,
  { pair = pki.host, flags = [] }: {
    readonly pair?: Pick<OpensslPair, "certificate" | "key">;
    readonly flags?: readonly string[];
  } = {},
): Promise<Rekeying> {
  await using dir = await tempDir();
  await Deno.writeTextFile(dir.file("host.crt"), pair.certificate);
  await Deno.writeTextFile(dir.file("host.key"), pair.key, { mode: 0o600 });
  const before = await filesOf(dir.path);
  const result = await runProgram([
    ...["ca", "rekey", dir.file("host.crt"), dir.file("host.key"), "--force"],
    ...["--ca-url", url, "--root", pki.root.certificateFile, ...flags],
  ], { env: { STEPPATH: dir.file("none") } });
  return { result, before, after: await filesOf(dir.path) };
}

/** The lock file is the program's own and empty. */
async function filesOf(path: string): Promise<Record<string, string>> {
  const files: Record<string, string> = {};
  for await (const { name } of Deno.readDir(path)) {
    const content = await Deno.readTextFile(`${path}/${name}`);
    if (content !== "") files[name] = content;
  }
  return files;
}

/** @returns the line that says what went wrong */
function assertRefused(
  { result, before, after }: Rekeying,
  kind: ErrorKind,
): string {
  const { code, stdout, stderr } = result;
  assertEquals(after, before);
  assertEquals(code, ERROR_KINDS[kind].exitCode, stderr);
  assertEquals(stdout, "");
  // What may be wrong with the certificate is said before the call.
  const lines = stderr.trimEnd().split("\n")
    .filter((line) => !line.startsWith("warning: "));
  const [message = ""] = lines;
  assert(message.length > 0 && lines.length <= 2, stderr);
  if (lines.length === 2) assertMatch(lines[1] ?? "", /^hint: \S/);
  assert(!/[^\P{Cc}\n]/u.test(stderr), JSON.stringify(stderr));
  assert(!/\bat .*\.ts:\d+/.test(stderr), stderr);
  return message;
}

Deno.test("ca rekey installs the answer of the same CA when it is right", async () => {
  await using ca = await startTestCa(pki, rightAnswer(pki));
  const { result, before, after } = await rekey(ca.url);
  assertEquals(result.code, 0, result.stderr);
  assert(after["host.crt"] !== before["host.crt"]);
  assert(after["host.key"] !== before["host.key"]);
});

for (const wrong of sample("wrong", wrongAnswers(pki, other), 16)) {
  Deno.test(`ca rekey changes nothing and says why: ${wrong.name}`, async () => {
    await using ca = await startTestCa(pki, wrong.answer);
    const flags = wrong.slow ? ["--timeout", "1s"] : [];
    const message = assertRefused(await rekey(ca.url, { flags }), wrong.kind);
    assertMatch(message, wrong.message);
  });
}

Deno.test("ca rekey changes nothing when nothing listens", async () => {
  const rekeying = await rekey(`https://127.0.0.1:${closedPort()}`);
  const message = assertRefused(rekeying, "unreachable");
  assertMatch(message, /connect: connection refused$/);
});

Deno.test("ca rekey changes nothing when the port accepts no connection", async () => {
  await using peer = await blackHole();
  const rekeying = await rekey(`https://127.0.0.1:${peer.port}`, {
    flags: ["--connect-timeout", "1s"],
  });
  assertMatch(assertRefused(rekeying, "unreachable"), /i\/o timeout$/);
});

Deno.test("ca rekey changes nothing when the port speaks plain HTTP", async () => {
  await using peer = tcpPeer(async (connection) => {
    await connection.read(new Uint8Array(4096));
    await connection.write(
      new TextEncoder().encode("HTTP/1.1 400 Bad Request\r\n\r\n"),
    );
  });
  const rekeying = await rekey(`https://127.0.0.1:${peer.port}`);
  assertMatch(assertRefused(rekeying, "unreachable"), /TLS handshake$/);
});

/** Servers that TLS alone has to refuse. */
const SERVERS: readonly {
  readonly name: string;
  readonly message: RegExp;
  readonly pair: () => Promise<OpensslPair>;
  readonly args?: readonly string[];
}[] = [
  {
    name: "a self-signed certificate",
    message: /x509: a CA certificate in the place of a server's$/,
    pair: () => Promise.resolve(other),
  },
  {
    name: "a certificate of another root",
    message: /x509: certificate signed by unknown authority$/,
    pair: () =>
      other.issue("server", { subject: "/CN=ca", names: "IP:127.0.0.1" }),
  },
  {
    name: "a certificate for another host",
    message: /x509: certificate is valid for ca\.example, not 127\.0\.0\.1$/,
    pair: () =>
      pki.intermediate.issue("elsewhere", {
        subject: "/CN=127.0.0.1",
        names: "DNS:ca.example",
      }),
  },
  {
    name: "an expired certificate",
    message: /x509: certificate has expired/,
    pair: () =>
      pki.intermediate.issue("expired-server", {
        subject: "/CN=ca",
        names: "IP:127.0.0.1",
        notBefore: new Date("2020-01-01T00:00:00Z"),
        notAfter: new Date("2020-01-02T00:00:00Z"),
      }),
  },
  {
    name: "nothing newer than TLS 1.1",
    message: /tls: protocol version not supported$/,
    pair: () => Promise.resolve(pki.server),
    args: ["-tls1_1", "-cipher", "DEFAULT@SECLEVEL=0"],
  },
  {
    name: "a demand for client certificates of another CA",
    message: /remote error: tls: unknown certificate authority$/,
    pair: () => Promise.resolve(pki.server),
    args: [
      ...["-CAfile", other.certificateFile, "-Verify", "2"],
      ...["-verify_return_error"],
    ],
  },
];

for (const { name, message, pair, args = [] } of SERVERS) {
  Deno.test(`ca rekey changes nothing when the server has ${name}`, async () => {
    const { certificateFile, keyFile } = await pair();
    await using peer = await opensslServer([
      ...["-cert", certificateFile, "-key", keyFile],
      ...["-cert_chain", pki.intermediate.certificateFile, ...args],
    ]);
    const rekeying = await rekey(`https://127.0.0.1:${peer.port}`);
    assertMatch(assertRefused(rekeying, "unreachable"), message);
    assertStringIncludes(rekeying.result.stderr, "\nhint: ");
  });
}

Deno.test("ca rekey says that an expired certificate is beyond recovery", async () => {
  const pair = await pki.intermediate.issue("expired", {
    ...HOST,
    notBefore: new Date("2020-01-01T00:00:00Z"),
    notAfter: new Date("2020-01-02T00:00:00Z"),
  });
  await using ca = await startTestCa(pki, (_, response) => {
    response.writeHead(401, { "content-type": "application/json" });
    response.end('{"message":"certificate expired"}');
  });
  const message = assertRefused(await rekey(ca.url, { pair }), "pair");
  assertStringIncludes(
    message,
    "cannot rekey an expired certificate: expired on 2020-01-02T00:00:00Z",
  );
});
