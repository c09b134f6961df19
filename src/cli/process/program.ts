/**
 * What the command line touches outside itself: environment, output, and the
 * engine. Tests pass their own; {@linkcode denoProgram} is the real one.
 */
import { RekeyError } from "../../base/errors.ts";
import type {
  LayoutOptions,
  RekeyOptions,
  RollbackOptions,
} from "../../base/options.ts";
import { osReason } from "../../base/os_error.ts";
import { writeText } from "./write_text.ts";

/** A stream of text for people. Never throws because the reader went away. */
export interface TextSink {
  write(text: string): void;
  isTerminal(): boolean;
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
  /**
   * Runs one certificate's rekey to its end. Listens to signals itself.
   *
   * @throws {RekeyError} of any kind
   */
  rekey(options: RekeyOptions): Promise<void>;
  /** Puts the pair before in force again. @throws {RekeyError} of any kind */
  rollback(options: RollbackOptions): Promise<void>;
  /** Changes how a pair stands on disk. @throws {RekeyError} of any kind */
  changeLayout(options: LayoutOptions): Promise<void>;
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
      // cryptography library (aws-lc-rs #1140), on a thread of its own: paid
      // here, it hides behind the reading of settings and files. The key is
      // thrown away; if this fails, the real one will say why.
      crypto.subtle.generateKey(
        { name: "ECDSA", namedCurve: "P-256" },
        true,
        ["sign", "verify"],
      ).catch(() => {});
    },
    async rekey(options) {
      // First of all: what is loaded next takes a tenth of a second, in which a
      // signal would end the process in the system's way.
      const { processSignals } = await import("./process_signals.ts");
      const signals = processSignals(options.mode.run);
      if (options.authority.mode === "online") {
        // Then the trust, before anything else in the process can use TLS: half
        // a second after the start `deno run` looks for a newer Deno.
        const { pinTrust } = await import("../../ca/online/trust.ts");
        pinTrust("--root");
      }
      const [{ runRekey }, { denoRuntime }] = await Promise.all([
        import("./job.ts"),
        import("./deno_runtime.ts"),
      ]);
      const runtime = denoRuntime({
        run: options.mode.run,
        file: options.output.certificate,
        format: options.logFormat,
      });
      await runRekey(options, runtime, signals);
    },
    async rollback(options) {
      const [{ runRollback }, { denoRuntime }] = await Promise.all([
        import("./job.ts"),
        import("./deno_runtime.ts"),
      ]);
      await runRollback(
        options,
        denoRuntime({
          run: "once",
          file: options.pair.certificate,
        }),
      );
    },
    async changeLayout(options) {
      const [{ runChangeLayout }, { denoRuntime }] = await Promise.all([
        import("./job.ts"),
        import("./deno_runtime.ts"),
      ]);
      await runChangeLayout(
        options,
        denoRuntime({
          run: "once",
          file: options.pair.certificate,
        }),
      );
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
