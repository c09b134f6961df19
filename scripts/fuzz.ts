/**
 * `deno task fuzz`: damaged inputs for every parser, 100,000 for each test that
 * makes them up. `--runs=N` sets another number.
 */
import { report, runTests } from "./run_tests.ts";
import { setUp } from "./test.ts";

const TESTS = ["tests/fuzz", "tests/ca/offline/database/fuzz_test.ts"];

if (import.meta.main) {
  const runs = Deno.args.find((word) => word.startsWith("--runs="))?.slice(7) ??
    "100000";
  await setUp();
  Deno.exit(report([await runTests(TESTS, { REKEY_TEST_FUZZ_RUNS: runs })]));
}
