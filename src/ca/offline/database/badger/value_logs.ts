import { compareBytes } from "../file/byte_cursor.ts";
import {
  Meta,
  newer,
  type ValuePointer,
  type VersionedValue,
} from "./badger_value.ts";
import { CorruptDatabaseError } from "../file/corrupt_database_error.ts";
import {
  type BadgerPlace,
  listNumbered,
  numberedName,
} from "./badger_files.ts";
import { replayLog } from "./value_log.ts";

/**
 * The newest version of each key that is in no table yet, in the order of the
 * keys; the values are in place.
 *
 * @param head the last entry that is in a table; undefined: none is
 * @throws {CorruptDatabaseError} also when a log is missing
 */
export async function searchLogs(
  place: BadgerPlace,
  head: ValuePointer | undefined,
  keys: readonly Uint8Array[],
): Promise<readonly (VersionedValue | undefined)[]> {
  const { version, logDirectory } = place;
  const found: (VersionedValue | undefined)[] = keys.map(() => undefined);
  const logs = await listNumbered(logDirectory, ".vlog");
  const first = head?.log ?? 0;
  requireAll(logs, { logDirectory, first });
  for (const [number, path] of logs) {
    if (number < first) continue;
    const start = number === first && head !== undefined
      ? head.offset + head.length
      : 0;
    await replayLog({ path, version }, start, (entry) => {
      // Every place: a key may be asked for twice.
      for (const [index, key] of keys.entries()) {
        if (!isSame(key, entry.userKey)) continue;
        found[index] = newer(found[index], {
          version: entry.version,
          meta: entry.meta & ~Meta.pointer,
          expiresAt: entry.expiresAt,
          value: new Uint8Array(entry.value),
        });
      }
    });
  }
  return found;
}

/** From the end, where keys of one table differ. */
function isSame(one: Uint8Array, other: Uint8Array): boolean {
  if (one.length !== other.length) return false;
  return one.at(-1) === other.at(-1) && compareBytes(one, other) === 0;
}

function requireAll(
  logs: ReadonlyMap<number, string>,
  { logDirectory, first }: {
    readonly logDirectory: string;
    readonly first: number;
  },
): void {
  const last = Math.max(first, ...logs.keys());
  for (let number = first; number <= last; number++) {
    if (logs.has(number)) continue;
    throw new CorruptDatabaseError(
      `${logDirectory}/${numberedName(number, ".vlog")}`,
      "is missing",
      { mayPass: true },
    );
  }
}
