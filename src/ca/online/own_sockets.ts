/**
 * The TCP connections of this process, as Linux lists them.
 *
 * fetch does not tell how far it is, and a request that was sent must never be
 * sent again. So the kernel is asked: a socket that is still connecting has
 * carried nothing.
 */
import { isOsError } from "../../base/os_error.ts";

export interface OwnSocket {
  /** Its number in the kernel; no other socket has it while this one is open. */
  readonly inode: string;
  readonly localPort: number;
  /** Its peer has not answered yet (SYN_SENT). */
  readonly isConnecting: boolean;
}

/** TCP_SYN_SENT of the kernel's include/net/tcp_states.h, as /proc prints it. */
const SYN_SENT = "02";

/**
 * The sockets of this process whose peer has the port `remotePort`.
 *
 * Not one thing of this process can happen between the call and what its caller
 * does without waiting.
 *
 * @returns undefined where the system does not tell: another system, no /proc,
 *   or a runtime without `--allow-all`, which alone opens it
 */
export function ownSockets(
  remotePort: number,
): readonly OwnSocket[] | undefined {
  if (Deno.build.os !== "linux") return undefined;
  try {
    const own = ownInodes();
    return ["tcp", "tcp6"].flatMap(readTable)
      .filter((row) => row.remotePort === remotePort && own.has(row.inode));
  } catch (error) {
    if (isOsError(error)) return undefined;
    throw error;
  }
}

function ownInodes(): ReadonlySet<string> {
  const inodes = new Set<string>();
  for (const { name } of Deno.readDirSync("/proc/self/fd")) {
    const inode = /^socket:\[(\d+)\]$/.exec(linkOf(name))?.[1];
    if (inode !== undefined) inodes.add(inode);
  }
  return inodes;
}

/** The listing holds the descriptor of the listing itself, which is gone. */
function linkOf(descriptor: string): string {
  try {
    return Deno.readLinkSync(`/proc/self/fd/${descriptor}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

interface Row extends OwnSocket {
  readonly remotePort: number;
}

/** Columns: number, local and remote address, state, five others, inode (proc_pid_net(5)). */
function readTable(name: string): readonly Row[] {
  return tableText(`/proc/self/net/${name}`).split("\n").slice(1)
    .flatMap((line) => {
      const [, local, remote, state, , , , , , inode] = line.trim().split(
        /\s+/,
      );
      if (local === undefined || remote === undefined || inode === undefined) {
        return [];
      }
      return [{
        inode,
        localPort: portOf(local),
        remotePort: portOf(remote),
        isConnecting: state === SYN_SENT,
      }];
    });
}

/** Without IPv6 there is no `tcp6`. */
function tableText(path: string): string {
  try {
    return Deno.readTextFileSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
}

/** `0100007F:1F90`. */
function portOf(address: string): number {
  return parseInt(address.slice(address.lastIndexOf(":") + 1), 16);
}
