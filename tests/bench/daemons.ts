/** What daemons hold and use, read from /proc: while they wait, and at work. */
import type { Program, Row, Sample } from "./table.ts";

/** Until a daemon has settled, in ms: the runtime's idle threads end after 10 s. */
export const SETTLE_MS = 15_000;
/** How long the idle ones are watched then, in ms. */
const WATCH_MS = 20_000;
/** Ticks in a second of what /proc tells of processor time (sysconf(3)). */
const TICKS = 100;

/** Starts the daemons, watches them while they wait, ends them. */
export async function measureIdle(
  daemons: readonly Program[],
  env: Readonly<Record<string, string>>,
): Promise<readonly Row[]> {
  const running = daemons.map((daemon) => start(daemon, env, "null"));
  await pause(SETTLE_MS);
  const before = running.map(({ child }) => cpuMs(child.pid));
  await pause(WATCH_MS);
  const rows = running.map(({ name, child: { pid } }, index) => {
    const usedMs = cpuMs(pid) - (before[index] ?? NaN);
    const cpuMsAMinute = usedMs * 60_000 / WATCH_MS;
    return { name, samples: [{ ...memory(pid), cpuMsAMinute }] };
  });
  for (const daemon of running) await end(daemon);
  return rows;
}

/**
 * Lets daemons rekey again and again, as soon as they may.
 *
 * @param daemons each says "certificate re…" with every new certificate
 */
export async function measureRekeys(
  count: number,
  daemons: readonly Program[],
  env: Readonly<Record<string, string>>,
): Promise<readonly Row[]> {
  return await Promise.all(daemons.map(async (daemon) => {
    const running = start(daemon, env, "piped");
    const { child: { pid, stdout }, name } = running;
    const lines = linesOf(stdout);
    // The first one loads and seeds what the others find there.
    await lines.next();
    const before = cpuMs(pid);
    for (let index = 0; index < count; index++) {
      const { done } = await lines.next();
      if (done) throw new Error(`${name} ended after ${index} rekeys`);
    }
    const cpuMsARekey = (cpuMs(pid) - before) / count;
    const sample: Sample = { ...memory(pid), cpuMsARekey };
    await end(running);
    await lines.return(undefined);
    return { name, samples: [sample] };
  }));
}

interface Running {
  readonly name: string;
  readonly child: Deno.ChildProcess;
}

function start(
  { name, command: [program = "", ...args] }: Program,
  env: Readonly<Record<string, string>>,
  stdout: "null" | "piped",
): Running {
  const child = new Deno.Command(program, {
    args,
    env: { ...env },
    stdin: "null",
    stdout,
    stderr: "null",
  }).spawn();
  return { name, child };
}

async function end({ name, child }: Running): Promise<void> {
  child.kill("SIGTERM");
  const { code } = await child.status;
  if (code !== 0) throw new Error(`${name} ended with ${code}`);
}

/** The lines that tell of a new certificate. */
async function* linesOf(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
): AsyncGenerator<string, void> {
  let rest = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (rest + text).split("\n");
    rest = lines.pop() ?? "";
    yield* lines.filter((line) => / certificate re(?:keyed|newed)/.test(line));
  }
}

function memory(pid: number): Sample {
  return {
    residentMiB: fieldMiB(pid, "Rss"),
    // Not Private_*: that counts the pages of a program that runs once, too.
    privateMiB: fieldMiB(pid, "Anonymous"),
  };
}

function fieldMiB(pid: number, field: string): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`);
  return Number(new RegExp(`^${field}:\\s+(\\d+)`, "m").exec(text)?.[1]) / 1024;
}

/** Of user and system, fields 14 and 15 of proc(5), behind the name in brackets. */
function cpuMs(pid: number): number {
  const text = Deno.readTextFileSync(`/proc/${pid}/stat`);
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 1000 / TICKS;
}

async function pause(ms: number): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, ms));
}
