/**
 * Flips one bit after the other in a database and asks for revocations.
 */
import { readRows } from "../../../../src/ca/offline/database/ca_database.ts";
import { CorruptDatabaseError } from "../../../../src/ca/offline/database/file/corrupt_database_error.ts";
import { assert } from "../../../support/assert.ts";
import { IS_WHOLE, spread } from "../../../support/sweep.ts";
import type { GoDatabase } from "./go_database.ts";

const NOW = new Date();

/** Certificates for each bit. */
const ASKED = IS_WHOLE ? 4 : 1;

/** Bytes of a file, from `start` to in front of `end`. */
export interface Extent {
  readonly file: string;
  readonly start: number;
  readonly end: number;
}

/**
 * For one of each `every` bits, or in a sweep for each, demands "revoked" or
 * damage of a revoked certificate; the next one at the next bit.
 */
export async function assertNoBitHides(
  { settings, serials }: GoDatabase,
  extents: readonly Extent[],
  every = 5,
): Promise<void> {
  assert(extents.length > 0);
  let asked = 0;
  for (const { file, start, end } of extents) {
    using open = await Deno.open(file, { read: true, write: true });
    const content = await Deno.readFile(file);
    for (const bit of spread({ start: 8 * start, end: 8 * end }, every)) {
      const at = Math.floor(bit / 8);
      const original = content[at];
      assert(original !== undefined, `${file} has no byte ${at}`);
      overwrite(open, at, original ^ (1 << bit % 8));
      for (let next = 0; next < Math.min(ASKED, serials.length); next++) {
        const serial = serials[(asked + next) % serials.length] ?? "";
        assert(
          await isRevokedOrDamaged(settings, serial),
          `bit ${bit % 8} of byte ${at} of ${file} hides ${serial}`,
        );
      }
      asked += 1;
      overwrite(open, at, original);
    }
  }
  // A test that damages the file for good proves nothing.
  for (const serial of serials) {
    assert((await readRows(settings, serial, NOW))[0] !== undefined);
  }
}

function overwrite(file: Deno.FsFile, at: number, byte: number): void {
  file.seekSync(at, Deno.SeekMode.Start);
  file.writeSync(new Uint8Array([byte]));
}

/** True for damage, too, since nothing is issued then. */
export async function isRevokedOrDamaged(
  settings: GoDatabase["settings"],
  serial: string,
): Promise<boolean> {
  try {
    const [revocation] = await readRows(settings, serial, NOW);
    return revocation !== undefined;
  } catch (error) {
    if (error instanceof CorruptDatabaseError) return true;
    throw error;
  }
}
