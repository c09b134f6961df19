/**
 * Damaged databases: whatever is done to a file, the reader ends with an answer
 * or with damage, soon, and never says of a revoked certificate that it is not.
 *
 * `deno task fuzz` tries 50,000 changes on a closed and on a crashed database
 * of each reader.
 */
import fc from "fast-check";
import { readRows } from "../../../../src/ca/offline/database/ca_database.ts";
import { CorruptDatabaseError } from "../../../../src/ca/offline/database/file/corrupt_database_error.ts";
import { assert } from "../../../support/assert.ts";
import { fuzzRuns } from "../../../fuzz/mutation.ts";
import { goTest } from "../../../support/go_program.ts";
import { goDatabase, type GoDatabaseOptions, KINDS } from "./go_database.ts";

const RUNS = Math.ceil(fuzzRuns(200) / 2);
/** Enough for several tables and pages of every kind. */
const ROWS = 1600;
/** Of one answer; a hundred times what it takes. */
const MOST_MS = 5000;

/** What is done to one file. Positions are fractions of its length. */
type Change = {
  readonly kind:
    | "flip"
    | "set"
    | "zero"
    | "insert"
    | "remove"
    | "copy"
    | "truncate"
    | "append"
    | "replace"
    | "delete";
  readonly at: number;
  readonly from: number;
  /** True: counted from the end, where indexes and torn entries are. */
  readonly isNearEnd: boolean;
  readonly length: number;
  readonly bytes: Uint8Array;
};

const CHANGE: fc.Arbitrary<Change> = fc.record({
  kind: fc.oneof(
    { weight: 6, arbitrary: fc.constant("flip" as const) },
    {
      weight: 6,
      arbitrary: fc.constantFrom(
        ...["set", "zero", "insert", "remove", "copy", "truncate"] as const,
      ),
    },
    {
      weight: 1,
      arbitrary: fc.constantFrom(...["append", "replace", "delete"] as const),
    },
  ),
  at: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  from: fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }),
  isNearEnd: fc.boolean(),
  length: fc.oneof(
    fc.integer({ min: 1, max: 16 }),
    fc.integer({ min: 1, max: 8192 }),
  ),
  bytes: fc.uint8Array({ minLength: 1, maxLength: 64 }),
});

for (const kind of KINDS) {
  for (const ways of [["small"], ["crash"]] as const) {
    goTest(
      `no change of a ${kind} database hides a revocation (${ways})`,
      async () => {
        await using database = await goDatabase(kind, { rows: ROWS, ways });
        const { directory, settings, serials } = database;
        const files = await readFiles(directory);
        const names = [...files.keys()].filter((name) => name !== "LOCK");
        const [first, last] = [serials[50], serials[serials.length - 50]];
        assert(first !== undefined && last !== undefined);
        const revoked = [first, last] as const;
        for (const serial of revoked) {
          assert((await readRows(settings, serial, NOW))[0] !== undefined);
        }
        await fc.assert(
          fc.asyncProperty(
            fc.constantFrom(...names),
            CHANGE,
            fc.constantFrom(...revoked),
            async (name, change, serial) => {
              const content = files.get(name) ?? new Uint8Array(0);
              const path = `${directory}/${name}`;
              const changed = apply(content, change);
              if (changed === undefined) await Deno.remove(path);
              else await Deno.writeFile(path, changed);
              try {
                const started = performance.now();
                const isFound = await isRevoked(settings, serial);
                assert(performance.now() - started < MOST_MS, "too slow");
                assert(
                  isFound || isOlderState({ kind, ways, name, names, change }),
                  "a revoked certificate would be issued anew",
                );
              } finally {
                await Deno.writeFile(path, content);
              }
            },
          ),
          { numRuns: RUNS },
        );
      },
    );
  }
}

const NOW = new Date();

/** True for damage, too, since nothing is issued then. */
async function isRevoked(
  settings: Parameters<typeof readRows>[0],
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

/**
 * Whether the files are those of a time before the revocation: the newest log
 * of badger v1 or v2, cut off between two transactions or gone. Nothing in the
 * database says how long it was, unless it was closed.
 */
function isOlderState(
  { kind, ways, name, names, change }: {
    readonly kind: string;
    readonly ways: GoDatabaseOptions["ways"];
    readonly name: string;
    readonly names: readonly string[];
    readonly change: Change;
  },
): boolean {
  const logs = names.filter((name) => name.endsWith(".vlog")).sort();
  return kind !== "bbolt" && ways.includes("crash") && name === logs.at(-1) &&
    (change.kind === "truncate" || change.kind === "delete" ||
      change.kind === "remove");
}

async function readFiles(
  directory: string,
): Promise<ReadonlyMap<string, Uint8Array>> {
  const files = new Map<string, Uint8Array>();
  for await (const { name } of Deno.readDir(directory)) {
    files.set(name, await Deno.readFile(`${directory}/${name}`));
  }
  return files;
}

/** Undefined: the file is gone. */
function apply(content: Uint8Array, change: Change): Uint8Array | undefined {
  const { kind, at, from, isNearEnd, length, bytes } = change;
  const reach = Math.min(content.length, isNearEnd ? 256 : content.length);
  const start = content.length - reach + Math.floor(at * reach);
  const end = Math.min(content.length, start + length);
  switch (kind) {
    case "flip": {
      const copy = content.slice();
      copy[start] = (copy[start] ?? 0) ^ (1 << (length % 8));
      return copy;
    }
    case "set": {
      const copy = content.slice();
      copy.set(bytes.subarray(0, end - start), start);
      return copy;
    }
    case "zero":
      return content.slice().fill(0, start, end);
    case "insert":
      return join(content.subarray(0, start), bytes, content.subarray(start));
    case "remove":
      return join(content.subarray(0, start), content.subarray(end));
    case "copy":
      return content.slice().copyWithin(
        start,
        Math.floor(from * content.length),
        Math.floor(from * content.length) + end - start,
      );
    case "truncate":
      return content.slice(0, start);
    case "append":
      return join(content, bytes);
    case "replace":
      return bytes;
    case "delete":
      return undefined;
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(
    parts.reduce((sum, { length }) => sum + length, 0),
  );
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
