/**
 * An HTTP proxy on loopback that leads every CONNECT to one port.
 */
import { type Peer, tcpPeer } from "./tcp_peers.ts";

/** A proxy, and the hosts that it was asked for. */
export interface ConnectProxy extends Peer {
  readonly asked: readonly string[];
}

/** Leads every tunnel to 127.0.0.1:`port`. */
export function connectProxy(port: number): ConnectProxy {
  const asked: string[] = [];
  const peer = tcpPeer(async (connection) => {
    let head = "";
    const buffer = new Uint8Array(4096);
    while (!head.includes("\r\n\r\n")) {
      const count = await connection.read(buffer);
      if (count === null) return;
      head += new TextDecoder().decode(buffer.subarray(0, count));
    }
    asked.push(head.split(" ")[1] ?? "");
    await connection.write(
      new TextEncoder().encode("HTTP/1.1 200 Connection established\r\n\r\n"),
    );
    const target = await Deno.connect({ hostname: "127.0.0.1", port });
    await Promise.allSettled([
      connection.readable.pipeTo(target.writable),
      target.readable.pipeTo(connection.writable),
    ]);
  });
  return { ...peer, asked };
}
