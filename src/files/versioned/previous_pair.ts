/** The pair that was in force before, in the versioned layout. */
import { RekeyError } from "../../base/errors.ts";
import type { KeyPairFiles } from "../../base/options.ts";
import { unpin } from "../disk/pinned.ts";
import { inDirectory, type Target, VERSION_FILES } from "../disk/target.ts";
import type { Pair } from "../transaction.ts";
import { layoutOf, mixedLayouts } from "./layout.ts";
import { switchTo } from "./staged_version.ts";
import {
  currentVersion,
  previousVersion,
  versionPath,
  versionsOf,
} from "./versions.ts";

export interface PreviousPair {
  readonly files: KeyPairFiles;
  /** Puts it in force, in one rename. */
  readonly putBack: () => void;
}

/**
 * Finds the pair before the current one.
 *
 * @throws {RekeyError} kind `pair` when the layout is another, or when there is
 *   none before; kind `install` when the two are links of different pairs
 */
export function findPreviousPair(pair: Pair<Target>): PreviousPair {
  const { path } = pair.certificate;
  const versions = versionsOf(pair.certificate);
  if (layoutOf(pair) === "mixed") throw mixedLayouts(pair);
  if (layoutOf(pair) !== "versioned") {
    throw new RekeyError(
      "pair",
      `cannot roll back ${path}: it does not stand in the versioned layout, and nothing else keeps the pair before`,
      { hint: "begin with: ca layout versioned <crt-file> <key-file>" },
    );
  }
  const current = currentVersion(versions);
  const previous = current === undefined
    ? undefined
    : previousVersion(versions, current);
  if (previous === undefined) {
    throw new RekeyError(
      "pair",
      `cannot roll back ${path}: no pair before the current one is kept`,
      { hint: `the pairs that are kept are in ${unpin(versions.directory)}` },
    );
  }
  const directory = unpin(versionPath(versions, previous));
  return {
    files: {
      certificate: inDirectory(directory, VERSION_FILES.certificate),
      key: inDirectory(directory, VERSION_FILES.key),
    },
    putBack: () => switchTo(versions, previous),
  };
}
