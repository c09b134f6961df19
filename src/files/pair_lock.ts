/**
 * One process per pair, by kernel locks that die with their holder.
 */
import type { InstallTargets } from "./install.ts";

/**
 * Takes the lock of every target.
 *
 * @throws {RekeyError} kind `busy` at once when another process holds one
 */
export function lockPair(_targets: InstallTargets): Promise<AsyncDisposable> {
  throw new Error("contract only");
}
