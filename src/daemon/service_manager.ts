/**
 * Messages to systemd (sd_notify(3)): ready, reloading, stopping, a status line,
 * and the pings of its watchdog.
 *
 * Datagrams to $NOTIFY_SOCKET, sent by this process itself, so that
 * `NotifyAccess=main` is enough. Where the runtime cannot send them (abstract
 * sockets before Deno 2.9, no --unstable-net), `systemd-notify` does, which
 * needs `NotifyAccess=all`. A message must never end or delay the work.
 */
import { isOsError, osReason } from "../base/os_error.ts";
import { procFile } from "../base/proc_file.ts";
import { printable } from "../base/printable.ts";
import { pause } from "../base/stoppable.ts";

/** The variables that systemd sets for a service. */
export interface NotifyEnvironment {
  /** NOTIFY_SOCKET: a path, or `@` and a name in Linux's abstract space. */
  readonly socket: string | undefined;
  /** WATCHDOG_USEC: microseconds without a ping before a restart. */
  readonly watchdogUsec: string | undefined;
  /** WATCHDOG_PID: the process that has to send the pings. */
  readonly watchdogPid: string | undefined;
  /** RUNTIME_DIRECTORY: where this service may write. */
  readonly runtimeDirectory: string | undefined;
  readonly pid: number;
}

/** The manager of this service; without one everything does nothing. */
export interface ServiceManager extends AsyncDisposable {
  /** Time between two pings, in ms; undefined without a watchdog. */
  readonly pingMs: number | undefined;
  ready(status: string): void;
  reloading(status: string): void;
  status(text: string): void;
  stopping(): void;
  /** Becoming ready may take so long, in ms, from now. */
  extend(ms: number): void;
  ping(): void;
}

/** How long the last messages may take, in ms. */
const LAST_MESSAGES_MS = 300;

/**
 * The manager that the environment names.
 *
 * A message that cannot be sent is lost, and the next one is tried again.
 *
 * @param warn called once, when it cannot be reached
 */
export function connectServiceManager(
  env: NotifyEnvironment,
  warn: (message: string) => void,
): ServiceManager {
  const { socket } = env;
  const messages = socket ? new Messages({ ...env, socket }, warn) : undefined;
  // One after the other: "ready" must not overtake "reloading".
  const send = (...lines: readonly string[]) => messages?.send(lines);
  return {
    pingMs: pingPeriodMs(env),
    ready: (status) => send("READY=1", statusLine(status)),
    reloading: (status) =>
      send("RELOADING=1", ...monotonicTime(), statusLine(status)),
    status: (text) => send(statusLine(text)),
    stopping: () => send("STOPPING=1", "STATUS=stopping"),
    extend: (ms) => send(`EXTEND_TIMEOUT_USEC=${Math.round(ms * 1_000)}`),
    ping: () => send("WATCHDOG=1"),
    [Symbol.asyncDispose]: async () => await messages?.close(),
  };
}

export interface PingOptions {
  readonly service: Pick<ServiceManager, "pingMs" | "ping">;
  readonly limitMs: number;
}

/**
 * The result of `work`, with pings until then, or until it takes longer than
 * `limitMs` and so counts as stuck.
 *
 * The pings belong to one piece of work, since a timer beside the loop would
 * ping for a loop that is stuck.
 */
export async function withPings<T>(
  work: Promise<T>,
  { service, limitMs }: PingOptions,
): Promise<T> {
  const { pingMs } = service;
  if (pingMs === undefined) return await work;
  let pings = Math.floor(limitMs / pingMs);
  service.ping();
  const timer = setInterval(() => {
    if (--pings >= 0) service.ping();
  }, pingMs);
  try {
    return await work;
  } finally {
    clearInterval(timer);
  }
}

type Socket = NotifyEnvironment & { readonly socket: string };

interface Sender {
  send(text: string): Promise<void>;
  close(): void;
}

class Messages {
  readonly #env: Socket;
  readonly #warn: (message: string) => void;
  #last: Promise<void> = Promise.resolve();
  #sender: Sender | undefined;
  #hasWarned = false;
  #isClosed = false;

  constructor(env: Socket, warn: (message: string) => void) {
    this.#env = env;
    this.#warn = warn;
  }

