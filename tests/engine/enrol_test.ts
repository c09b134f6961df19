/**
 * A first certificate, step by step: real files, a CA over real TLS that answers
 * as a test says. Only clock, chance, terminal and log are the test's own.
 */
import type { LogEvent, Terminal } from "../../src/base/runtime.ts";
import { readOneTimeToken } from "../../src/ca/online/one_time_token.ts";
import { openEnrolment } from "../../src/cli/process/enrolment.ts";
import { enrol } from "../../src/engine/enrol.ts";
import { assert, assertEquals, assertRejects } from "../support/assert.ts";
import { fakeTerminal, noTerminal } from "../support/fake_terminal.ts";
import { OpensslCa } from "../support/openssl_ca.ts";
import { pairKeyOf } from "../support/openssl_reads.ts";
import { sample } from "../support/sweep.ts";
import { tempDir } from "../support/temp_dir.ts";
import {
  type Answer,
  csrOf,
  HOST,
  makeTestPki,
  rightAnswer,
  sendJson,
  startTestCa,
} from "../support/test_ca.ts";
import { type WrongAnswer, wrongAnswers } from "../support/wrong_answers.ts";

const directory = Deno.makeTempDirSync({ prefix: "step-rekey-test-" });
addEventListener("unload", () => {
  Deno.removeSync(directory, { recursive: true });
});
const pki = await makeTestPki(directory);
const other = await OpensslCa.root(`${directory}/other`, "Other");

const encode = (value: object) =>
  new TextEncoder().encode(JSON.stringify(value))
    .toBase64({ alphabet: "base64url", omitPadding: true });

/** Of step, for the names that the CA gives. */
const STEP_CLAIMS = {
  sub: "host.example",
  sans: ["host.example", "10.1.2.3"],
};

interface Changes {
  readonly answer?: Answer;
  readonly claims?: object;
  readonly terminal?: Terminal;
  readonly overwrite?: "ask" | "always";
  readonly timeoutMs?: number;
}

async function enrolled(
  folder: string,
  {
    answer = rightAnswer(pki),
    claims = STEP_CLAIMS,
    terminal = noTerminal(),
    overwrite = "ask",
    timeoutMs = 10_000,
  }: Changes = {},
) {
  await using ca = await startTestCa(pki, answer);
  const events: LogEvent[] = [];
  const said: string[] = [];
  const { signal } = new AbortController();
  const runtime = {
    clock: { now: () => new Date(), sleep: () => Promise.resolve() },
    random: () => 0.5,
    terminal,
    log: { write: (event: LogEvent) => events.push(event) },
  };
  const text = `${encode({ alg: "ES256" })}.${encode(claims)}.c2ln`;
  const files = { certificate: `${folder}/a.crt`, key: `${folder}/a.key` };
  const options = {
    files,
    newKey: { kty: "EC", curve: "P-256" },
    keyPasswordFile: undefined,
    overwrite,
    write: {
      inPlace: false,
      attributes: {},
      lockTimeoutMs: 0,
      stateFolders: [],
    },
  } as const;
  const root = { from: "file", path: pki.root.certificateFile } as const;
  const certificate = await enrol(
    {
      options,
      openEnrolment: (readPassword) =>
        openEnrolment({
          ca: { url: ca.url, root, connectTimeoutMs: timeoutMs, timeoutMs },
          by: { from: "user", text, token: readOneTimeToken(text) },
          ...{ subject: "host.example", names: [] },
          ...{ notBefore: "", notAfter: "1h" },
        }, {
          ...{ ...runtime, signal, readPassword },
          say: (name, value) => said.push(`${name}: ${value}`),
        }),
    },
    runtime,
    signal,
  );
  return { certificate, events, said, requests: ca.requests, text };
}

function contentsOf(folder: string): Record<string, string> {
  return Object.fromEntries(
    [...Deno.readDirSync(folder)].filter(({ name }) => !/-lock$/.test(name))
      .map(({ name }) => [name, Deno.readTextFileSync(`${folder}/${name}`)])
      .sort(),
  );
}

