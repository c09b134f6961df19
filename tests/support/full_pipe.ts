/**
 * A real pipe that is full: each write to it waits until somebody reads.
 */
import { runOk } from "./run.ts";

/** The pipe. Disposing it ends every write to it. */
export interface FullPipe extends Disposable {
  /** A name of it, for a redirection. */
  readonly file: string;
  /** Reads on until `text` was read; all that was written behind the filling. */
  readUntil(text: string): Promise<string>;
}

/** Makes one at `file`. */
export async function fullPipe(file: string): Promise<FullPipe> {
  await runOk("mkfifo", [file]);
  // For both, so that neither opening nor writing wants another process.
  const pipe = await Deno.open(file, { read: true, write: true });
  // Ends when a write would block.
  await runOk("sh", [
    "-c",
    `dd if=/dev/zero of='${file}' bs=4096 count=1024 oflag=nonblock 2>&1 | grep -q "temporarily unavailable"`,
  ]);
  let read = "";
  return {
    file,
    async readUntil(text) {
      const buffer = new Uint8Array(16_384);
      while (!read.includes(text)) {
        const count = await pipe.read(buffer) ?? 0;
        read += new TextDecoder().decode(buffer.subarray(0, count))
          .replaceAll("\0", "");
      }
      return read;
    },
    [Symbol.dispose]: () => pipe.close(),
  };
}

/** `sh` words that start what follows with its output redirected. */
export function redirected(
  { stdout, stderr }: {
    readonly stdout?: FullPipe | undefined;
    readonly stderr?: FullPipe | undefined;
  },
): readonly string[] {
  const out = stdout === undefined ? "" : `>'${stdout.file}'`;
  const err = stderr === undefined ? "" : `2>'${stderr.file}'`;
  return ["sh", "-c", `exec "$0" "$@" ${out} ${err}`];
}
