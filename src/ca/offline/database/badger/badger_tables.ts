import { type ListedTable, readManifest } from "./badger_manifest.ts";
import { type BadgerTable, findInTable } from "./badger_table.ts";
import { readTableV1 } from "./badger_table_v1.ts";
import { readTableV2 } from "./badger_table_v2.ts";
import { newer, type VersionedValue } from "./badger_value.ts";
import { CorruptDatabaseError } from "../file/corrupt_database_error.ts";
import { DatabaseFile } from "../file/database_file.ts";
import {
  type BadgerPlace,
  listNumbered,
  MANIFEST,
  numberedName,
} from "./badger_files.ts";

/** A table file; `listed` is undefined for one that MANIFEST does not name. */
interface TableFile {
  readonly path: string;
  readonly listed: ListedTable | undefined;
}

/**
 * The newest version of each key in any table, in the order of the keys.
 *
 * Every table is asked, so that no order of levels has to be known. One at a
 * time is open.
 *
 * @throws {CorruptDatabaseError} also when MANIFEST and the files do not agree
 */
export async function searchTables(
  place: BadgerPlace,
  keys: readonly Uint8Array[],
): Promise<readonly (VersionedValue | undefined)[]> {
  const found: (VersionedValue | undefined)[] = keys.map(() => undefined);
  for (const { path, listed } of await listTables(place)) {
    using file = await DatabaseFile.open(path);
    const table = listed === undefined
      ? await readUnlisted(file, place)
      : place.version === 1
      ? await readTableV1(file, listed)
      : await readTableV2(file);
    for (const [index, key] of keys.entries()) {
      found[index] = newer(found[index], await findInTable(table, key));
    }
  }
  return found;
}

async function listTables(
  { directory, version }: BadgerPlace,
): Promise<readonly TableFile[]> {
  const listed = await readManifest(`${directory}/${MANIFEST}`, version);
  const files = await listNumbered(directory, ".sst");
  for (const id of listed.keys()) {
    if (files.has(id)) continue;
    throw new CorruptDatabaseError(
      `${directory}/${numberedName(id, ".sst")}`,
      "is missing, but MANIFEST names it",
      { mayPass: true },
    );
  }
  return [...files].map(([id, path]) => ({ path, listed: listed.get(id) }));
}

/**
 * One that MANIFEST does not name: new, and about to be named; or the rest of a
 * crash; or MANIFEST was cut off, and revocations are in here. So it is read
 * like the others where its own checksums prove it, and refused otherwise.
 */
async function readUnlisted(
  file: DatabaseFile,
  { version }: BadgerPlace,
): Promise<BadgerTable> {
  const reason = "is not named in MANIFEST";
  if (version === 1) throw file.corrupt(reason, { mayPass: true });
  try {
    return await readTableV2(file);
  } catch (error) {
    if (!(error instanceof CorruptDatabaseError)) throw error;
    throw file.corrupt(`${reason}, and ${error.message}`, {
      mayPass: true,
      cause: error,
    });
  }
}