Deno.test("enrol() asks with token, request and times, and installs a whole pair", async () => {
  await using dir = await tempDir();
  const { certificate, events, requests, said, text } = await enrolled(
    dir.path,
  );
  assertEquals(certificate.names, ["DNS:host.example", "IP:10.1.2.3"]);
  assertEquals(events, []);
  const [request] = requests;
  assert(request !== undefined && requests.length === 1);
  assertEquals([request.method, request.path], ["POST", "/sign"]);
  const { csr, ...rest } = JSON.parse(request.body);
  assert(csr.startsWith("-----BEGIN CERTIFICATE REQUEST-----"), csr);
  assertEquals(rest, { ott: text, notBefore: "", notAfter: "1h" });
  assertEquals(request.clientCertificate, undefined);
  assertEquals(said.length, 1);
  assertEquals(Object.keys(contentsOf(dir.path)), ["a.crt", "a.key"]);
  await pairKeyOf({
    certificateFile: dir.file("a.crt"),
    keyFile: dir.file("a.key"),
  });
});

/** What a rekey refuses, since it compares with the certificate before. */
function isSurpriseOnly({ name, message }: WrongAnswer): boolean {
  return name === "more names" || /subject/.test(name + message.source);
}

for (const wrong of sample("wrong", wrongAnswers(pki, other), 30)) {
  if (isSurpriseOnly(wrong)) continue;
  for (const before of ["no pair", "a pair"] as const) {
    Deno.test({
      name: `enrol() writes nothing over ${before} for ${wrong.name}`,
      ignore: before === "a pair" && wrong.slow === true,
      async fn() {
        await using dir = await tempDir();
        if (before === "a pair") await enrolled(dir.path);
        const contents = contentsOf(dir.path);
        const timeoutMs = wrong.slow === true ? 700 : 10_000;
        const { answer } = wrong;
        const overwrite = "always";
        const error = await assertRejects(
          () => enrolled(dir.path, { answer, overwrite, timeoutMs }),
          wrong.kind,
        );
        assert(!/rekey/.test(error.message), error.message);
        assertEquals(contentsOf(dir.path), contents);
      },
    });
  }
}

Deno.test("enrol() refuses a certificate that lacks a name, and one for more is a warning", async () => {
  await using dir = await tempDir();
  const sans = ["host.example", "10.1.2.3", "third.example"];
  await assertRejects(
    () => enrolled(dir.path, { claims: { ...STEP_CLAIMS, sans } }),
    "untrusted",
    /left out names: DNS:third.example is missing/,
  );
  assertEquals(contentsOf(dir.path), {});
  const { events } = await enrolled(dir.path, {
    claims: { ...STEP_CLAIMS, sans: ["host.example"] },
  });
  assertEquals(events, [{
    event: "warning",
    message:
      "the CA chose the names DNS:host.example IP:10.1.2.3 instead of DNS:host.example",
  }]);
});

Deno.test("enrol() takes the names of a person from the CA", async () => {
  await using dir = await tempDir();
  const person = { subject: "/CN=42", names: "email:me@x.y" };
  const { events, requests } = await enrolled(dir.path, {
    claims: { iss: "https://id", sub: "42", email: "host.example" },
    async answer(request, response) {
      const leaf = await pki.intermediate.sign(csrOf(request), {
        ...HOST,
        ...person,
      });
      sendJson(response, { crt: leaf, ca: pki.intermediate.certificate });
    },
  });
  assertEquals(requests.length, 1);
  assertEquals(events.length, 1);
});

Deno.test("enrol() asks before it overwrites, and the CA only after a yes", async () => {
  await using dir = await tempDir();
  await enrolled(dir.path);
  const before = contentsOf(dir.path);
  await assertRejects(
    () =>
      enrolled(dir.path, {
        terminal: fakeTerminal(false),
        answer: () => {
          throw new Error("the CA was asked");
        },
      }),
    "declined",
  );
  assertEquals(contentsOf(dir.path), before);
  await enrolled(dir.path, { terminal: fakeTerminal(true) });
  const after = contentsOf(dir.path);
  assert(after["a.key"] !== before["a.key"], "the same key");
});

Deno.test("enrol() uses up no token where the files cannot be written", async () => {
  await assertRejects(
    () =>
      enrolled(`${directory}/no/such/folder`, {
        answer: () => {
          throw new Error("the CA was asked");
        },
      }),
    "install",
  );
});
