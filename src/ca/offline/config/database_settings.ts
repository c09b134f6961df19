/**
 * The member `db` of ca.json (smallstep/certificates db/db.go, smallstep/nosql
 * nosql.go).
 */
import { RekeyError } from "../../../base/errors.ts";
import { shortened } from "../../../base/printable.ts";
import type { JsonObject } from "./json_object.ts";

export interface DatabaseSettings {
  readonly type: "badger v1" | "badger v2" | "bbolt";
  /** Folder of badger, file of bbolt; relative to the working directory. */
  readonly dataSource: string;
  /** Folder of badger's value logs; empty: the same. */
  readonly valueDir: string;
}

/** Names in ca.json, lower case, as they are compared. */
const READABLE: ReadonlyMap<string, DatabaseSettings["type"]> = new Map([
  ["badger", "badger v1"],
  ["badgerv1", "badger v1"],
  ["badgerv2", "badger v2"],
  ["bbolt", "bbolt"],
]);

/** Servers, which are asked by a driver of their own. */
const SERVERS: readonly string[] = ["mysql", "postgresql"];

/**
 * @param db the member, if there is one
 * @param file ca.json, for messages
 * @throws {RekeyError} kind `config` for a type that cannot be read
 */
export function readDatabaseSettings(
  db: JsonObject,
  file: string,
): DatabaseSettings {
  const name = db.text("type");
  const [dataSource, valueDir] = [db.text("dataSource"), db.text("valueDir")];
  const type = READABLE.get(name.toLowerCase());
  if (type === undefined) throw unreadableType(name, file);
  if (dataSource === "") {
    throw new RekeyError(
      "config",
      `cannot rekey offline: "db" in ${file} has no "dataSource"`,
      { hint: `name the place of the CA's database in ${file}` },
    );
  }
  return { type, dataSource, valueDir };
}

function unreadableType(name: string, file: string): RekeyError {
  if (SERVERS.includes(name.toLowerCase())) {
    return new RekeyError(
      "config",
      `cannot rekey offline: ${file} names a database of type ${
        JSON.stringify(name)
      }, which this program cannot read, and only it knows whether the certificate is revoked`,
      { hint: { remedy: "rekey online" } },
    );
  }
  const shown = shortened(name);
  return new RekeyError(
    "config",
    `Error opening database of Type ${shown}: ${shown} database not supported`,
    { hint: `correct "type" of "db" in ${file}` },
  );
}
