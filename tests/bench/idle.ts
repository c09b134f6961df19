/** What daemons hold while they wait, all at the same time, read from /proc. */
import type { Program, Row } from "./bench.ts";

/** Until a daemon has settled, in ms: the runtime's idle threads end after 10 s. */
const SETTLE_MS = 15_000;

/** Starts the daemons, looks at them once they wait, ends them. */
export async function measureIdle(
  contestants: readonly Program[],
  env: Readonly<Record<string, string>>,
): Promise<readonly Row[]> {
  const running = contestants.map((
    { name, command: [program = "", ...args] },
  ) => ({
    name,
    child: new Deno.Command(program, {
      args,
      env: { ...env },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn(),
  }));
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  const rows = running.map(({ name, child: { pid } }) => ({
    name,
    samples: [{
      residentMiB: fieldMiB(pid, "Rss"),
      // Not Private_*: that counts the pages of a program that runs once, too.
      privateMiB: fieldMiB(pid, "Anonymous"),
    }],
  }));
  for (const { name, child } of running) {
    child.kill("SIGTERM");
    const { code } = await child.status;
    if (code !== 0) throw new Error(`${name} ended with ${code}`);
  }
  return rows;
}

function fieldMiB(pid: number, field: string): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(text)?.[1]) / 1024;
}
