/**
 * What a CA must not answer, and what has to come of it. None of these may
 * change a file.
 */
import type { ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import type { ErrorKind } from "../../src/base/errors.ts";
import type { CertificateRequest, OpensslCa } from "./openssl_ca.ts";
import { run } from "./run.ts";
import {
  type Answer,
  csrOf,
  HOST,
  type ReceivedRequest,
  rightAnswer,
  sendJson,
  type TestPki,
} from "./test_ca.ts";

/** One wrong answer. */
export interface WrongAnswer {
  readonly name: string;
  readonly kind: ErrorKind;
  /** What the message says. */
  readonly message: RegExp;
  readonly answer: Answer;
  /** True: it ends by the time limit only. */
  readonly slow?: boolean;
  /** True: the server has to cut the connection. */
  readonly needsSockets?: boolean;
}

/** More than a client should read, in bytes. */
const TOO_MUCH = 1024 * 1024 + 1;

/** All of them, for a CA with this PKI. `other` is a CA that nobody trusts. */
export function wrongAnswers(
  pki: TestPki,
  other: OpensslCa,
): readonly WrongAnswer[] {
  return [
    ...wrongCertificates(pki, other),
    ...wrongChains(pki),
    ...wrongBodies(pki),
    ...wrongStatuses(),
    ...wrongConnections(),
  ];
}

function wrongCertificates(
  pki: TestPki,
  other: OpensslCa,
): readonly WrongAnswer[] {
  const { intermediate } = pki;
  const untrusted = (
    name: string,
    message: RegExp,
    leaf: (request: ReceivedRequest) => Promise<readonly string[]>,
  ): WrongAnswer => ({
    name,
    kind: "untrusted",
    message,
    answer: async (request, response) =>
      sendJson(response, { certChain: await leaf(request) }),
  });
  const issued = (
    name: string,
    message: RegExp,
    change: Partial<CertificateRequest>,
  ) =>
    untrusted(name, message, async (request) => [
      await intermediate.sign(csrOf(request), { ...HOST, ...change }),
      intermediate.certificate,
    ]);
  return [
    untrusted("a certificate for another key", /key/i, async () => {
      const { certificate } = await intermediate.issue("other", HOST);
      return [certificate, intermediate.certificate];
    }),
    untrusted(
      "the certificate that we have already",
      /key/i,
      () => Promise.resolve([pki.host.certificate, intermediate.certificate]),
    ),
    issued("another subject", /subject/i, { subject: "/CN=evil.example" }),
    issued("other names", /name/i, { names: "DNS:evil.example" }),
    issued("more names", /name/i, { names: `${HOST.names},DNS:evil.example` }),
    issued("no names", /name/i, { names: "" }),
    issued("an expired certificate", /expired|not.*valid/i, {
      notBefore: new Date("2020-01-01T00:00:00Z"),
      notAfter: new Date("2020-01-02T00:00:00Z"),
    }),
    issued("a certificate that is not valid yet", /valid/i, {
      notBefore: new Date("2040-01-01T00:00:00Z"),
      notAfter: new Date("2040-01-02T00:00:00Z"),
    }),
    untrusted("a certificate of another root", /root|issuer|trust/i, async (
      request,
    ) => [await other.sign(csrOf(request), HOST), other.certificate]),
    untrusted(
      "a certificate that another intermediate of the same name signed",
      /signature|issue|sign|root/i,
      async (request) => {
        const impostor = await other.subordinate(
          `${pki.directory}/impostor-${crypto.randomUUID()}`,
          { subject: "/CN=Test Intermediate" },
        );
        return [
          await impostor.sign(csrOf(request), HOST),
          intermediate.certificate,
        ];
      },
    ),
    untrusted(
      "an issuer that is no CA",
      /CA|issuer|basic/i,
      async (request) => {
        const host = await adoptHost(pki);
        return [
          await host.sign(csrOf(request), HOST),
          pki.host.certificate,
          intermediate.certificate,
        ];
      },
    ),
    untrusted(
      "a path that is longer than the intermediate allows",
      /path|intermediates/i,
      async (request) => {
        const below = await intermediate.subordinate(
          `${pki.directory}/below-${crypto.randomUUID()}`,
          { subject: "/CN=Below" },
        );
        return [
          await below.sign(csrOf(request), HOST),
          below.certificate,
          intermediate.certificate,
        ];
      },
    ),
  ];
}

/** The host's own key as if it were a CA's. */
async function adoptHost({ directory, host }: TestPki): Promise<OpensslCa> {
  const { OpensslCa } = await import("./openssl_ca.ts");
  const certificateFile = `${directory}/host_leaf.crt`;
  const end = "-----END CERTIFICATE-----\n";
  await Deno.writeTextFile(
    certificateFile,
    host.certificate.slice(0, host.certificate.indexOf(end) + end.length),
  );
  return await OpensslCa.adopt(
    `${directory}/host-ca-${crypto.randomUUID()}`,
    certificateFile,
    host.keyFile,
  );
}

/** The right certificate in a wrong chain. */
function wrongChains(pki: TestPki): readonly WrongAnswer[] {
  const { intermediate, root } = pki;
  const chained = (
    name: string,
    chain: (leaf: string) => unknown,
  ): WrongAnswer => ({
    name,
    kind: "untrusted",
    message: /./,
    answer: async (request, response) => {
      const leaf = await intermediate.sign(csrOf(request), HOST);
      sendJson(response, { crt: leaf, certChain: chain(leaf) });
    },
  });
  const ca = intermediate.certificate;
  return [
    chained("a chain in the wrong order", (leaf) => [ca, leaf]),
    chained("a chain without the intermediate", (leaf) => [leaf]),
    chained("a chain with the root alone", (leaf) => [leaf, root.certificate]),
    chained("a chain without the leaf", () => [ca, root.certificate]),
    chained("a chain of garbage", () => ["garbage", ca]),
    chained("a chain of numbers", () => [1, 2]),
    chained("a chain that is no list", (leaf) => leaf),
    chained("a chain of 33 certificates", (leaf) => [
      leaf,
      ...Array.from({ length: 32 }, () => ca),
    ]),
    chained("PEM that ends too early", (leaf) => [leaf.slice(0, 300), ca]),
    chained("PEM with a flipped byte", (leaf) => [
      leaf.replace(
        /(\n.{20})(.)/,
        (_, start, letter) => start + (letter === "A" ? "B" : "A"),
      ),
      ca,
    ]),
    chained("PEM of something else", (leaf) => [
      leaf.replaceAll("CERTIFICATE", "PUBLIC KEY"),
      ca,
    ]),
  ];
}

/** Answers with status 200 that are no answers. */
function wrongBodies(pki: TestPki): readonly WrongAnswer[] {
  const body = (
    name: string,
    content: string,
    headers: Readonly<Record<string, string>> = {
      "content-type": "application/json",
    },
  ): WrongAnswer => ({
    name,
    kind: "untrusted",
    message: /./,
    answer: (_, response) => {
      response.writeHead(200, { ...headers });
      response.end(content);
    },
  });
  return [
    body("an empty body", ""),
    body("HTML with status 200", "<html>login</html>", {
      "content-type": "text/html",
    }),
    body("JSON null", "null"),
    body("a JSON list", "[]"),
    body("a JSON object without members", "{}"),
    body("null members", '{"crt":null,"ca":null,"certChain":null}'),
    body("empty members", '{"crt":"","ca":"","certChain":[]}'),
    body("an object as certificate", '{"crt":{},"ca":[]}'),
    body("JSON behind JSON", '{"crt":"a"}{"crt":"b"}'),
    body("deeply nested JSON", "[".repeat(200_000)),
    {
      name: "truncated JSON",
      kind: "untrusted",
      message: /JSON/,
      answer: async (request, response) => {
        const leaf = await pki.intermediate.sign(csrOf(request), HOST);
        response.writeHead(201);
        response.end(JSON.stringify({ crt: leaf }).slice(0, -20));
      },
    },
    {
      name: "a body over 1 MiB",
      kind: "untrusted",
      message: /larger than 1 MiB/,
      answer: (_, response) => {
        response.writeHead(201);
        response.end(" ".repeat(TOO_MUCH));
      },
    },
    {
      name: "the promise of a body over 1 MiB",
      kind: "untrusted",
      message: /larger than 1 MiB/,
      answer: (_, response) => {
        response.writeHead(201, { "content-length": String(TOO_MUCH * 1000) });
        response.write("{");
      },
    },
    {
      name: "a small body that unpacks to over 1 MiB",
      kind: "untrusted",
      message: /larger than 1 MiB/,
      answer: async (_, response) => {
        const packed = new Blob([" ".repeat(TOO_MUCH)]).stream()
          .pipeThrough(new CompressionStream("gzip"));
        const bytes = await new Response(packed).bytes();
        response.writeHead(201, { "content-encoding": "gzip" });
        response.end(bytes);
      },
    },
    {
      name: "the right answer for another request",
      kind: "untrusted",
      message: /key/i,
      answer: async (request, response) => {
        const { stdout } = await run("openssl", [
          ...["req", "-new", "-key", pki.server.keyFile, "-subj", "/CN=a"],
        ]);
        const body = JSON.stringify({ csr: stdout });
        await rightAnswer(pki)({ ...request, body }, response);
      },
    },
  ];
}

function wrongStatuses(): readonly WrongAnswer[] {
  const redirects = [301, 302, 303, 307, 308].map((status): WrongAnswer => ({
    name: `a redirect with status ${status}`,
    kind: "untrusted",
    message: new RegExp(`HTTP ${status}, a redirect to evil\\.example`),
    answer: (_, response) => {
      response.writeHead(status, { location: "https://evil.example/rekey" });
      response.end();
    },
  }));
  const refusals = [
    [400, "refused"],
    [401, "refused"],
    [403, "refused"],
    [404, "refused"],
    [429, "unreachable"],
    [500, "unreachable"],
    [501, "unreachable"],
    [503, "unreachable"],
  ] as const;
  return [
    ...redirects,
    ...refusals.map(([status, kind]): WrongAnswer => ({
      name: `a refusal with status ${status}`,
      kind,
      message: /^no, because\.$/,
      answer: (_, response) =>
        sendJson(response, { status, message: "no, because." }, status),
    })),
    {
      name: "a refusal without message",
      kind: "refused",
      message: /HTTP 401/,
      answer: (_, response) => sendJson(response, { status: 401 }, 401),
    },
    {
      name: "a refusal with control characters",
      kind: "refused",
      message: /^one two \[31mred/,
      answer: (_, response) =>
        sendJson(response, { message: "one\r\ntwo\x1b[31mred\u202e" }, 403),
    },
    {
      name: "HTML with status 502",
      kind: "unreachable",
      message:
        /failed decoding CA error response: invalid character '<' looking for beginning of value/,
      answer: (_, response) => {
        response.writeHead(502, { "content-type": "text/html" });
        response.end("<html><h1>Bad Gateway</h1></html>");
      },
    },
    {
      name: "an empty refusal",
      kind: "refused",
      message: /failed decoding CA error response: EOF/,
      answer: (_, response) => {
        response.writeHead(403);
        response.end();
      },
    },
    {
      name: "a refusal over 1 MiB",
      kind: "unreachable",
      message: /failed decoding CA error response/,
      answer: (_, response) => {
        response.writeHead(503);
        response.end("x".repeat(2 * TOO_MUCH));
      },
    },
  ];
}

/** What a socket can do wrong. */
function wrongConnections(): readonly WrongAnswer[] {
  const socketOf = (response: ServerResponse) => response.socket as TLSSocket;
  const cut = (name: string, answer: Answer): WrongAnswer => ({
    name,
    kind: "unreachable",
    message: /client POST https:\/\/.*\/rekey failed: /,
    needsSockets: true,
    answer,
  });
  return [
    cut("the end of the connection before an answer", (_, response) => {
      socketOf(response).destroy();
    }),
    cut("the end of the connection in the headers", (_, response) => {
      socketOf(response).write("HTTP/1.1 201 Cre", () => {
        socketOf(response).destroy();
      });
    }),
    cut("the end of the connection in the body", (_, response) => {
      response.writeHead(201, { "content-length": "1000" });
      response.write('{"crt":"', () => socketOf(response).destroy());
    }),
    cut("an answer that is not HTTP", (_, response) => {
      socketOf(response).write("220 mail.example ESMTP\r\n", () => {
        socketOf(response).destroy();
      });
    }),
    { ...cut("no answer at all", () => {}), slow: true },
    {
      ...cut("headers and then nothing", (_, response) => {
        response.writeHead(201, { "content-length": "1000" });
        response.write("{");
      }),
      slow: true,
    },
    {
      ...cut("one byte at a time for ever", (_, response) => {
        response.writeHead(201);
        const timer = setInterval(() => response.write(" "), 20);
        response.once("close", () => clearInterval(timer));
      }),
      slow: true,
    },
  ];
}
