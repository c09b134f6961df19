/**
 * The rows of provisioners in bbolt: a changed key is noticed, since the table
 * of certificates has the same keys.
 */
import { readRows } from "../../../../../src/ca/offline/database/ca_database.ts";
import { CorruptDatabaseError } from "../../../../../src/ca/offline/database/file/corrupt_database_error.ts";
import { assert, assertEquals } from "../../../../support/assert.ts";
import { goTest } from "../../../../support/go_program.ts";
import { spread } from "../../../../support/sweep.ts";
import { goDatabase } from "../go_database.ts";

goTest("a new database of bbolt, with empty tables, has no row", async () => {
  await using database = await goDatabase("bbolt", { rows: 0, ways: [] });
  assertEquals(
    await readRows(database.settings, "12345", new Date()),
    [undefined, undefined],
  );
});

goTest(
  "no flipped bit in a key of bbolt hides whose certificate it is",
  async () => {
    await using database = await goDatabase("bbolt", {
      rows: 40,
      ways: ["revoked"],
    });
    const { settings, serials } = database;
    const unknown = await readRows(settings, "12345", new Date());
    assertEquals(unknown, [undefined, undefined]);
    const path = settings.dataSource;
    const content = await Deno.readFile(path);
    const text = new TextDecoder("latin1").decode(content);
    using file = await Deno.open(path, { write: true });
    const put = (at: number, byte: number) => {
      file.seekSync(at, Deno.SeekMode.Start);
      file.writeSync(new Uint8Array([byte]));
    };
    const keys = serials.slice(0, 4).flatMap((serial) => {
      const key = `${serial}{"provisioner"`;
      return allOf(text, key).map((at) => ({
        serial,
        at,
        end: at + key.length,
      }));
    });
    const tables = allOf(text, "x509_certs_data").map((at) => ({
      serial: serials[0] ?? "",
      at,
      end: at + "x509_certs_data".length,
    }));
    assert(keys.length >= 4 && tables.length > 0);
    for (const { serial, at, end } of [...keys, ...tables]) {
      for (const bit of spread({ start: 8 * at, end: 8 * end }, 8)) {
        const byte = Math.floor(bit / 8);
        const original = content[byte] ?? 0;
        put(byte, original ^ (1 << bit % 8));
        const isFound = await readRows(settings, serial, new Date()).then(
          ([, data]) => data !== undefined,
          (error) => error instanceof CorruptDatabaseError,
        );
        assert(isFound, `bit ${bit} hides the data of ${serial}`);
        put(byte, original);
      }
    }
  },
);

function allOf(text: string, wanted: string): readonly number[] {
  const found: number[] = [];
  for (
    let at = text.indexOf(wanted);
    at >= 0;
    at = text.indexOf(wanted, at + 1)
  ) {
    found.push(at);
  }
  return found;
}
