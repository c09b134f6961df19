/**
 * One GET to a server that proves nothing, for what proves itself: a root
 * certificate whose digest is known.
 *
 * Nothing that this returns may be believed, and nothing secret may be sent.
 */
import { RekeyError } from "../../base/errors.ts";
import { isOsError } from "../../base/os_error.ts";
import { throwIfStopped } from "../authority.ts";
import { requestFailed, type TimedRequest, totalLimit } from "./connection.ts";
import { type HttpReply, readBody } from "./tls_post.ts";
import { transportError } from "./transport_error.ts";
import { createPinnedClient, environmentProxy } from "./trust.ts";

/**
 * Reads the whole answer. Redirects are not followed.
 *
 * fetch cannot leave a certificate unverified, and node:tls can: fetch talks to a
 * port of this process, which passes all on into such a connection.
 *
 * @throws {RekeyError} kinds `unreachable`, `untrusted` for an answer that is too
 *   large, `config` where it would have to go through a proxy, `interrupted`
 */
export async function getUnverified(request: TimedRequest): Promise<HttpReply> {
  const { url, signal } = request;
  if (environmentProxy(url) !== undefined) {
    throw new RekeyError(
      "config",
      requestFailed(request, "it cannot go through the proxy of HTTPS_PROXY"),
      { hint: `NO_PROXY=${url.hostname} goes around it` },
    );
  }
  throwIfStopped(signal, "the CA answered");
  using limit = totalLimit(request);
  try {
    using bridge = await openBridge(url, limit.signal);
    using client = createPinnedClient({ caCerts: [], allowHost: true });
    const response = await fetch(bridge.local, {
      client,
      headers: { "Host": url.host, "User-Agent": "step-rekey" },
      redirect: "manual",
      signal: limit.signal,
    });
    const { status, headers } = response;
    return { status, headers, body: await readBody(response, request) };
  } catch (error) {
    throwIfStopped(signal, "the CA answered");
    if (limit.signal.aborted) throw limit.signal.reason;
    if (error instanceof RekeyError) throw error;
    throw transportError(error, {
      ...request,
      proxy: undefined,
      root: "",
      clientCertificateHint: "the server asks for a client certificate",
    });
  }
}

type TlsSocket = import("node:tls").TLSSocket;

/** A port of this process that leads to the server. Disposing closes all. */
interface Bridge extends Disposable {
  readonly local: URL;
}

async function openBridge(url: URL, signal: AbortSignal): Promise<Bridge> {
  using undo = new DisposableStack();
  const socket = await connect(url, signal);
  undo.defer(() => socket.destroy());
  const listener = undo.use(Deno.listen({ hostname: "127.0.0.1", port: 0 }));
  // fetch reports what an end of either side means.
  pass(socket, listener).catch(() => undefined);
  const local = new URL(url);
  local.protocol = "http:";
  local.host = `127.0.0.1:${listener.addr.port}`;
  const all = undo.move();
  return { local, [Symbol.dispose]: () => all.dispose() };
}

/** Joins the server with the first client, until either ends. */
async function pass(
  socket: TlsSocket,
  listener: Deno.TcpListener,
): Promise<void> {
  const received = receivedFrom(socket);
  const client = await listener.accept();
  await Promise.allSettled([
    client.readable.pipeTo(sendingTo(socket)),
    received.pipeTo(client.writable),
    // fetch of Deno 2.7.11 tries again when it got no answer.
    listener.accept().then((again) => again.close()),
  ]);
}

/**
 * What the server says, until it ends. By hand: the stream that
 * `Duplex.toWeb` makes of this socket does not end with it, and gives a buffer
 * that is used again (Deno 2.7.11). So it is never paused, either: what waits
 * inside the socket would be in that buffer.
 */
function receivedFrom(socket: TlsSocket): ReadableStream<Uint8Array> {
  let isWanted = true;
  return new ReadableStream({
    start(controller) {
      const end = () => {
        if (isWanted) controller.close();
        isWanted = false;
        socket.destroy();
      };
      socket.on("data", (bytes: Uint8Array) => {
        if (isWanted) controller.enqueue(Uint8Array.from(bytes));
      });
      socket.once("end", end);
      socket.once("close", end);
    },
    cancel() {
      isWanted = false;
      socket.destroy();
    },
  });
}

function sendingTo(socket: TlsSocket): WritableStream<Uint8Array> {
  return new WritableStream({ write: (bytes) => void socket.write(bytes) });
}

async function connect(url: URL, signal: AbortSignal): Promise<TlsSocket> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = Number(url.port || "443");
  // Of its own: node:tls cannot give up a connection that does not come about.
  (await dial(host, port, signal)).close();
  const { connect } = await import("node:tls");
  const { promise, resolve, reject } = Promise.withResolvers<TlsSocket>();
  const socket = connect({
    host,
    port,
    rejectUnauthorized: false,
    // Without a list, Deno 2.9 fails where its own store is empty.
    ca: [],
    ALPNProtocols: ["http/1.1"],
  });
  socket.once("secureConnect", () => resolve(socket));
  // Also after it is connected: without a listener it would end the process.
  socket.on("error", reject);
  socket.once("close", () => reject(new Error("tls handshake eof")));
  const stop = () => reject(signal.reason);
  signal.addEventListener("abort", stop, { once: true });
  try {
    return await promise;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener("abort", stop);
  }
}

async function dial(
  hostname: string,
  port: number,
  signal: AbortSignal,
): Promise<Deno.TcpConn> {
  try {
    return await Deno.connect({ hostname, port, signal });
  } catch (error) {
    if (!(error instanceof Error) || !isOsError(error)) throw error;
    // As fetch says it: of an error with a cause, the cause counts.
    throw new Error(`tcp connect error: ${error.message}`);
  }
}
