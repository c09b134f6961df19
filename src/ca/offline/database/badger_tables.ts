/**
 * All tables of a badger database together.
 */
import { type ListedTable, MANIFEST, readManifest } from "./badger_manifest.ts";
import { type BadgerTable, findInTable } from "./badger_table.ts";
import { openTableV1 } from "./badger_table_v1.ts";
import { openTableV2 } from "./badger_table_v2.ts";
import type { BadgerPlace } from "./badger_database.ts";
import { newer, type VersionedValue } from "./badger_value.ts";
import { Damage } from "./damage.ts";
import { listNumbered, numberedName } from "./numbered_files.ts";

/**
 * The newest version of each key in any table, in the order of the keys.
 *
 * Every table is asked, so that no order of levels has to be known. One at a
 * time is open.
 *
 * @throws {Damage} also when MANIFEST and the files do not agree
 */
export async function searchTables(
  place: BadgerPlace,
  keys: readonly Uint8Array[],
): Promise<readonly (VersionedValue | undefined)[]> {
  const found: (VersionedValue | undefined)[] = keys.map(() => undefined);
  for (const [path, listed] of await listTables(place)) {
    using table = await openTable(path, { place, listed });
    for (const [index, key] of keys.entries()) {
      found[index] = newer(found[index], await findInTable(table, key));
    }
  }
  return found;
}

async function listTables(
  { directory, version }: BadgerPlace,
): Promise<ReadonlyMap<string, ListedTable>> {
  const listed = await readManifest(`${directory}/${MANIFEST}`, version);
  const files = await listNumbered(directory, ".sst");
  const tables = new Map<string, ListedTable>();
  for (const [id, table] of listed) {
    const path = files.get(id);
    if (path === undefined) {
      const missing = `${directory}/${numberedName(id, ".sst")}`;
      throw new Damage(missing, "is missing, but MANIFEST names it", {
        mayPass: true,
      });
    }
    tables.set(path, table);
  }
  for (const [id, path] of files) {
    if (listed.has(id)) continue;
    // New tables are written before they are named. It may also be the rest
    // of a crash; or MANIFEST was cut off, and this one has revocations.
    throw new Damage(path, "is not named in MANIFEST", { mayPass: true });
  }
  return tables;
}

async function openTable(
  path: string,
  { place, listed }: {
    readonly place: BadgerPlace;
    readonly listed: ListedTable;
  },
): Promise<BadgerTable> {
  return place.version === 1
    ? await openTableV1(path, listed)
    : await openTableV2(path);
}
