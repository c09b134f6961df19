/**
 * The operating system's own words for a failed call.
 *
 * Deno decorates them (`No such file or directory (os error 2): open 'x'`);
 * people and scripts know them from strerror(3). Messages name the action and
 * the file themselves.
 */
import { RekeyError } from "./errors.ts";

/** Why a call failed, as strerror(3) says it: `no such file or directory`. */
export function osReason(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  const decorated = /(?:^|: )([^:]*) \(os error \d+\)/.exec(message);
  // Deno.kill: `ESRCH: No such process`. The message about a missing permission
  // of the runtime names the flag that grants it, and stays as it is.
  const reason = decorated?.[1] ?? message.replace(/^E[A-Z]+: /, "");
  return reason.charAt(0).toLowerCase() + reason.slice(1);
}

/** Whether the system, or a permission of the runtime, refused a call. */
export function isOsError(error: unknown): boolean {
  return error instanceof Deno.errors.NotCapable ||
    (error instanceof Error && /\(os error \d+\)/.test(error.message));
}

/** Whether something has that name, as far as this process may know. */
export async function isThere(path: string): Promise<boolean> {
  try {
    await Deno.stat(path);
    return true;
  } catch (error) {
    // Whatever hides it hides it from who would read it.
    if (isOsError(error)) return false;
    throw error;
  }
}

/** The errno name of a failed call (`EXDEV`), where the runtime knows it. */
export function osCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !("code" in error)) return undefined;
  return typeof error.code === "string" ? error.code : undefined;
}

/**
 * Calls again while a signal interrupts the system call.
 *
 * @throws whatever else `call` throws, and the interruption when it never ends
 */
export function retryInterrupted<T>(call: () => T): T {
  for (let attempt = 1;; attempt++) {
    try {
      return call();
    } catch (error) {
      if (!isInterruption(error) || attempt >= MAX_INTERRUPTIONS) throw error;
    }
  }
}

/**
 * Tries to tidy up, twice; false when the system refuses both times. For what
 * harms nobody when it is left undone, and for nothing else.
 */
export function bestEffort(call: () => void): boolean {
  return tryOnce(call) || tryOnce(call);
}

/** The same for what has to wait in between. */
export async function bestEffortOf(
  call: () => Promise<unknown>,
): Promise<boolean> {
  return await tryOnceOf(call) || await tryOnceOf(call);
}

async function tryOnceOf(call: () => Promise<unknown>): Promise<boolean> {
  try {
    await call();
    return true;
  } catch (error) {
    if (error instanceof RekeyError || isOsError(error)) return false;
    throw error;
  }
}

function tryOnce(call: () => void): boolean {
  try {
    retryInterrupted(call);
    return true;
  } catch (error) {
    if (error instanceof RekeyError || isOsError(error)) return false;
    throw error;
  }
}

function isInterruption(error: unknown): boolean {
  return error instanceof Deno.errors.Interrupted;
}

/** More in a row than any working system delivers; a bound, so that nothing spins. */
const MAX_INTERRUPTIONS = 100;
