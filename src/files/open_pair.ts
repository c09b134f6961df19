/**
 * How every use of a pair begins: alone, and after a repair.
 */
import type { KeyPairFiles, RekeyOptions } from "../base/options.ts";
import type { Log, Runtime } from "../base/runtime.ts";
import { type InstallTargets, isPending, recoverInstall } from "./install.ts";
import { installTargets } from "./pair/targets.ts";
import { lockPair } from "./lock/pair_lock.ts";

/** Which pairs there are, and how the one that is written is locked. */
export type RepairOptions = Pick<
  RekeyOptions,
  "input" | "newKey" | "output" | "write"
>;

/**
 * Locks the files that a pass writes, and repairs what a crash left. Disposing
 * releases them.
 *
 * @throws {RekeyError} kinds `busy` and `install`; what `signal` aborts with
 */
export async function lockAndRepair(
  options: RepairOptions,
  { clock, log, signal }: Pick<Runtime, "clock" | "log"> & {
    readonly signal: AbortSignal;
  },
): Promise<AsyncDisposable> {
  const targets = installTargets(options);
  // Two processes on one pair would each install half of theirs.
  await using undo = new AsyncDisposableStack();
  const { lockTimeoutMs: timeoutMs, inPlace } = options.write;
  const lock = { timeoutMs, inPlace, clock, signal };
  // What is only read is only locked while it is repaired.
  if (isOther(options.input, targets) && isPending(options.input)) {
    await using _input = await lockPair(options.input, lock);
    await recover(options.input, log);
  }
  undo.use(await lockPair(targets, lock));
  // A run killed between the two renames left a journal: finish or undo it.
  await recover(targets, log);
  return undo.move();
}

/**
 * Repairs what a crash left, and says so. Call it under the lock.
 *
 * @throws {RekeyError} kind `install`
 */
export async function recover(
  targets: InstallTargets,
  log: Log,
): Promise<void> {
  const recovery = await recoverInstall(targets);
  if (recovery.kind !== "none") log.write({ event: "repaired", recovery });
}

function isOther(input: KeyPairFiles, targets: InstallTargets): boolean {
  return input.certificate !== targets.certificate || input.key !== targets.key;
}