  send(lines: readonly string[]): void {
    this.#last = this.#last.then(() => this.#deliver(lines.join("\n")));
  }

  /** Waits a moment for what is not sent yet. */
  async close(): Promise<void> {
    const over = new AbortController();
    await Promise.race([this.#last, pause(LAST_MESSAGES_MS, over.signal)]);
    over.abort();
    this.#isClosed = true;
    this.#closeSender();
  }

  async #deliver(text: string): Promise<void> {
    if (this.#isClosed) return;
    try {
      this.#sender ??= openSender(this.#env);
      await this.#sender.send(text);
    } catch (error) {
      // Whatever it is: the certificate matters more.
      this.#closeSender();
      if (this.#hasWarned) return;
      this.#hasWarned = true;
      this.#warn(`cannot notify the service manager: ${osReason(error)}`);
    }
  }

  #closeSender(): void {
    this.#sender?.close();
    this.#sender = undefined;
  }
}

/** Half of what is allowed (sd_watchdog_enabled(3)). */
function pingPeriodMs(
  { socket, watchdogUsec = "", watchdogPid, pid }: NotifyEnvironment,
): number | undefined {
  if (!socket || !/^[1-9]\d*$/.test(watchdogUsec)) return undefined;
  if (watchdogPid && watchdogPid !== String(pid)) return undefined;
  return Number(watchdogUsec) / 1000 / 2;
}

/** One line, whatever a message holds. */
function statusLine(text: string): string {
  return `STATUS=${printable(text)}`;
}

/**
 * `Type=notify-reload` ignores an answer that is older than its signal. The
 * runtime has no CLOCK_MONOTONIC. /proc/uptime is CLOCK_BOOTTIME, which is
 * never behind it; its hundredths of a second are cut off, so one is added.
 */
function monotonicTime(): readonly string[] {
  try {
    const [seconds] = procFile("uptime").split(" ");
    const usec = (Math.round(Number(seconds) * 100) + 1) * 10_000;
    return Number.isFinite(usec) ? [`MONOTONIC_USEC=${usec}`] : [];
  } catch (error) {
    // Not Linux, or no permission: plain Type=notify works without.
    if (isOsError(error) || error instanceof Deno.errors.NotCapable) return [];
    throw error;
  }
}

function openSender({ socket, runtimeDirectory }: Socket): Sender {
  const isAbstract = socket.startsWith("@");
  // The runtime sends only from a socket that has a name: any will do.
  const connection = bind(`\0step-rekey-${crypto.randomUUID()}`) ??
    (isAbstract ? undefined : bindFile(runtimeDirectory));
  if (connection === undefined) {
    return { send: (text) => notifyByProgram(socket, text), close: () => {} };
  }
  const path = isAbstract ? `\0${socket.slice(1)}` : socket;
  return {
    async send(text) {
      const bytes = new TextEncoder().encode(text);
      await connection.send(bytes, { transport: "unixpacket", path });
    },
    close: () => connection.close(),
  };
}

function bindFile(runtimeDirectory: string | undefined):
  | Deno.DatagramConn
  | undefined {
  const [dir = ""] = runtimeDirectory?.split(":") ?? [];
  const prefix = "step-rekey-";
  const directory = Deno.makeTempDirSync(
    dir === "" ? { prefix } : { dir, prefix },
  );
  try {
    return bind(`${directory}/notify`);
  } finally {
    // Once bound, it sends without its name.
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Undefined when the runtime has no such function or does not know such an address. */
function bind(path: string): Deno.DatagramConn | undefined {
  try {
    return Deno.listenDatagram({ transport: "unixpacket", path });
  } catch (error) {
    if (error instanceof TypeError) return undefined;
    throw error;
  }
}

async function notifyByProgram(
  socket: string,
  text: string,
): Promise<void> {
  const { success } = await new Deno.Command("systemd-notify", {
    // deno-lint-ignore step-rekey/no-flag-names -- a flag of systemd-notify
    args: ["--no-block", ...text.split("\n")],
    env: { NOTIFY_SOCKET: socket },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn().status;
  if (!success) throw new Error("systemd-notify failed");
}
