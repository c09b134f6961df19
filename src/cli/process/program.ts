/**
 * What the command line touches outside itself: environment, output, and the
 * engine. Tests pass their own; {@linkcode denoProgram} is the real one.
 */
import { RekeyError } from "../../base/errors.ts";
import { osReason } from "../../base/os_error.ts";

/** A stream of text for people. Never throws because the reader went away. */
export interface TextSink {
  write(text: string): void;
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
  readonly stderr: TextSink;
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
  return {
    env: (name) => Deno.env.get(name),
    cwd: currentDirectory,
    stdout: textSink(Deno.stdout),
    stderr: textSink(Deno.stderr),
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

function textSink(
  stream: typeof Deno.stdout | typeof Deno.stderr,
): TextSink {
  return {
    write(text) {
      try {
        writeText(stream, text);
      } catch (error) {
        // Nobody can be told that telling failed.
        if (stream === Deno.stderr) return;
        throw new RekeyError(
          "install",
          `write to standard output failed: ${osReason(error)}`,
          { cause: error },
        );
      }
    },
    isTerminal: () => stream.isTerminal(),
  };
}

/** A stream that writes at once; part of the bytes at a time, perhaps. */
export interface SyncWriter {
  writeSync(bytes: Uint8Array): number;
}

/**
 * Writes all of `text`. A reader that went away is no failure:
 * `step-rekey --help | head -1` is fine.
 *
 * @throws the system's error for anything else, such as a full disk
 */
export function writeText(stream: SyncWriter, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let done = 0; done < bytes.length;) {
      done += stream.writeSync(bytes.subarray(done));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
