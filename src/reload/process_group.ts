/**
 * A program with all that it starts, so that all of it can be ended.
 *
 * On Unix the program leads a session of its own (setsid(2)), and with it a
 * process group: a signal to the group reaches its children too. Only a child
 * that makes another session on purpose is beyond reach. The session has no
 * controlling terminal. So Ctrl-C reaches this process alone, which then ends
 * the group; a program whose standard input is a terminal may read it without
 * being stopped as a background job (SIGTTIN); and it cannot open /dev/tty.
 *
 * What a program leaves running when it ends by itself is never touched.
 */
import { pause } from "../base/stoppable.ts";

export interface GroupOptions {
  readonly args: readonly string[];
  /** In addition to the environment of this process. */
  readonly env?: Readonly<Record<string, string>> | undefined;
}

/** A running program. Standard input, output, error and directory are those of this process. */
export interface ProcessGroup {
  readonly status: Promise<Deno.CommandStatus>;
  /**
   * Ends the program and its descendants: SIGTERM at once, and SIGKILL for
   * whoever is left when `grace` resolves. Resolves when all are gone.
   */
  end(grace: Promise<void>): Promise<void>;
}

/** How often to look whether a group has gone, in ms. */
const POLL_MS = 20;

/** Longest wait for what was killed, in ms: it may hang in the kernel, or never be reaped. */
const KILLED_MS = 100;

const IS_UNIX = Deno.build.os !== "windows";

/** @throws what Deno.Command throws when it cannot be started */
export function startGroup(
  program: string,
  { args, env = {} }: GroupOptions,
): ProcessGroup {
  const child = new Deno.Command(program, {
    args: [...args],
    env: { ...env },
    stdin: "inherit",
    stdout: "inherit",
    stderr: "inherit",
    detached: IS_UNIX,
  }).spawn();
  return {
    status: child.status,
    async end(grace) {
      let isOver = false;
      const over = grace.then(() => isOver = true);
      signalGroup(child, "SIGTERM");
      while (!isOver && signalGroup(child, 0)) {
        await Promise.race([over, pause(POLL_MS)]);
      }
      signalGroup(child, "SIGKILL");
      const end = performance.now() + KILLED_MS;
      while (performance.now() < end && signalGroup(child, 0)) {
        await pause(POLL_MS);
      }
    },
  };
}

/** False when no process is left, or none that this one may signal. */
function signalGroup(
  child: Deno.ChildProcess,
  signal: "SIGTERM" | "SIGKILL" | 0,
): boolean {
  try {
    try {
      Deno.kill(IS_UNIX ? -child.pid : child.pid, signal);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotCapable)) throw error;
      // With --allow-run for this program only, its own process can be ended.
      if (signal !== 0) child.kill(signal);
    }
    return true;
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      // A group of another user's processes, by sudo; on macOS, of zombies.
      error instanceof Deno.errors.PermissionDenied ||
      // The program has ended, and the runtime knows.
      error instanceof TypeError
    ) return false;
    throw error;
  }
}
