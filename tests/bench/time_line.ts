/** Where the time of one rekey goes, by the system calls that its stages end with. */
import { callsOf } from "../support/strace.ts";
import type { Program, Sample } from "./table.ts";

/** The first of these calls, by the column of its time. */
const STAGES = {
  lockedMs: /^flock\(.* = 0$/,
  askedMs: /^connect\(.*AF_INET/,
  installedMs: /^rename(?:at2?)?\(/,
  endedMs: /^exit_group\(/,
} as const;

const CALLS = "execve,flock,connect,rename,renameat,renameat2,exit_group";

/**
 * Milliseconds from the start of a program to the end of each stage; NaN where
 * it has no such stage.
 */
export async function timeLine(
  { command }: Program,
  env: Readonly<Record<string, string>>,
): Promise<Sample> {
  const log = await Deno.makeTempFile();
  try {
    const { success } = await new Deno.Command("strace", {
      // --seccomp-bpf: other calls are not held up.
      args: [
        ...["-f", "-qq", "-ttt", "--seccomp-bpf", "-e", `trace=${CALLS}`],
        ...["-o", log, ...command],
      ],
      env: { ...env },
      stdout: "null",
      stderr: "null",
    }).output();
    if (!success) throw new Error(`${command.join(" ")} failed`);
    return stagesOf(await Deno.readTextFile(log));
  } finally {
    await Deno.remove(log);
  }
}

function stagesOf(log: string): Sample {
  const calls = callsOf(log).flatMap((line) => {
    const [, at, call = ""] = /^(\d+\.\d+) (.*)$/.exec(line) ?? [];
    return at === undefined ? [] : [{ at: Number(at) * 1000, call }];
  });
  const start = calls[0]?.at ?? NaN;
  return Object.fromEntries(
    Object.entries(STAGES).map(([column, pattern]) => {
      const end = calls.find(({ call }) => pattern.test(call))?.at ?? NaN;
      return [column, end - start];
    }),
  );
}
