/**
 * The program started again by itself, for what cannot be undone in a process:
 * the runtime has loaded roots of its own, because it downloaded modules, or
 * because the start took so long that it looked for a newer Deno first; or it
 * writes the secrets of its connections into the file of SSLKEYLOGFILE.
 *
 * The second process has the same arguments, environment, directory and
 * streams. This one hands signals on, and messages to the service manager,
 * which believes its main process only; it ends with the code of the other.
 */
import { procFile } from "../../base/proc_file.ts";
import { KEY_LOG } from "../../ca/online/trust.ts";

/** Keeps the runtime from looking for a newer Deno. */
const NO_UPDATE_CHECK = "DENO_NO_UPDATE_CHECK";

/** Those that end the program, and what a terminal or a supervisor sends besides. */
const SIGNALS = ["SIGHUP", "SIGINT", "SIGTERM", "SIGQUIT"] as const;

/**
 * Runs the program again, to its end.
 *
 * @param variable is set for the second process: JSON of the variables
 *   that were changed for it, with their values before
 * @returns its exit code; undefined when nobody says how this process was
 *   started, or another cannot be
 */
export async function startAgain(
  variable: string,
): Promise<number | undefined> {
  const args = runtimeArguments();
  if (args === undefined) return undefined;
  const changed: Record<string, string> = { [NO_UPDATE_CHECK]: "1" };
  // Empty, it would be complained of.
  if (Deno.env.get(KEY_LOG)) changed[KEY_LOG] = "/dev/null";
  const before = Object.fromEntries(
    Object.keys(changed).map((name) => [name, Deno.env.get(name) ?? null]),
  );
  using relay = relayNotifications(Deno.env.get("NOTIFY_SOCKET"));
  let child: Deno.ChildProcess;
  try {
    // Before there is a listener: an ignored SIGHUP (nohup) is inherited.
    child = new Deno.Command(Deno.execPath(), {
      args: [...args],
      env: {
        ...changed,
        ...relay.env,
        [variable]: JSON.stringify(before),
      },
      stdin: "inherit",
      stdout: "inherit",
      stderr: "inherit",
    }).spawn();
  } catch {
    // Whatever keeps it from starting, the first problem is the one to report.
    return undefined;
  }
  for (const name of SIGNALS) {
    Deno.addSignalListener(name, () => signal(child, name));
  }
  return (await child.status).code;
}

function signal(child: Deno.ChildProcess, name: Deno.Signal): void {
  try {
    child.kill(name);
  } catch (error) {
    // It has ended, and so does this process.
    if (!(error instanceof TypeError)) throw error;
  }
}

/** What the runtime was called with, its own flags included. */
function runtimeArguments(): readonly string[] | undefined {
  if (Deno.build.standalone) return Deno.args;
  if (Deno.build.os !== "linux") return undefined;
  try {
    return procFile("self/cmdline").split("\0").slice(1, -1);
  } catch {
    // No /proc, or no permission for any way to it.
    return undefined;
  }
}

interface Relay extends Disposable {
  /** What the second process has to find. */
  readonly env: Readonly<Record<string, string>>;
}

/** Passes on what comes to a socket of its own. */
function relayNotifications(socket: string | undefined): Relay {
  const none: Relay = { env: {}, [Symbol.dispose]: () => {} };
  if (!socket) return none;
  const name = `step-rekey-${crypto.randomUUID()}`;
  let connection: Deno.DatagramConn;
  try {
    connection = Deno.listenDatagram({
      transport: "unixpacket",
      path: `\0${name}`,
    });
  } catch {
    // A runtime without such sockets: NotifyAccess=all is needed then.
    return none;
  }
  const path = socket.replace(/^@/, "\0");
  const passOn = async () => {
    for await (const [message] of connection) {
      await connection.send(message, { transport: "unixpacket", path });
    }
  };
  // A manager that cannot be reached must not end the work.
  passOn().catch(() => {});
  return {
    // Without a pid the pings of any process are meant.
    env: { NOTIFY_SOCKET: `@${name}`, WATCHDOG_PID: "" },
    [Symbol.dispose]: () => connection.close(),
  };
}
