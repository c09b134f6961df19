/**
 * What a process holds: memory, descriptors, threads, and files that it made.
 */

/** One reading of this process. */
export interface Reading {
  readonly cycle: number;
  readonly rssMiB: number;
  readonly descriptors: number;
  readonly threads: number;
  /** In the directory of the pair, and among the temporary files. */
  readonly files: number;
}

/** Reads this process from /proc. */
export function createReadings(
  directory: string,
): { read(cycle: number): Reading } {
  const temporary = Deno.env.get("TMPDIR") ?? "/tmp";
  return {
    read(cycle) {
      const status = Deno.readTextFileSync("/proc/self/status");
      const number = (name: string) =>
        Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1]);
      return {
        cycle,
        rssMiB: number("VmRSS") / 1024,
        threads: number("Threads"),
        descriptors: count("/proc/self/fd"),
        files: count(directory) + count(temporary),
      };
    },
  };
}

function count(directory: string): number {
  return [...Deno.readDirSync(directory)].length;
}
