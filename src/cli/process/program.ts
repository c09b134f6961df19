/**
 * What the command line touches outside itself: environment, output, and the
 * engine. Tests pass their own; {@linkcode denoProgram} is the real one.
 */
import { RekeyError } from "../../base/errors.ts";
import { osReason } from "../../base/os_error.ts";
import { KEY_LOG, pinTrust } from "../../ca/online/trust.ts";
import type { Speaker } from "../remedies.ts";
import { calledAs, PROGRAM, type StepName } from "./called_as.ts";
import { type LossText, OutputQueue } from "./output_queue.ts";

/** A stream of text for people. Never throws because the reader went away. */
export interface TextSink {
  /**
   * Takes whole lines.
   *
   * @param loss for lines of a log, which may be dropped when nobody reads, and
   *   hold up nothing
   */
  write(text: string, loss?: LossText): void;
  isTerminal(): boolean;
  /** Characters in a line of the terminal, if it is one and says so. */
  columns(): number | undefined;
}

/** A command whose line is right. */
export interface Runnable<Options> {
  readonly path: readonly string[];
  readonly flags: Speaker["flags"];
  run(options: Options, program: Program): Promise<number>;
}

/**
 * Why a process must not talk to a CA: it has loaded roots that nobody named,
 * or the runtime has opened the file of SSLKEYLOGFILE at its start.
 */
export type TrustProblem = "other roots" | "secrets are logged";

/** The injected part of the command line. */
export interface Program {
  /** A variable of the environment. */
  env(name: string): string | undefined;
  /** The name that the program was called by, where it is the original's. */
  calledAs(): StepName | undefined;
  /** The directory that relative paths start from; empty when it is gone. */
  cwd(): string;
  readonly stdout: TextSink;
  /** Bytes on standard output, all of them, for another program. */
  writeBytes(bytes: Uint8Array): void;
  /** Never holds up who writes to it. */
  readonly stderr: TextSink;
  /**
   * Makes the roots of the CA the only ones that this process trusts, and sees
   * that nobody reads along. To be called as early as possible, and again
   * before the CA is asked.
   *
   * @returns why it is too late for this process
   */
  pinTrust(): TrustProblem | undefined;
  /**
   * Runs the same command line in a process of its own, to its end.
   *
   * @returns its exit code; undefined when that cannot be done, or was done
   */
  startAgain(): Promise<number | undefined>;
  /** Waits until all that was written is out, for at most `limitMs`. */
  flush(limitMs: number): Promise<void>;
  /** Who gives hints: the command that runs, once one does. */
  readonly speaker: Speaker;
  /**
   * Runs a command to its end.
   *
   * @returns the exit code
   * @throws {RekeyError} of any kind
   */
  execute<Options>(
    command: Runnable<Options>,
    options: Options,
  ): Promise<number>;
}

/** The real program. */
export interface DenoProgram extends Program {
  /**
   * Begins what takes longest, when these words are those of such a command, as
   * far as that can be told before the grammar is read. A guess that is wrong
   * costs time and nothing else. Returns at once.
   *
   * @returns whether a pair is to be replaced, and all of that may be loaded
   */
  beginEarly(words: readonly string[]): boolean;
}

/** For the process, once. */
export function denoProgram(): DenoProgram {
  const out = new OutputQueue(Deno.stdout);
  const err = new OutputQueue(Deno.stderr);
  const state = { isPinned: false, isSecondStart: false };
  return {
    env: (name) => Deno.env.get(name),
    calledAs,
    cwd: currentDirectory,
    stdout: {
      write(text, loss) {
        // What a command is there to print waits for its reader, as anywhere.
        if (loss === undefined) print(new TextEncoder().encode(text));
        else out.write(text, loss);
      },
      isTerminal: () => Deno.stdout.isTerminal(),
      columns: () => columnsOf(Deno.stdout),
    },
    writeBytes: print,
    stderr: {
      write: (text, loss) => err.write(text, loss),
      isTerminal: () => Deno.stderr.isTerminal(),
      columns: () => columnsOf(Deno.stderr),
    },
    async flush(limitMs) {
      await Promise.all([out.flush(limitMs), err.flush(limitMs)]);
    },
    pinTrust() {
      state.isSecondStart ||= takeSecondStart();
      // A second start has it back for its hooks, and did not begin with it.
      const isLogged = !state.isSecondStart && Boolean(Deno.env.get(KEY_LOG));
      state.isPinned ||= pinTrust();
      if (!state.isPinned) return "other roots";
      return isLogged ? "secrets are logged" : undefined;
    },
    async startAgain() {
      if (state.isSecondStart) return undefined;
      const { startAgain } = await import("./second_start.ts");
      return await startAgain(SECOND_START);
    },
    beginEarly(words) {
      const isEarly = words.some((word, index) =>
        EARLY_COMMANDS.includes(word) ||
        // Elsewhere it is a group of commands that ask nobody.
        (word === "certificate" && words[index - 1] === "ca")
      );
      if (!isEarly || words.some(asksForHelp)) return false;
      // A daemon that starts makes no key for hours, and would hold 2 MB more.
      if (!words.includes("--daemon")) seed();
      pinBeforeWaiting(this);
      // Without that right, who needs it says so.
      const { state } = Deno.permissions.querySync({ name: "read" });
      return state === "granted" &&
        words.some((word) => word === "rekey" || word === "renew");
    },
    speaker: { name: PROGRAM, flags: {} },
    execute(command, options) {
      const { flags } = command;
      const name = calledAs() ?? PROGRAM;
      return command.run(options, { ...this, speaker: { name, flags } });
    },
  };
}

