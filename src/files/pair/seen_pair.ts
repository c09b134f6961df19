/**
 * What stood under the names of a pair when it was read, so that nothing is
 * installed over what somebody else has put there since.
 */
import { formatInstant } from "../../base/duration.ts";
import { RekeyError } from "../../base/errors.ts";
import { bestEffort } from "../../base/os_error.ts";
import { equalBytes } from "../../base/bytes.ts";
import { readBehind, statIfExists } from "../disk/disk.ts";
import { resolveTarget, type Target } from "../disk/target.ts";
import type { HiddenKeys } from "./hidden_keys.ts";
import { membersOf, type Pair } from "../transaction.ts";

/** Nothing was installed: the pair is another one by now. */
export class PairChangedError extends RekeyError {}

/** What an install has to know of the opening of its pair. */
export interface OpenedState {
  readonly seen: SeenPair;
  /** Removes what is not needed any more. */
  readonly hidden: HiddenKeys;
}

type Seen = ReturnType<typeof readBehind> | "unreadable";

/** The contents of a pair at one moment; of none, until it looks. */
export class SeenPair {
  #contents = new Map<string, Seen>();

  /** At first, and after a change of our own. */
  lookAgain(pair: Pair<Target>): void {
    this.#contents = new Map(
      membersOf(pair).map(({ value: { path } }) => [path, lookAt(path)]),
    );
  }

  /** What stood there, if it is one of the two and could be read. */
  contentOf(path: string): Uint8Array<ArrayBuffer> | undefined {
    const seen = this.#contents.get(path);
    return seen instanceof Uint8Array ? seen : undefined;
  }

  /**
   * Asked right before the swap.
   *
   * @param serial of the certificate that is dropped, if there is one
   * @throws {PairChangedError} kind `install`, naming the files
   */
  requireUnchanged(pair: Pair<Target>, serial?: string): void {
    const changes = membersOf(pair).flatMap(({ value: target }) => {
      const isSame = leadsTo(target) &&
        isEqual(this.#contents.get(target.path), lookAt(target.path));
      return isSame ? [] : [`${target.path} was ${changeOf(target.path)}`];
    });
    if (changes.length === 0) return;
    const dropped = serial === undefined
      ? ""
      : `; the new certificate with serial ${serial} and its key are dropped`;
    throw new PairChangedError(
      "install",
      `nothing was installed: ${
        changes.join(", and ")
      }, after it was read${dropped}`,
      { hint: "the files are as they were put there; run the command again" },
    );
  }
}

function lookAt(path: string): Seen {
  let seen: Seen = "unreadable";
  bestEffort(() => seen = readBehind(path));
  return seen;
}

function leadsTo({ path, file }: Target): boolean {
  let isSame = false;
  bestEffort(() => isSame = resolveTarget(path).file === file);
  return isSame;
}

function isEqual(one: Seen, other: Seen): boolean {
  return one instanceof Uint8Array && other instanceof Uint8Array
    ? equalBytes(one, other)
    : one === other;
}

/** Who changed it, as far as the file tells. */
function changeOf(path: string): string {
  let change = "removed by somebody else";
  bestEffort(() => {
    const info = statIfExists(path);
    if (info === undefined) return;
    const at = info.ctime === null ? "" : ` at ${formatInstant(info.ctime)}`;
    const owner = info.uid === null ? "" : ` (it belongs to uid ${info.uid})`;
    change = `changed by somebody else${at}${owner}`;
  });
  return change;
}
