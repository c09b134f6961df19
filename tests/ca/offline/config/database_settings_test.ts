/**
 * The member `db` of ca.json, beside what the tests of ca.json itself ask.
 */
import { readDatabaseSettings } from "../../../../src/ca/offline/config/database_settings.ts";
import { JsonObject } from "../../../../src/ca/offline/config/json_object.ts";
import { assertThrows } from "../../../support/assert.ts";

for (const type of ["constructor", "toString", "__proto__", "HasOwnProperty"]) {
  Deno.test(`readDatabaseSettings() refuses the type ${type} as any unknown one`, () => {
    const db = JsonObject.parse(JSON.stringify({ type, dataSource: "db" }));
    assertThrows(
      () => readDatabaseSettings(db, "ca.json"),
      "config",
      new RegExp(
        `^Error opening database of Type ${type}: ${type} database not supported$`,
      ),
    );
  });
}
