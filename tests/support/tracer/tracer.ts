/**
 * Runs a program under the tracer that tracer.c is: the list of its calls that
 * change files in given directories, and one fault at one of them.
 *
 * A caller must ask {@linkcode Trace.hit}: a fault that was not done proves
 * nothing.
 */
import { cacheDirectory, fromFileUrl } from "../../../scripts/paths.ts";
import { run, runOk, type RunResult } from "../run.ts";

/** What is done at one point; see tracer.c. */
export type Action =
  | "list"
  | "kill-before"
  | "kill-after"
  | `signal:${number}`
  | `fail:${number}:${"once" | "on" | "same"}`
  | `short:${number}`;

/** One call that changes files, as the tracer's log has it. */
export interface Point {
  /** From 1, over all threads. */
  readonly point: number;
  readonly call: string;
  /** Real path of what it changes. */
  readonly path: string;
  /** New name of a rename or link; what a symbolic link says. */
  readonly second?: string;
  readonly flags?: number;
  /** The number behind the path: a mode, a length, an owner. */
  readonly mode?: number;
  /** Of a change of owner. */
  readonly group?: number;
  /** Device and number of the file behind a file descriptor. */
  readonly inode?: string;
  readonly directory?: boolean;
  /** Where a write goes. */
  readonly offset?: number;
  /** What it was to write, in hexadecimal. */
  readonly data?: string;
  /** A negative error number when it failed; absent when it was not made. */
  readonly result?: number;
  /** The action, where it was done. */
  readonly hit?: string;
}

/** How a traced program ended. */
export interface Trace extends RunResult {
  readonly points: readonly Point[];
  /** The point at which the action was first done. */
  readonly hit: Point | undefined;
}

/** What to trace, and how. */
export interface TraceOptions {
  readonly directories: readonly string[];
  /** 0 or left out: only list. */
  readonly point?: number;
  readonly action?: Action;
  readonly env?: Readonly<Record<string, string>>;
  /** Where the log may stand: outside of the directories. */
  readonly log: string;
}

/** Numbers of the errors that are injected (Linux, errno(3)). */
export const ERRNO = {
  EINTR: 4,
  EIO: 5,
  EACCES: 13,
  ENOSPC: 28,
  EROFS: 30,
  EDQUOT: 122,
} as const;

const SOURCE = fromFileUrl(new URL("tracer.c", import.meta.url));

const tracer = await buildTracer();

/** Why nothing can be traced here; undefined when it can, and on CI. */
export const tracerMissing: string | undefined =
  Deno.env.get("CI") === "true" || tracer.program !== undefined
    ? undefined
    : tracer.reason;

/** Compiled once per source, into the per-user cache. */
async function buildTracer(): Promise<
  { readonly program?: string; readonly reason: string }
> {
  if (Deno.build.target !== "x86_64-unknown-linux-gnu") {
    return { reason: "the tracer knows Linux on x86-64 only" };
  }
  const source = await Deno.readFile(SOURCE);
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", source));
  const directory = `${cacheDirectory()}/tracer`;
  const program = `${directory}/${digest.toHex().slice(0, 16)}`;
  try {
    await Deno.mkdir(directory, { recursive: true });
    if (!await Deno.stat(program).then(() => true, () => false)) {
      const made = `${program}.${crypto.randomUUID()}`;
      await runOk("gcc", ["-O2", "-Wall", "-Wextra", "-o", made, SOURCE]);
      // Test files run at once: whoever is last replaces the same by the same.
      await Deno.rename(made, program);
    }
    const log = await Deno.makeTempFile();
    const { code, stderr } = await run(program, [
      ...[log, "/nowhere", "0", "list", "true"],
    ]);
    await Deno.remove(log);
    return code === 0 ? { program, reason: "" } : { reason: stderr.trim() };
  } catch (error) {
    return { reason: String(error) };
  }
}

/** Runs `command` to its end, which the action may bring about. */
export async function trace(
  command: readonly string[],
  options: TraceOptions,
): Promise<Trace> {
  if (tracer.program === undefined) throw new Error(tracer.reason);
  const { log, directories, env, point = 0, action = "list" } = options;
  const result = await run(tracer.program, [
    ...[log, directories.join(":"), String(point), action],
    ...command,
  ], { ...(env && { env }) });
  const lines = (await Deno.readTextFile(log)).trimEnd().split("\n");
  // The last line only says how it ended.
  const points: Point[] = lines.slice(0, -1).map((line) => JSON.parse(line));
  return { ...result, points, hit: points.find((point) => point.hit) };
}

/** A point in words, for a test that fails. */
export function describePoint({ point, call, path, second }: Point): string {
  const names = [path, second].filter((name) => name !== undefined)
    .map((name) => name.slice(name.lastIndexOf("/") + 1));
  return `point ${point}, ${call} ${names.join(" -> ")}`;
}