/** The last words of commands that ask a CA, for which TLS has to be seeded, too. */
const EARLY_COMMANDS: readonly string[] = [
  ...["rekey", "renew", "token", "revoke"],
  ...["bootstrap", "federation", "health", "root", "roots"],
];

/** Of such a line nothing is begun: help must do without permissions. */
function asksForHelp(word: string): boolean {
  return /^(?:--?)?h(?:elp)?$/.test(word);
}

/**
 * The first P-256 key of a process costs 25 to 50 ms of seeding inside the
 * cryptography library (aws-lc-rs #1140), on a thread of its own: so it hides
 * behind all that comes before the new key. This one is thrown away; if it
 * fails, the real one will say why.
 */
function seed(): void {
  crypto.subtle.generateKey(
    { name: "ECDSA", namedCurve: "P-256" },
    true,
    ["sign", "verify"],
  ).catch(() => {});
}

/**
 * Half a second after its start `deno run` looks for a newer Deno, and then it
 * is too late. What fails here fails again, with a message, where the trust is
 * needed.
 */
function pinBeforeWaiting(program: Program): void {
  try {
    program.pinTrust();
  } catch (error) {
    // No permission for the environment.
    if (!(error instanceof Deno.errors.NotCapable)) throw error;
  }
}

/**
 * Set in a process that this program started in its own place: JSON of the
 * variables that were changed for it, with their values before.
 */
const SECOND_START = "STEP_REKEY_SECOND_START";

/**
 * Whether this process is a second start. The environment is as the first one
 * found it afterwards, for hooks.
 */
function takeSecondStart(): boolean {
  try {
    const before = Deno.env.get(SECOND_START);
    if (before === undefined) return false;
    Deno.env.delete(SECOND_START);
    const variables: Readonly<Record<string, string | null>> = JSON.parse(
      before,
    );
    for (const [name, value] of Object.entries(variables)) {
      if (value === null) Deno.env.delete(name);
      else Deno.env.set(name, value);
    }
    return true;
  } catch (error) {
    // A second start has the permission that the first one needed.
    if (error instanceof Deno.errors.NotCapable) return false;
    throw error;
  }
}

function currentDirectory(): string {
  try {
    return Deno.cwd();
  } catch {
    // Removed, or not to be read: only used to compare paths as text, and the
    // files themselves are compared later.
    return "";
  }
}

function columnsOf(
  stream: typeof Deno.stdout | typeof Deno.stderr,
): number | undefined {
  try {
    return stream.isTerminal() ? Deno.consoleSize().columns : undefined;
  } catch {
    // It has no size, or asks none of the three streams.
    return undefined;
  }
}

/** Whether a terminal wants codes (no-color.org; terminfo's `dumb` has none). */
export function takesCodes(
  sink: Pick<TextSink, "isTerminal">,
  env: (name: string) => string | undefined,
): boolean {
  return sink.isTerminal() && !env("NO_COLOR") && env("TERM") !== "dumb";
}

/**
 * Writes all of `bytes` to standard output. A reader that went away is no
 * failure: `step-rekey --help | head -1` is fine.
 *
 * @throws {RekeyError} kind `install` for anything else, such as a full disk
 */
function print(bytes: Uint8Array): void {
  try {
    for (let done = 0; done < bytes.length;) {
      done += Deno.stdout.writeSync(bytes.subarray(done));
    }
  } catch (error) {
    if (error instanceof Deno.errors.BrokenPipe) return;
    throw new RekeyError(
      "install",
      `write to standard output failed: ${osReason(error)}`,
      { cause: error },
    );
  }
}
