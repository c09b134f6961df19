/**
 * A program on a real pseudo-terminal, and a person in front of it.
 */
import { run } from "./run.ts";

/** What the person does: wait for a text, type, or send a signal (`SIGTERM`). */
export type TerminalStep = readonly ["expect" | "send" | "signal", string];

/** What came of it. */
export interface TerminalSession {
  /** All that the terminal showed. */
  readonly output: string;
  /** As a shell gives it. */
  readonly status: number;
  /** Whether the terminal echoed, at each `expect`. */
  readonly echo: readonly boolean[];
  /** Whether its modes at the end are those of the start. */
  readonly restored: boolean;
}

/** Whether there is a Python to drive one. Tests that need it are ignored elsewhere. */
export const CAN_DRIVE_TERMINAL: boolean = await run("python3", [
  "-c",
  "import fcntl, termios, os; os.waitstatus_to_exitcode",
]).then(({ code }) => code === 0, () => false);

/** Runs `command` on a new terminal; `redirect` lists descriptors that are not on it. */
export async function onTerminal(
  command: readonly string[],
  steps: readonly TerminalStep[],
  { redirect = [] }: { readonly redirect?: readonly number[] } = {},
): Promise<TerminalSession> {
  const driver = decodeURIComponent(
    new URL("pty_driver.py", import.meta.url).pathname,
  );
  const { code, stdout, stderr } = await run("python3", [driver], {
    stdin: JSON.stringify({ command, steps, redirect }),
  });
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout);
}
