/**
 * What the CA's database says about a certificate, read beside a step-ca that
 * may be running (smallstep/certificates db/db.go).
 *
 * Never writes, creates or locks anything, and never answers from files that
 * it does not understand: then it is an error, since the answer "not revoked"
 * would let a revoked certificate live on.
 */
import { RekeyError } from "../../../base/errors.ts";
import type { Hint } from "../../../base/remedy.ts";
import type { Clock } from "../../../base/runtime.ts";
import { isFresh, readBadger } from "./badger/badger_database.ts";
import type { BadgerPlace } from "./badger/badger_files.ts";
import { rowKey } from "./badger/badger_key.ts";
import { readBolt } from "./bolt/bolt_database.ts";
import {
  CERTIFICATE_TABLE,
  type CertificateRecord,
  DATA_TABLE,
  isWholeData,
  isWholeRevocation,
  readRecord,
  REVOKED_TABLE,
} from "./certificate_record.ts";
import { CorruptDatabaseError } from "./file/corrupt_database_error.ts";
import type { DatabaseSettings } from "../config/database_settings.ts";
import { settled } from "./settled.ts";

export interface ReadingOptions {
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

/**
 * The record of one certificate.
 *
 * @param serial hexadecimal, as openssl prints it
 * @throws {RekeyError} kind `config` when the files give no certain answer
 * @throws the signal's reason
 */
export async function readCertificateRecord(
  settings: DatabaseSettings,
  serial: string,
  options: ReadingOptions,
): Promise<CertificateRecord> {
  const decimal = BigInt(`0x${serial}`).toString();
  try {
    const read = () => readRows(settings, decimal, options.clock.now());
    const [revocation, data] = await settled(read, options);
    const { dataSource } = settings;
    const record = readRecord({ revocation, data }, dataSource);
    const place = badgerPlace(settings);
    return place !== undefined && await isFresh(place)
      ? { ...record, emptyFolder: dataSource }
      : record;
  } catch (error) {
    if (!(error instanceof CorruptDatabaseError)) throw error;
    throw new RekeyError(
      "config",
      `the CA's database does not say whether the certificate is revoked: ${
        JSON.stringify(error.file)
      } ${error.message}`,
      { hint: hintFor(error), cause: error },
    );
  }
}

/**
 * What is left to do. A value log is never repaired here: what is torn off it
 * could be a revocation, and one with a flipped bit looks the same. Step-ca
 * does not start on it either ("Value log truncate required to run DB").
 */
function hintFor({ file, state }: CorruptDatabaseError): Hint {
  const repair = state === undefined
    ? 'check "db" in ca.json, start step-ca on it or restore it'
    : `restore the database, or have badger truncate ${
      JSON.stringify(file)
    }, without which step-ca does not start on it either`;
  return { remedy: "ignore the database", repair };
}

/**
 * One attempt: the revocation and the data of a certificate.
 *
 * @param serial decimal, which is what the tables have as keys
 */
export async function readRows(
  settings: DatabaseSettings,
  serial: string,
  now: Date,
): Promise<readonly (Uint8Array | undefined)[]> {
  const key = new TextEncoder().encode(serial);
  const place = badgerPlace(settings);
  if (place === undefined) {
    return await readBolt(settings.dataSource, [
      {
        table: REVOKED_TABLE,
        key,
        isTableRequired: true,
        isWhole: isWholeRevocation,
      },
      // Older versions of step-ca do not make it; newer ones write a row of
      // both tables in one transaction.
      {
        table: DATA_TABLE,
        key,
        isTableRequired: false,
        isWhole: isWholeData,
        keysOf: CERTIFICATE_TABLE,
      },
    ]);
  }
  const keys = [REVOKED_TABLE, DATA_TABLE].map((table) => rowKey(table, key));
  return await readBadger(place, keys, now);
}

/** Undefined for bbolt. */
function badgerPlace(
  { type, dataSource, valueDir }: DatabaseSettings,
): BadgerPlace | undefined {
  if (type === "bbolt") return undefined;
  return {
    version: type === "badger v1" ? 1 : 2,
    directory: dataSource,
    logDirectory: valueDir || dataSource,
  };
}
