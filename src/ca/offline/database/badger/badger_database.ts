/**
 * A badger database, version 1 or 2, read as badger itself would read it after
 * a crash: the tables that MANIFEST names, and on top the value logs from the
 * head on (dgraph-io/badger db.go, Open).
 *
 * One attempt on the files as they are now. No lock is taken, so a running
 * step-ca may change them meanwhile; `settled.ts` tries again then.
 */
import { HEAD_KEY, movedKey } from "./badger_key.ts";
import { searchTables } from "./badger_tables.ts";
import {
  decodePointer,
  isGone,
  Meta,
  newer,
  type VersionedValue,
} from "./badger_value.ts";
import { CorruptDatabaseError } from "../file/corrupt_database_error.ts";
import {
  type BadgerPlace,
  listNames,
  listNumbered,
  MANIFEST,
  numberedName,
} from "./badger_files.ts";
import { readLogEntry } from "./value_log.ts";
import { searchLogs } from "./value_logs.ts";
import { equalBytes } from "../../../../base/bytes.ts";

/**
 * The values of user keys, undefined where badger would find none.
 *
 * @param now for values that expire
 */
export async function readBadger(
  place: BadgerPlace,
  keys: readonly Uint8Array[],
  now: Date,
): Promise<readonly (Uint8Array | undefined)[]> {
  if (await isFresh(place)) return keys.map(() => undefined);
  const all = [...keys, ...keys.map(movedKey)];
  const [head, ...inTables] = await searchTables(place, [HEAD_KEY, ...all]);
  const inLogs = await searchLogs(
    place,
    head && decodePointer(head.value, {
      version: place.version,
      file: `${place.directory}/${MANIFEST}`,
    }),
    all,
  );
  const newest = all.map((_, index) => newer(inTables[index], inLogs[index]));
  return await Promise.all(keys.map(async (key, index) => {
    const value = newest[index];
    if (value === undefined || isGone(value, now)) return undefined;
    return await resolveValue(place, {
      key,
      value,
      moved: newest[index + keys.length],
    });
  }));
}

/** Whether nobody has ever opened it, as after `step ca init`. */
export async function isFresh(
  { directory, logDirectory }: BadgerPlace,
): Promise<boolean> {
  const names = await listNames(directory);
  if (logDirectory !== directory) names.push(...await listNames(logDirectory));
  if (names.includes(MANIFEST)) return false;
  if (names.length === 0) return true;
  throw new CorruptDatabaseError(
    `${directory}/${MANIFEST}`,
    "is missing, but the folder is not empty",
    { mayPass: true },
  );
}

async function resolveValue(
  place: BadgerPlace,
  { key, value, moved }: {
    readonly key: Uint8Array;
    readonly value: VersionedValue;
    /** What stands under the key of moved values. */
    readonly moved: VersionedValue | undefined;
  },
): Promise<Uint8Array> {
  const inPlace = await followPointer(place, key, value);
  if (inPlace instanceof Uint8Array) return inPlace;
  // The log is gone, and what was in use of it stands in a newer one.
  if (moved?.version === value.version) {
    const elsewhere = await followPointer(place, movedKey(key), moved);
    if (elsewhere instanceof Uint8Array) return elsewhere;
  }
  throw new CorruptDatabaseError(inPlace.missing, "is missing", {
    mayPass: true,
  });
}

async function followPointer(
  { version, directory, logDirectory }: BadgerPlace,
  key: Uint8Array,
  value: VersionedValue,
): Promise<Uint8Array | { readonly missing: string }> {
  if ((value.meta & Meta.pointer) === 0) return value.value;
  const pointer = decodePointer(value.value, { version, file: directory });
  const path = (await listNumbered(logDirectory, ".vlog")).get(pointer.log);
  if (path === undefined) {
    const missing = numberedName(pointer.log, ".vlog");
    return { missing: `${logDirectory}/${missing}` };
  }
  const entry = await readLogEntry({ path, version }, pointer);
  if (equalBytes(entry.userKey, key) && entry.version === value.version) {
    return entry.value;
  }
  throw new CorruptDatabaseError(
    path,
    "has another entry where a table points to",
  );
}
