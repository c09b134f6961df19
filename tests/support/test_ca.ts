/**
 * A CA on loopback that answers as a test says: real TLS, real client
 * certificates, any answer.
 *
 * Needs a Deno whose node:https asks for client certificates (2.9; on 2.7 the
 * server never sees one). The program under test may be another process.
 */
import { createServer } from "node:https";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { TLSSocket } from "node:tls";
import { OpensslCa, type OpensslPair } from "./openssl_ca.ts";

/** The subject and the names of the certificate to rekey. */
export const HOST = {
  subject: "/CN=host.example",
  names: "DNS:host.example,IP:10.1.2.3",
} as const;

/** Root, intermediate, the CA's own certificate, and the pair to rekey. */
export interface TestPki {
  readonly directory: string;
  readonly root: OpensslCa;
  readonly intermediate: OpensslCa;
  readonly server: OpensslPair;
  /** Its certificate file holds leaf and intermediate. */
  readonly host: OpensslPair;
}

/** Makes one in `directory`; the caller removes it. */
export async function makeTestPki(directory: string): Promise<TestPki> {
  const root = await OpensslCa.root(`${directory}/root`, "Test Root");
  const intermediate = await root.subordinate(`${directory}/intermediate`, {
    subject: "/CN=Test Intermediate",
    basicConstraints: "critical,CA:TRUE,pathlen:0",
  });
  const server = await intermediate.issue("server", {
    subject: "/CN=ca.example",
    names: "DNS:localhost,IP:127.0.0.1",
  });
  const leaf = await intermediate.issue("host", HOST);
  const certificate = leaf.certificate + intermediate.certificate;
  await Deno.writeTextFile(leaf.certificateFile, certificate);
  const host = { ...leaf, certificate };
  return { directory, root, intermediate, server, host };
}

/** What came in. */
export interface ReceivedRequest {
  readonly method: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly body: string;
  /** DER of the client's leaf; undefined when none was sent. */
  readonly clientCertificate: Uint8Array | undefined;
}

/** Answers one request, in any way the socket allows. */
export type Answer = (
  request: ReceivedRequest,
  response: ServerResponse,
) => void | Promise<void>;

/** A running server. */
export interface TestCa extends AsyncDisposable {
  /** `https://127.0.0.1:<port>` */
  readonly url: string;
  readonly port: number;
  readonly requests: readonly ReceivedRequest[];
}

/** Starts one with the certificate of `pki.server`, or another one. */
export async function startTestCa(
  pki: TestPki,
  answer: Answer,
  server: Pick<OpensslPair, "certificate" | "key"> = {
    key: pki.server.key,
    certificate: pki.server.certificate + pki.intermediate.certificate,
  },
): Promise<TestCa> {
  const requests: ReceivedRequest[] = [];
  const listener = createServer({
    key: server.key,
    cert: server.certificate,
    ca: [pki.root.certificate, pki.intermediate.certificate],
    requestCert: true,
    rejectUnauthorized: false,
  }, async (incoming, response) => {
    const request = await receive(incoming);
    requests.push(request);
    await answer(request, response);
  });
  const port = await new Promise<number>((resolve, reject) => {
    listener.once("error", reject);
    listener.listen(0, "127.0.0.1", () => {
      const address = listener.address();
      if (typeof address === "object" && address) resolve(address.port);
    });
  });
  return {
    url: `https://127.0.0.1:${port}`,
    port,
    requests,
    async [Symbol.asyncDispose]() {
      const closed = new Promise((resolve) => listener.close(resolve));
      listener.closeAllConnections();
      await closed;
    },
  };
}

async function receive(incoming: IncomingMessage): Promise<ReceivedRequest> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  const socket = incoming.socket as TLSSocket;
  // An empty object when the client sent none.
  const peer = socket.getPeerCertificate?.(false);
  return {
    method: incoming.method ?? "",
    path: incoming.url ?? "",
    headers: incoming.headers as Record<string, string | undefined>,
    body: new TextDecoder().decode(concat(chunks)),
    clientCertificate: peer?.raw,
  };
}

function concat(chunks: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(chunks.flatMap((chunk) => [...chunk]));
}

/** The CSR of a request, as PEM. */
export function csrOf(request: ReceivedRequest): string {
  return JSON.parse(request.body).csr;
}

/** Sends JSON with a status. */
export function sendJson(
  response: ServerResponse,
  value: unknown,
  status = 201,
): void {
  response.writeHead(status, { "content-type": "application/json" });
  response.end(JSON.stringify(value));
}

/** As step-ca answers: leaf, intermediate. */
export function rightAnswer(pki: TestPki): Answer {
  return async (request, response) => {
    const leaf = await pki.intermediate.sign(csrOf(request), HOST);
    const ca = pki.intermediate.certificate;
    sendJson(response, {
      crt: leaf,
      ca,
      certChain: [leaf, ca],
      tlsOptions: { minVersion: 1.2, maxVersion: 1.3, renegotiation: false },
    });
  };
}
