/**
 * `deno task soak`: a daemon's life in minutes.
 *
 * 1,000 cycles of the real daemon, in one process, against the real step-ca, by
 * a clock that skips the waits. The heap is kept small by the flags that the
 * compiled program has: else V8 sees no reason to collect at several rekeys a
 * second, and what is alive cannot be told from what is not. Fails unless resident memory, file descriptors,
 * threads and files on disk stay flat. `--cycles=N` sets the length; `--json`
 * prints the samples for a test.
 */
import { createReadings, type Reading } from "../tests/support/readings.ts";
import { buildAnchors } from "./anchors.ts";
import { makeJob } from "../src/cli/process/job.ts";
import { connectServiceManager } from "../src/daemon/service_manager.ts";
import { runDaemon } from "../src/daemon/loop.ts";
import type { RekeyOptions } from "../src/base/options.ts";
import type { LogEvent, Runtime } from "../src/base/runtime.ts";
import { startStepCa } from "../tests/support/step_ca.ts";
import { runLine } from "../tests/support/command_line.ts";
import { noTerminal } from "../tests/support/fake_terminal.ts";
import { tempDir } from "../tests/support/temp_dir.ts";

/** Samples of a run, the first after the first tenth of it. */
const SAMPLES = 20;
/** How much memory may grow from the middle of a run to its end, as a share. */
const MEMORY_GROWTH = 0.1;

async function main(args: readonly string[]): Promise<number> {
  const cycles = Number(
    args.find((word) => word.startsWith("--cycles="))?.slice(9) ?? "1000",
  );
  const missing = await buildAnchors();
  if (missing !== undefined) throw new Error(missing);
  await using directory = await tempDir();
  await Deno.mkdir(directory.file("ca"));
  // So that every temporary file that is counted is of this run.
  await Deno.mkdir(directory.file("temporary"));
  Deno.env.set("TMPDIR", directory.file("temporary"));
  await using ca = await startStepCa(directory.file("ca"));
  const pair = await ca.issue("soak.example", "admin");
  const folder = pair.certificateFile.replace(/\/[^/]*$/, "");
  const begin = performance.now();
  const { options } = await runLine([
    "ca",
    "rekey",
    "--daemon",
    "--ca-url",
    ca.url,
    "--root",
    ca.rootFile,
    pair.certificateFile,
    pair.keyFile,
  ]);
  if (options === undefined) throw new Error("the command line is refused");
  const samples = await live(cycles, folder, options);
  const seconds = (performance.now() - begin) / 1000;
  if (args.includes("--json")) {
    console.log(JSON.stringify(samples));
  } else report(samples, { cycles, seconds });
  const faults = faultsOf(samples);
  for (const fault of faults) console.error(fault);
  return faults.length === 0 ? 0 : 1;
}

/** Runs the daemon until it has rekeyed so often. */
async function live(
  cycles: number,
  folder: string,
  options: RekeyOptions,
): Promise<readonly Reading[]> {
  const stop = new AbortController();
  const readings = createReadings(folder);
  const samples: Reading[] = [];
  const state = { skippedMs: 0, cycle: 0 };
  const runtime: Runtime = {
    clock: {
      now: () => new Date(Date.now() + state.skippedMs),
      sleep(ms) {
        state.skippedMs += ms;
        return Promise.resolve();
      },
    },
    random: Math.random,
    terminal: noTerminal(),
    log: { write: (event) => observe(event) },
  };
  function observe(event: LogEvent): void {
    if (event.event === "failed" || event.event === "warning") {
      throw new Error(JSON.stringify(event));
    }
    if (event.event !== "rekeyed") return;
    // The CA's clock did not skip anything.
    state.skippedMs = 0;
    state.cycle++;
    if (state.cycle % Math.ceil(cycles / SAMPLES) === 0) {
      samples.push(readings.read(state.cycle));
    }
    if (state.cycle >= cycles) stop.abort(new Error("enough"));
  }
  await using service = connectServiceManager(
    {
      socket: undefined,
      watchdogUsec: undefined,
      watchdogPid: undefined,
      runtimeDirectory: undefined,
      pid: Deno.pid,
    },
    () => {},
  );
  const job = await makeJob(options, { ...runtime, flushLog: async () => {} });
  await runDaemon(job, runtime, {
    signals: { stop: stop.signal, wake: () => NEVER, clearWake: () => {} },
    service,
    endsBy: "failures",
    started: () => {},
  });
  return samples;
}

const NEVER = new AbortController().signal;

/** What is not flat. The first tenth is warm-up. */
function faultsOf(samples: readonly Reading[]): readonly string[] {
  const warm = samples.slice(Math.ceil(samples.length / 10));
  const early = warm.slice(0, Math.ceil(warm.length / 2));
  const late = warm.slice(Math.ceil(warm.length / 2));
  const most = (of: readonly Reading[], key: keyof Reading) =>
    Math.max(...of.map((sample) => sample[key]));
  const faults: string[] = [];
  for (const key of ["descriptors", "threads", "files"] as const) {
    const [before, after] = [most(early, key), most(late, key)];
    if (after > before) faults.push(`${key} grew from ${before} to ${after}`);
  }
  const [before, after] = [most(early, "rssMiB"), most(late, "rssMiB")];
  if (after > before * (1 + MEMORY_GROWTH)) {
    faults.push(
      `memory grew from ${before.toFixed(1)} to ${after.toFixed(1)} MiB`,
    );
  }
  return faults;
}

function report(
  samples: readonly Reading[],
  run: { readonly cycles: number; readonly seconds: number },
): void {
  console.log("| cycle | RSS MiB | descriptors | threads | files |");
  console.log("| --- | --- | --- | --- | --- |");
  for (const { cycle, rssMiB, descriptors, threads, files } of samples) {
    console.log(
      `| ${cycle} | ${
        rssMiB.toFixed(1)
      } | ${descriptors} | ${threads} | ${files} |`,
    );
  }
  console.log(`${run.cycles} cycles in ${run.seconds.toFixed(0)} s`);
}

if (import.meta.main) Deno.exit(await main(Deno.args));
