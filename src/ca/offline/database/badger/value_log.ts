/**
 * The value logs of badger, `000000.vlog` and so on (dgraph-io/badger value.go).
 *
 * Every write goes there first, and until a table is made of it, it is nowhere
 * else. So they are replayed, as badger does when it opens: from the head,
 * which the newest table knows, to the end of the newest log. An end that is
 * not the end of a transaction is refused, as badger refuses it ("Value log
 * truncate required"): what was cut off could be a revocation.
 */
import type { BadgerVersion } from "./badger_files.ts";
import { Meta, type ValuePointer } from "./badger_value.ts";
import { CorruptDatabaseError } from "../file/corrupt_database_error.ts";
import { DatabaseFile } from "../file/database_file.ts";
import { type LogEntry, parseLogEntry } from "./log_entry.ts";

/** Badger writes no transaction above 10 MB with the settings of step-ca. */
const MOST_ENTRY_BYTES = 64 * 1024 * 1024;
const READ_AT_ONCE = 1024 * 1024;
/** Number of the key and an IV, in front of the entries of version 2. */
const FILE_HEADER_BYTES = 20;

export interface LogPlace {
  readonly path: string;
  readonly version: BadgerVersion;
}

/**
 * Calls `visit` for every entry from `start` on that belongs to a finished
 * transaction.
 *
 * @param start in bytes; 0 is the beginning
 * @throws {CorruptDatabaseError} at anything that badger itself would not replay
 */
export async function replayLog(
  place: LogPlace,
  start: number,
  visit: (entry: LogEntry) => void,
): Promise<void> {
  using file = await DatabaseFile.open(place.path);
  const first = await checkFileHeader(file, place.version);
  if (start > file.size) {
    throw file.corrupt(
      `is truncated: ${start} bytes of it are in use, but it has ${file.size}`,
    );
  }
  const transaction = new Transaction(file, visit);
  try {
    await visitEntries(file, {
      version: place.version,
      start: Math.max(start, first),
      visit: (entry) => transaction.add(entry),
    });
    transaction.end();
  } catch (error) {
    if (!(error instanceof CorruptDatabaseError)) throw error;
    // A running step-ca may be writing what is missing.
    throw new CorruptDatabaseError(error.file, error.message, {
      mayPass: true,
      state: `${file.path} ${file.size} ${file.changedMs}`,
      cause: error,
    });
  }
}

/** The entry that a pointer names. */
export async function readLogEntry(
  { path, version }: LogPlace,
  { offset, length }: ValuePointer,
): Promise<LogEntry> {
  using file = await DatabaseFile.open(path);
  await checkFileHeader(file, version);
  const bytes = await file.read(offset, length);
  const place = { version, file: path, available: length };
  const parsed = parseLogEntry(bytes, place);
  if ("entry" in parsed && parsed.entry.length === length) return parsed.entry;
  throw file.corrupt("has an entry of another length than its pointer");
}

/** @returns where the entries begin */
async function checkFileHeader(
  file: DatabaseFile,
  version: BadgerVersion,
): Promise<number> {
  if (version === 1) return 0;
  const at = await file.cursor(0, FILE_HEADER_BYTES);
  if (at.u32be() !== 0 || at.u32be() !== 0) throw at.corrupt("is encrypted");
  return FILE_HEADER_BYTES;
}

/** Every entry up to the end of the file, through a window that moves on. */
async function visitEntries(
  file: DatabaseFile,
  { version, start, visit }: {
    readonly version: BadgerVersion;
    readonly start: number;
    visit(entry: LogEntry): void;
  },
): Promise<void> {
  let window = new Uint8Array(0);
  let at = start;
  while (at < file.size) {
    const available = file.size - at;
    const place = { version, file: file.path, available };
    const parsed = parseLogEntry(window, place);
    if ("entry" in parsed) {
      visit(parsed.entry);
      at += parsed.entry.length;
      window = window.subarray(parsed.entry.length);
      continue;
    }
    const { needed } = parsed;
    if (needed > available || needed > MOST_ENTRY_BYTES) {
      throw file.corrupt("ends in the middle of an entry");
    }
    const length = Math.min(Math.max(needed, READ_AT_ONCE), available);
    window = new Uint8Array(length);
    await file.readInto(window, at);
  }
}

/** Entries that count only together (badger value.go, iterate). */
class Transaction {
  readonly #file: DatabaseFile;
  readonly #visit: (entry: LogEntry) => void;
  #version: number | undefined;
  #entries: LogEntry[] = [];

  constructor(file: DatabaseFile, visit: (entry: LogEntry) => void) {
    this.#file = file;
    this.#visit = visit;
  }

  add(entry: LogEntry): void {
    if ((entry.meta & Meta.inTransaction) !== 0) {
      this.#version ??= entry.version;
      if (this.#version !== entry.version) throw this.#unfinished();
      this.#entries.push(entry);
      return;
    }
    if ((entry.meta & Meta.endOfTransaction) !== 0) {
      const version = Number(new TextDecoder().decode(entry.value));
      if (this.#version !== version) throw this.#unfinished();
      for (const part of this.#entries) this.#visit(part);
      this.#version = undefined;
      this.#entries = [];
      return;
    }
    if (this.#version !== undefined) throw this.#unfinished();
    // Moved here from an older log.
    this.#visit(entry);
  }

  /** @throws {CorruptDatabaseError} when one is not finished */
  end(): void {
    if (this.#version !== undefined) throw this.#unfinished();
  }

  #unfinished(): CorruptDatabaseError {
    return this.#file.corrupt("has an unfinished transaction");
  }
}
