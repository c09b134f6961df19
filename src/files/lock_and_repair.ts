/**
 * How every use of a pair begins: alone, and after a repair.
 */
import type { RekeyOptions } from "../options.ts";
import type { Runtime } from "../runtime.ts";
import { recoverInstall } from "./install.ts";
import { installTargets } from "./install_targets.ts";
import { lockPair } from "./pair_lock.ts";

/**
 * Locks the files that a pass writes, and repairs what a crash left. Disposing
 * releases them.
 *
 * @throws {RekeyError} kinds `busy` and `install`; what `signal` aborts with
 */
export async function lockAndRepair(
  options: Pick<RekeyOptions, "newKey" | "output" | "write">,
  { clock, log, signal }: Pick<Runtime, "clock" | "log"> & {
    readonly signal: AbortSignal;
  },
): Promise<AsyncDisposable> {
  const targets = installTargets(options);
  // Two processes on one pair would each install half of theirs.
  await using undo = new AsyncDisposableStack();
  const timeoutMs = options.write.lockTimeoutMs;
  undo.use(await lockPair(targets, { timeoutMs, clock, signal }));
  // A run killed between the two renames left a journal: finish or undo it.
  const recovery = await recoverInstall(targets);
  if (recovery.kind !== "none") log.write({ event: "repaired", recovery });
  return undo.move();
}
