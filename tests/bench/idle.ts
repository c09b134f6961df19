/**
 * What daemons cost while they wait: all of them at the same time, read from
 * /proc.
 */

/** One waiting daemon. */
export interface IdleSample {
  readonly name: string;
  readonly seconds: number;
  readonly rssMiB: number;
  /** Memory that no other process shares. */
  readonly privateMiB: number;
  readonly cpuMsPerMinute: number;
}

/** Until a daemon has settled, in ms. */
const SETTLE_MS = 5_000;

/** How long they are watched, in ms: two slices of the wait and more. */
const WATCH_MS = 150_000;

/** Kernel ticks of CPU time in a second (USER_HZ). */
const TICKS = 100;

/** Starts the daemons, watches them wait, ends them. */
export async function measureIdle(
  contestants: readonly {
    readonly name: string;
    readonly command: readonly string[];
  }[],
  env: Readonly<Record<string, string>>,
): Promise<readonly IdleSample[]> {
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
  await pause(SETTLE_MS);
  const before = running.map(({ child }) => cpuMs(child.pid));
  await pause(WATCH_MS);
  const samples = running.map(({ name, child: { pid } }, index) => ({
    name,
    seconds: WATCH_MS / 1000,
    rssMiB: fieldMiB(pid, "Rss"),
    privateMiB: fieldMiB(pid, "Private_Dirty") + fieldMiB(pid, "Private_Clean"),
    cpuMsPerMinute: (cpuMs(pid) - (before[index] ?? NaN)) * 60_000 / WATCH_MS,
  }));
  for (const { name, child } of running) {
    child.kill("SIGTERM");
    const { code } = await child.status;
    if (code !== 0) throw new Error(`${name} ended with ${code}`);
  }
  return samples;
}

function fieldMiB(pid: number, field: string): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(text)?.[1]) / 1024;
}

/** User and system time: fields 14 and 15 of proc(5) stat. */
function cpuMs(pid: number): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 1000 / TICKS;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
