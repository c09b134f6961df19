/**
 * Time and memory of one look-up among 200,000 rows; only in `deno task sweep`,
 * since making them takes a while.
 */
import { ROOT } from "../../../../scripts/paths.ts";
import { assert } from "../../../support/assert.ts";
import { goTest } from "../../../support/go_program.ts";
import { runOk } from "../../../support/run.ts";
import { IS_WHOLE } from "../../../support/sweep.ts";
import { goDatabase, type GoDatabaseOptions, KINDS } from "./go_database.ts";

const MOST_MS = 1000;
const MOST_MIB = 150;

const WAYS: readonly GoDatabaseOptions["ways"][] = [[], ["crash"], ["small"]];

for (const kind of IS_WHOLE ? KINDS : []) {
  for (const ways of WAYS) {
    goTest(
      `one look-up in ${kind} (${ways}) takes ${MOST_MS} ms and ${MOST_MIB} MiB at most`,
      async () => {
        await using database = await goDatabase(kind, { rows: 200_000, ways });
        const script = database.file("look_up.ts");
        const module = `file://${ROOT}src/ca/offline/database/ca_database.ts`;
        const call = [
          JSON.stringify(database.settings),
          JSON.stringify(database.serials.at(-50)),
          "new Date()",
        ].join(", ");
        await Deno.writeTextFile(
          script,
          `import { readRows } from ${JSON.stringify(module)};
const [revocation] = await readRows(${call});
Deno.exit(revocation === undefined ? 1 : 0);\n`,
        );
        const { stdout } = await runOk("python3", [
          `${ROOT}tests/bench/measure.py`,
          ...[Deno.execPath(), "run", "-A", "--no-check", script],
        ]);
        const { code, wallMs, peakMiB } = JSON.parse(stdout);
        console.log(`${kind} (${ways}): ${wallMs} ms, ${peakMiB} MiB`);
        assert(code === 0 && wallMs <= MOST_MS && peakMiB <= MOST_MIB);
      },
    );
  }
}
