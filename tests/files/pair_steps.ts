/**
 * The steps of a locked pair, each with its own opening of it.
 */
import type {
  InstallOptions,
  Layout,
  Pair,
  Recovery,
} from "../../src/files/transaction.ts";
import { encodePair, open, type PairTexts } from "../support/install_child.ts";

/** An install of texts, and the lock that it needs. */
export interface TestInstall extends Disposable {
  /** With the advice of each left out. */
  readonly warnings: readonly string[];
  commit(contents: PairTexts): Promise<void>;
}

/** Opens the pair and prepares an install, to its end; disposing it releases both. */
export async function prepareInstall(
  files: Pair<string>,
  options: InstallOptions = {},
): Promise<TestInstall> {
  using undo = new DisposableStack();
  const pair = undo.use(await open(files));
  const install = undo.use(await pair.prepareInstall(options));
  await install.settle();
  const held = undo.move();
  return {
    warnings: install.warnings.map(({ message }) => message),
    async commit(contents) {
      await install.commit(encodePair(contents));
    },
    [Symbol.dispose]: () => held.dispose(),
  };
}

/** Repairs the pair, and says what was found. */
export async function recoverInstall(files: Pair<string>): Promise<Recovery> {
  let found: Recovery = { kind: "none" };
  using _pair = await open(files, (recovery) => found = recovery);
  return found;
}

/** Whether there was anything to change. */
export async function changePairLayout(
  files: Pair<string>,
  layout: Layout,
): Promise<boolean> {
  using pair = await open(files);
  return await pair.changeLayout(layout);
}

/** Puts the pair before the current one in force. */
export async function rollBack(files: Pair<string>): Promise<void> {
  using pair = await open(files);
  pair.findPrevious().putBack();
}
