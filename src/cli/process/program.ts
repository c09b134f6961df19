/**
 * What the command line touches outside itself: environment, output, and the
 * engine. Tests pass their own; {@linkcode denoProgram} is the real one.
 */
import { RekeyError } from "../../base/errors.ts";
import { osReason } from "../../base/os_error.ts";
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
}

/** A command whose line is right. */
export interface Runnable<Options> {
  readonly path: readonly string[];
  run(options: Options, program: Program): Promise<void>;
}

/** The injected part of the command line. */
export interface Program {
  /** A variable of the environment. */
  env(name: string): string | undefined;
  /** The directory that relative paths start from; empty when it is gone. */
  cwd(): string;
  readonly stdout: TextSink;
  /** Never holds up who writes to it. */
  readonly stderr: TextSink;
  /** Waits until all that was written is out, for at most `limitMs`. */
  flush(limitMs: number): Promise<void>;
  /** Starts what takes time and needs no decision. Returns at once. */
  warmUp(): void;
  /** Runs a command to its end. @throws {RekeyError} of any kind */
  execute<Options>(
    command: Runnable<Options>,
    options: Options,
  ): Promise<void>;
}

/** The real program. */
export function denoProgram(): Program {
  const out = new OutputQueue(Deno.stdout);
  const err = new OutputQueue(Deno.stderr);
  return {
    env: (name) => Deno.env.get(name),
    cwd: currentDirectory,
    stdout: {
      write(text, loss) {
        // What a command is there to print waits for its reader, as anywhere.
        if (loss === undefined) print(text);
        else out.write(text, loss);
      },
      isTerminal: () => Deno.stdout.isTerminal(),
    },
    stderr: {
      write: (text, loss) => err.write(text, loss),
      isTerminal: () => Deno.stderr.isTerminal(),
    },
    async flush(limitMs) {
      await Promise.all([out.flush(limitMs), err.flush(limitMs)]);
    },
    warmUp() {
      // The first P-256 key of a process costs 35-50 ms of seeding inside the
      // cryptography library (aws-lc-rs #1140), on a thread of its own: here it
      // hides behind the reading of settings and files. The key is thrown away;
      // if this fails, the real one will say why.
      crypto.subtle.generateKey(
        { name: "ECDSA", namedCurve: "P-256" },
        true,
        ["sign", "verify"],
      ).catch(() => {});
    },
    execute(command, options) {
      return command.run(options, this);
    },
  };
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

/**
 * Writes all of `text` to standard output. A reader that went away is no
 * failure: `step-rekey --help | head -1` is fine.
 *
 * @throws {RekeyError} kind `install` for anything else, such as a full disk
 */
function print(text: string): void {
  const bytes = new TextEncoder().encode(text);
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
