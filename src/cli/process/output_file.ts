/**
 * The one file that a command writes, asked about on the terminal.
 */
import { openSingleFile, type SingleFile } from "../../files/single_file.ts";
import type { Runtime } from "../../base/runtime.ts";
import { singleRun } from "./deno_runtime.ts";
import type { Program } from "./program.ts";

export interface OutputFileOptions {
  /** As of {@linkcode openSingleFile}. */
  readonly mode?: number | undefined;
  readonly isForced: boolean;
}

/** A file that may be written, and who can be asked for more. */
export interface OutputFile extends SingleFile {
  readonly runtime: Runtime;
  readonly signal: AbortSignal;
}

export interface AnswerOptions {
  /** Undefined: standard output. */
  readonly out: string | undefined;
  /** Of a new file; only asked for one. */
  readonly mode?: () => Promise<number>;
  readonly isForced: boolean;
  /** What to say about it. */
  saved(out: string): string;
}

/**
 * Writes bytes where they are wanted.
 *
 * @returns the exit code
 * @throws {RekeyError} as `openSingleFile`
 */
export async function writeAnswer(
  bytes: Uint8Array,
  { out, mode, isForced, saved }: AnswerOptions,
  program: Program,
): Promise<number> {
  if (out === undefined) {
    program.writeBytes(bytes);
    return 0;
  }
  const file = await openOutputFile(
    out,
    { mode: await mode?.(), isForced },
    program,
  );
  await file.write(bytes);
  program.stderr.write(`${saved(out)}\n`);
  return 0;
}

/** @throws {RekeyError} as `openSingleFile` */
export async function openOutputFile(
  path: string,
  { mode, isForced }: OutputFileOptions,
  program: Program,
): Promise<OutputFile> {
  const { signal, ...runtime } = singleRun(path, program);
  const overwrite = isForced ? "without asking" : "ask";
  const file = await openSingleFile(path, { mode, overwrite, runtime, signal });
  return { write: (content) => file.write(content), runtime, signal };
}
