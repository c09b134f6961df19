/**
 * One shell that runs command after command, as a reader types them: what one
 * sets is there for the next.
 */

/** What one command printed, both streams as they came, and how it ended. */
export interface Ran {
  readonly output: string;
  readonly code: number;
}

/** The shell. Disposing it ends it and what it runs. */
export interface Shell extends AsyncDisposable {
  run(command: string): Promise<Ran>;
}

/** A command that takes longer has gone wrong, in ms; the machine may be busy. */
const LIMIT_MS = 60_000;

/** Ends the output of a command; no command prints it. */
const END = "\x1e";

const ENDED = new RegExp(`${END}(\\d+)\n`);

/** @param before words that the shell is started by */
export function startShell(
  [command = "", ...before]: readonly string[],
  env: Readonly<Record<string, string>>,
): Shell {
  const child = new Deno.Command(command, {
    args: [...before, "bash", "--noprofile", "--norc"],
    env: { ...env },
    clearEnv: true,
    stdin: "piped",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const input = child.stdin.getWriter();
  const output = child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  const type = (text: string) => input.write(new TextEncoder().encode(text));
  let pending = "";
  const started = type("exec 2>&1\n");
  return {
    async run(typed) {
      await started;
      // By eval, so that no command reads what is typed after it; the code
      // of the one before is there for `echo $?`.
      const words = `$'${escaped(typed)}'`;
      await type(
        `(exit $code); eval ${words} < /dev/null; code=$?; printf '${END}%d\\n' $code\n`,
      );
      const limit = setTimeout(() => child.kill("SIGKILL"), LIMIT_MS);
      try {
        let end: RegExpExecArray | null;
        while ((end = ENDED.exec(pending)) === null) {
          const { value, done } = await output.read();
          if (done) throw new Error(`no end of ${typed}\n${pending}`);
          pending += value;
        }
        const ran = {
          output: pending.slice(0, end.index),
          code: Number(end[1]),
        };
        pending = pending.slice(end.index + end[0].length);
        return ran;
      } finally {
        clearTimeout(limit);
      }
    },
    async [Symbol.asyncDispose]() {
      await input.close().catch(() => {});
      child.kill("SIGKILL");
      await output.cancel();
      await child.status;
    },
  };
}

/** For `$'…'` of bash. */
function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("'", "\\'")
    .replaceAll("\n", "\\n");
}
