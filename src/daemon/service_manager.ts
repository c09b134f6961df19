/**
 * What a daemon tells systemd (sd_notify(3)): ready, reloading, stopping, a
 * status line, and that it is alive.
 *
 * Datagrams to $NOTIFY_SOCKET, sent by this process itself, so that
 * `NotifyAccess=main` is enough. Where the runtime cannot send them (abstract
 * sockets before Deno 2.9, no --unstable-net), `systemd-notify` does, which
 * needs `NotifyAccess=all`. Telling must never end or delay the work.
 */
import { isOsError, osReason } from "../base/os_error.ts";
import { printable } from "../base/printable.ts";

/** The variables that systemd sets for a service. */
export interface NotifyEnvironment {
  /** A path, or `@` and a name in Linux's abstract space. */
  readonly socket: string | undefined;
  /** WATCHDOG_USEC: microseconds without a sign of life before a restart. */
  readonly watchdogUsec: string | undefined;
  /** WATCHDOG_PID: the process that has to give it. */
  readonly watchdogPid: string | undefined;
  /** RUNTIME_DIRECTORY: where this service may write. */
  readonly runtimeDirectory: string | undefined;
  readonly pid: number;
}

/** The manager of this service; without one everything does nothing. */
export interface ServiceManager extends AsyncDisposable {
  /** How often a sign of life is due, in ms; undefined when nobody waits for one. */
  readonly beatMs: number | undefined;
  ready(status: string): void;
  reloading(status: string): void;
  status(text: string): void;
  stopping(): void;
  /** Becoming ready may take so long, in ms, from now. */
  extend(ms: number): void;
  beat(): void;
}

/** Sends one datagram. */
type Send = (text: string) => Promise<void>;

/** How long the last words may take, in ms. */
const LAST_WORDS_MS = 300;

/**
 * The manager that the environment names.
 *
 * A message that cannot be sent is lost, and the next one is tried again.
 *
 * @param warn told once, when it cannot be reached
 */
export function connectServiceManager(
  env: NotifyEnvironment,
  warn: (message: string) => void,
): ServiceManager {
  const { socket } = env;
  const state: {
    sender?: Send;
    last: Promise<void>;
    isDeaf: boolean;
    hasWarned: boolean;
  } = {
    last: Promise.resolve(),
    isDeaf: !socket,
    hasWarned: false,
  };
  const open: { stack: DisposableStack } = { stack: new DisposableStack() };

  async function deliver(text: string): Promise<void> {
    if (state.isDeaf || !socket) return;
    try {
      state.sender ??= openSender({ ...env, socket }, open.stack);
      await state.sender(text);
    } catch (error) {
      // Whatever it is: the certificate matters more than who hears of it.
      delete state.sender;
      open.stack.dispose();
      open.stack = new DisposableStack();
      if (state.hasWarned) return;
      state.hasWarned = true;
      warn(`cannot notify the service manager: ${osReason(error)}`);
    }
  }
  // One after the other: "ready" must not overtake "reloading".
  const tell = (...lines: readonly string[]) => {
    if (state.isDeaf) return;
    state.last = state.last.then(() => deliver(lines.join("\n")));
  };
  return {
    beatMs: beatPeriod(env),
    ready: (status) => tell("READY=1", statusLine(status)),
    reloading: (status) =>
      tell("RELOADING=1", ...monotonicTime(), statusLine(status)),
    status: (text) => tell(statusLine(text)),
    stopping: () => tell("STOPPING=1", "STATUS=stopping"),
    extend: (ms) => tell(`EXTEND_TIMEOUT_USEC=${Math.round(ms * 1_000)}`),
    beat: () => tell("WATCHDOG=1"),
    async [Symbol.asyncDispose]() {
      let timer: ReturnType<typeof setTimeout> | undefined;
      const enough = new Promise<void>((resolve) => {
        timer = setTimeout(resolve, LAST_WORDS_MS);
      });
      await Promise.race([state.last, enough]);
      clearTimeout(timer);
      state.isDeaf = true;
      open.stack.dispose();
    },
  };
}

/** Half of what is allowed (sd_watchdog_enabled(3)). */
function beatPeriod(
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
 * For `Type=notify-reload`, which takes no older answer than its signal. The
 * runtime has no CLOCK_MONOTONIC: /proc/uptime is CLOCK_BOOTTIME, which is
 * never behind it, in hundredths of a second, cut off.
 */
function monotonicTime(): readonly string[] {
  try {
    const [seconds] = Deno.readTextFileSync("/proc/uptime").split(" ");
    const usec = (Math.round(Number(seconds) * 100) + 1) * 10_000;
    return Number.isFinite(usec) ? [`MONOTONIC_USEC=${usec}`] : [];
  } catch (error) {
    // Not Linux, or not allowed to: plain Type=notify does without.
    if (isOsError(error) || error instanceof Deno.errors.NotCapable) return [];
    throw error;
  }
}

function openSender(
  { socket, runtimeDirectory }: NotifyEnvironment & { readonly socket: string },
  open: DisposableStack,
): Send {
  const isAbstract = socket.startsWith("@");
  const connection = bindAbstract() ??
    (isAbstract ? undefined : bindFile(runtimeDirectory));
  if (connection === undefined) {
    return (text) => notifyByProgram(socket, text);
  }
  open.defer(() => connection.close());
  const path = isAbstract ? `\0${socket.slice(1)}` : socket;
  return async (text) => {
    await connection.send(new TextEncoder().encode(text), {
      transport: "unixpacket",
      path,
    });
  };
}

/** The runtime sends only from a socket that has a name: any will do. */
function bindAbstract(): Deno.DatagramConn | undefined {
  return bind(`\0step-rekey-${crypto.randomUUID()}`);
}

function bindFile(runtimeDirectory: string | undefined):
  | Deno.DatagramConn
  | undefined {
  const directory = Deno.makeTempDirSync({
    ...runtimeDirectory && { dir: runtimeDirectory.split(":")[0] },
    prefix: "step-rekey-",
  });
  try {
    return bind(`${directory}/notify`);
  } finally {
    // Once bound, it sends without its name.
    Deno.removeSync(directory, { recursive: true });
  }
}

/** Undefined when the runtime cannot: no such function, no such address. */
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
    args: ["--no-block", ...text.split("\n")],
    env: { NOTIFY_SOCKET: socket },
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn().status;
  if (!success) throw new Error("systemd-notify failed");
}
