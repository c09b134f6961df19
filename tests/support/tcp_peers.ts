/**
 * Peers on loopback that go wrong below HTTP.
 */
/** Something that listens until it is disposed of. */
export interface Peer extends AsyncDisposable {
  readonly port: number;
}

/** A TCP server that handles each connection as told. */
export function tcpPeer(
  handle: (connection: Deno.TcpConn) => Promise<void>,
): Peer {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const running = serve(listener, handle);
  return {
    port: listener.addr.port,
    async [Symbol.asyncDispose]() {
      listener.close();
      await running;
    },
  };
}

async function serve(
  listener: Deno.TcpListener,
  handle: (connection: Deno.TcpConn) => Promise<void>,
): Promise<void> {
  const handled: Promise<void>[] = [];
  for await (const connection of listener) {
    handled.push(handleOne(connection, handle));
  }
  await Promise.all(handled);
}

async function handleOne(
  connection: Deno.TcpConn,
  handle: (connection: Deno.TcpConn) => Promise<void>,
): Promise<void> {
  try {
    using _connection = connection;
    await handle(connection);
  } catch (error) {
    // The other side goes away in the middle: that is what is being tested.
    if (!(error instanceof Error)) throw error;
  }
}

/**
 * Where Linux takes no port from for a socket that names none; above 10080,
 * which fetch refuses (the Fetch standard's list of bad ports).
 */
const FIRST_PORT = 11_000;
const EPHEMERAL_PORT = 32_768;

/**
 * A port on which nothing listens, and that no connection or listener of
 * another test gets by chance before the caller's server listens there.
 */
export function closedPort(): number {
  for (;;) {
    const port = FIRST_PORT +
      Math.floor(Math.random() * (EPHEMERAL_PORT - FIRST_PORT));
    try {
      using _listener = Deno.listen({ hostname: "127.0.0.1", port });
      return port;
    } catch (error) {
      if (!(error instanceof Deno.errors.AddrInUse)) throw error;
    }
  }
}

/** Listens, with a full queue, and never accepts: SYNs get no answer. */
const BLACK_HOLE = `
import socket, sys
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(0)
fill = []
for _ in range(4):
    client = socket.socket()
    client.setblocking(False)
    client.connect_ex(listener.getsockname())
    fill.append(client)
print(listener.getsockname()[1], flush=True)
sys.stdin.read()
`;

/** A port that no connection reaches. */
export async function blackHole(): Promise<Peer> {
  return await childPeer("python3", ["-c", BLACK_HOLE]);
}

/** `openssl s_server`, with its own ideas about TLS and client certificates. */
export async function opensslServer(
  args: readonly string[],
): Promise<Peer> {
  const child = new Deno.Command("openssl", {
    args: ["s_server", "-accept", "127.0.0.1:0", "-www", ...args],
    stdin: "null",
    stdout: "piped",
    stderr: "null",
  }).spawn();
  const reader = child.stdout.getReader();
  const decoder = new TextDecoder();
  let said = "";
  let port: string | undefined;
  while (port === undefined) {
    const { value, done } = await reader.read();
    if (done) throw new Error(`openssl s_server ended: ${said}`);
    said += decoder.decode(value, { stream: true });
    // The port that it was given, when it listens.
    port = /^ACCEPT \S+:(\d+)$/m.exec(said)?.[1];
  }
  reader.releaseLock();
  return {
    port: Number(port),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.stdout.cancel();
      await child.status;
    },
  };
}

async function childPeer(
  command: string,
  args: readonly string[],
): Promise<Peer> {
  const child = new Deno.Command(command, {
    args: [...args],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  return {
    port: Number(new TextDecoder().decode(value)),
    async [Symbol.asyncDispose]() {
      child.kill("SIGKILL");
      await child.stdin.abort();
      await child.stdout.cancel();
      await child.status;
    },
  };
}

/**
 * A proxy that answers CONNECT with `status`, and tunnels after 200: to the port
 * that was asked for, or to `leadTo`.
 */
export function connectProxy(
  status: string,
  leadTo?: number,
): Peer & { readonly heads: readonly string[] } {
  const heads: string[] = [];
  const peer = tcpPeer(async (connection) => {
    const buffer = new Uint8Array(4096);
    const size = await connection.read(buffer) ?? 0;
    const head = new TextDecoder().decode(buffer.subarray(0, size));
    heads.push(head);
    await connection.write(
      new TextEncoder().encode(`HTTP/1.1 ${status}\r\n\r\n`),
    );
    const port = /^CONNECT \S+:(\d+) /.exec(head)?.[1];
    if (!status.startsWith("200") || port === undefined) return;
    // Whatever name was asked for: everything is on this machine.
    const target = await Deno.connect({ port: leadTo ?? Number(port) });
    await Promise.allSettled([
      target.readable.pipeTo(connection.writable),
      connection.readable.pipeTo(target.writable),
    ]);
  });
  return { ...peer, heads };
}
