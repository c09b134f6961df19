/**
 * The program as a child that goes on: its lines as they come, signals to it.
 */
import { program, type ProgramCommand } from "./program.ts";

/** A running daemon. Disposing it kills it. */
export interface RunningProgram extends AsyncDisposable {
  /** Waits for a line of standard output or error that contains `text`. */
  says(text: string): Promise<string>;
  kill(signal: Deno.Signal): void;
  readonly pid: number;
  /** All that it said so far. */
  readonly text: string;
  /** The exit code. */
  readonly ended: Promise<number>;
}

/**
 * A program that goes on for so long is killed, so that no test hangs; on a busy
 * machine a start alone may take 13 s.
 */
const LIMIT_MS = 300_000;

/** Starts the program with `args`. */
export function startProgram(
  args: readonly string[],
  options: {
    readonly cwd: string;
    readonly env: Readonly<Record<string, string>>;
    /** Words before the program's own (`unshare`). */
    readonly under?: readonly string[];
    /** Another one than the program of the other tests. */
    readonly own?: ProgramCommand;
    /** Another limit than five minutes. */
    readonly limitMs?: number;
  },
): RunningProgram {
  const { under = [], own = program() } = options;
  const [command = own.command, ...before] = [
    ...under,
    own.command,
    ...own.args,
  ];
  const child = new Deno.Command(command, {
    args: [...before, ...args],
    cwd: options.cwd,
    env: { ...options.env },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const limit = setTimeout(
    () => child.kill("SIGKILL"),
    options.limitMs ?? LIMIT_MS,
  );
  const said = { text: "", at: 0 };
  const news = { changed: Promise.withResolvers<void>() };
  const collect = async (stream: ReadableStream<Uint8Array<ArrayBuffer>>) => {
    for await (const text of stream.pipeThrough(new TextDecoderStream())) {
      said.text += text;
      news.changed.resolve();
      news.changed = Promise.withResolvers();
    }
  };
  const drained = Promise.all([collect(child.stdout), collect(child.stderr)]);
  const ended = child.status.then(async ({ code }) => {
    clearTimeout(limit);
    await drained;
    news.changed.resolve();
    return code;
  });
  const state = { isEnded: false };
  ended.then(() => state.isEnded = true);
  return {
    async says(text) {
      while (true) {
        const found = said.text.indexOf(text, said.at);
        if (found >= 0) {
          const end = said.text.indexOf("\n", found);
          said.at = found + text.length;
          return said.text.slice(found, end < 0 ? undefined : end);
        }
        if (state.isEnded) throw new Error(`it ended: ${said.text}`);
        await Promise.race([news.changed.promise, ended]);
      }
    },
    kill: (signal) => child.kill(signal),
    pid: child.pid,
    get text() {
      return said.text;
    },
    ended,
    async [Symbol.asyncDispose]() {
      if (!state.isEnded) child.kill("SIGKILL");
      await ended;
    },
  };
}
