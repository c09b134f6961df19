/**
 * Where the files of a badger database are, and their names: MANIFEST, and
 * numbers such as `000017.sst`.
 */
import { osReason } from "../../../../base/os_error.ts";
import { CorruptDatabaseError } from "../file/corrupt_database_error.ts";

/** Of badger itself, `github.com/dgraph-io/badger` and `…/badger/v2`. */
export type BadgerVersion = 1 | 2;

export interface BadgerPlace {
  readonly version: BadgerVersion;
  /** Folder of MANIFEST and the tables. */
  readonly directory: string;
  /** Folder of the value logs; mostly the same. */
  readonly logDirectory: string;
}

export const MANIFEST = "MANIFEST";

/**
 * The names in a folder.
 *
 * @throws {CorruptDatabaseError} when it is missing or unreadable
 */
export async function listNames(directory: string): Promise<string[]> {
  try {
    const entries = await Array.fromAsync(Deno.readDir(directory));
    return entries.map(({ name }) => name);
  } catch (error) {
    const reason = `cannot be read: ${osReason(error)}`;
    throw new CorruptDatabaseError(directory, reason, { cause: error });
  }
}

/**
 * The paths of the files with a suffix, by their numbers, in ascending order.
 *
 * @throws {CorruptDatabaseError} also for a file with the suffix that has no number
 */
export async function listNumbered(
  directory: string,
  suffix: ".sst" | ".vlog",
): Promise<ReadonlyMap<number, string>> {
  const found: (readonly [number, string])[] = [];
  for (const name of await listNames(directory)) {
    if (!name.endsWith(suffix)) continue;
    const number = Number(name.slice(0, -suffix.length));
    if (name !== numberedName(number, suffix)) {
      throw new CorruptDatabaseError(
        `${directory}/${name}`,
        "has a name without a number",
      );
    }
    found.push([number, `${directory}/${name}`]);
  }
  return new Map(found.sort(([one], [other]) => one - other));
}

/** At least six digits. */
export function numberedName(number: number, suffix: string): string {
  return `${String(number).padStart(6, "0")}${suffix}`;
}
