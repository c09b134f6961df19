/**
 * strace(1): whether it works here, and what it wrote.
 */
import { run } from "./run.ts";

/** False also where the kernel lets nobody trace. Tests that need it are ignored there. */
export const CAN_TRACE: boolean = Deno.build.os === "linux" &&
  await run("strace", ["-qq", "-o", "/dev/null", "true"])
    .then(({ code }) => code === 0, () => false);

/**
 * The lines of a log of `strace -f`, each with a whole call: where another
 * thread called meanwhile, strace writes `open(… <unfinished ...>` and later
 * `<... open resumed>…) = 3`. Calls that never returned come last.
 */
export function callsOf(log: string): readonly string[] {
  const begun = new Map<string, string>();
  const calls = log.split("\n").flatMap((line) => {
    const [, thread = "", text = ""] = /^(?:(\d+) +)?(.*)$/.exec(line) ?? [];
    const beginning = /^(.*?) *<unfinished \.\.\.>$/.exec(text)?.[1];
    if (beginning !== undefined) {
      begun.set(thread, beginning);
      return [];
    }
    const rest = /^<\.\.\. \S+ resumed>(.*)$/.exec(text)?.[1];
    if (rest === undefined) return [text];
    const whole = (begun.get(thread) ?? "") + rest;
    begun.delete(thread);
    return [whole];
  });
  return [...calls, ...begun.values()];
}
