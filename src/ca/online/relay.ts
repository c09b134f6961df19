/**
 * A way for fetch over a connection of our own: an HTTP proxy (CONNECT) inside
 * of this process, as fetch takes no address and no connection. TLS is still
 * between fetch and the CA, with the CA's name.
 */

/** Largest request of a client that is read, in bytes. */
const MAX_HEAD = 8192;

/** A proxy for one client. Disposing closes all. */
export interface Relay extends Disposable {
  /** With a password: others on this machine see the port too. */
  readonly url: string;
}

/** Whoever connects with its password is connected with `target`, whatever it asks for. */
export function openRelay(target: Deno.TcpConn): Relay {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const password = crypto.randomUUID();
  const clients: Deno.TcpConn[] = [];
  const serve = async () => {
    for await (const client of listener) {
      clients.push(client);
      serveClient(client, target, password).catch(ignoreClosed);
    }
  };
  serve().catch(ignoreClosed);
  return {
    url: `http://relay:${password}@127.0.0.1:${listener.addr.port}`,
    [Symbol.dispose]() {
      for (const each of [listener, target, ...clients]) close(each);
    },
  };
}

async function serveClient(
  client: Deno.TcpConn,
  target: Deno.TcpConn,
  password: string,
): Promise<void> {
  const head = await readHead(client);
  const [, given] = /^proxy-authorization: basic (.*)\r$/im.exec(head) ?? [];
  if (given !== btoa(`relay:${password}`)) {
    close(client);
    return;
  }
  await client.write(new TextEncoder().encode("HTTP/1.1 200 OK\r\n\r\n"));
  await Promise.allSettled([
    client.readable.pipeTo(target.writable),
    target.readable.pipeTo(client.writable),
  ]);
  // fetch of Deno 2.7.11 comes again when the CA has closed without an answer.
  close(client);
}

/** The client says nothing more before it has an answer. */
async function readHead(client: Deno.TcpConn): Promise<string> {
  const buffer = new Uint8Array(MAX_HEAD);
  let size = 0;
  let head = "";
  while (!head.endsWith("\r\n\r\n") && size < MAX_HEAD) {
    const count = await client.read(buffer.subarray(size));
    if (count === null) return "";
    size += count;
    head = new TextDecoder().decode(buffer.subarray(0, size));
  }
  return head;
}

/** The streams close what they belong to as well. */
function close(resource: { close(): void }): void {
  try {
    resource.close();
  } catch (error) {
    ignoreClosed(error);
  }
}

/** The end of one side; fetch reports what it means for the request. */
function ignoreClosed(error: unknown): void {
  if (!(error instanceof Error)) throw error;
}
