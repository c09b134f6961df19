/**
 * MANIFEST: which tables a badger database consists of (dgraph-io/badger
 * manifest.go).
 *
 * Without it, a table that is missing could not be told from one that never
 * was, and the answer to "is it revoked?" would be no.
 */
import { ByteCursor } from "../file/byte_cursor.ts";
import { crc32c } from "./crc32c.ts";
import { CorruptDatabaseError } from "../file/corrupt_database_error.ts";
import { DatabaseFile } from "../file/database_file.ts";
import type { BadgerVersion } from "./badger_files.ts";
import { protobufFields } from "./protobuf_fields.ts";

export interface ListedTable {
  readonly id: number;
  /** SHA-256 of the file; version 1 only, and undefined in old databases. */
  readonly sha256: Uint8Array | undefined;
}

/** Number of the format in the first bytes, by version of badger. */
const FORMATS: Readonly<Record<BadgerVersion, number>> = { 1: 4, 2: 7 };

/** Badger writes it anew after ten thousand removals; 64 MB are never reached. */
const MOST_BYTES = 64 * 1024 * 1024;

/**
 * The tables in use, by their numbers.
 *
 * @throws {CorruptDatabaseError} also for another version, compression and encryption
 */
export async function readManifest(
  path: string,
  version: BadgerVersion,
): Promise<ReadonlyMap<number, ListedTable>> {
  using file = await DatabaseFile.open(path);
  if (file.size > MOST_BYTES) throw file.corrupt("is too large");
  const at = await file.cursor(0, file.size);
  checkFormat(at, version);
  const tables = new Map<number, ListedTable>();
  while (at.left > 0) {
    for (const { number, bytes } of protobufFields(nextChangeSet(at))) {
      if (number !== 1 || bytes === undefined) {
        throw at.corrupt(`has an unknown field ${number}`);
      }
      applyChange(readChange(new ByteCursor(bytes, path), version), tables, at);
    }
  }
  return tables;
}

function checkFormat(at: ByteCursor, version: BadgerVersion): void {
  const magic = new TextDecoder("latin1").decode(at.take(4));
  if (magic !== "Bdgr") throw at.corrupt("is not a manifest of badger");
  const format = at.u32be();
  const wanted = FORMATS[version];
  if (format !== wanted) {
    throw at.corrupt(
      `has unsupported version: ${format} (badger v${version} has ${wanted})`,
    );
  }
}

/** Length, checksum, and as many bytes. */
function nextChangeSet(at: ByteCursor): ByteCursor {
  const isTorn = at.left < 8;
  const length = isTorn ? 0 : at.u32be();
  const sum = isTorn ? 0 : at.u32be();
  if (isTorn || length > at.left) {
    throw new CorruptDatabaseError(at.file, "is truncated", { mayPass: true });
  }
  const bytes = at.take(length);
  if (crc32c(bytes) !== sum) throw at.corrupt("has a wrong checksum");
  return new ByteCursor(bytes, at.file);
}

interface Change extends ListedTable {
  readonly isRemoval: boolean;
}

function readChange(at: ByteCursor, version: BadgerVersion): Change {
  let id = 0;
  let operation = 0;
  let sha256: Uint8Array | undefined;
  for (const { number, bytes, value } of protobufFields(at)) {
    const key = version === 2 && number > 3 ? `v2:${number}` : `${number}`;
    if (key === "4" && bytes !== undefined) {
      sha256 = bytes;
    } else if (bytes !== undefined) {
      throw at.corrupt(`has an unknown field ${number}`);
    } else if (key === "1") {
      id = value;
    } else if (key === "2") {
      operation = value;
    } else if ((key === "v2:4" || key === "v2:5") && value !== 0) {
      throw at.corrupt("names an encrypted table");
    } else if (key === "v2:6" && value !== 0) {
      throw at.corrupt("names a compressed table");
    } else if (number > 6 || (version === 1 && number > 3)) {
      throw at.corrupt(`has an unknown field ${number}`);
    }
  }
  if (operation > 1) throw at.corrupt(`has an unknown operation ${operation}`);
  return { id, sha256, isRemoval: operation === 1 };
}

function applyChange(
  { id, sha256, isRemoval }: Change,
  tables: Map<number, ListedTable>,
  at: ByteCursor,
): void {
  if (tables.has(id) !== isRemoval) {
    throw at.corrupt(
      isRemoval
        ? `removes table ${id}, which is not there`
        : `adds table ${id} twice`,
    );
  }
  if (isRemoval) tables.delete(id);
  else tables.set(id, { id, sha256 });
}
