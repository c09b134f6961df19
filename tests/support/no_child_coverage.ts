/**
 * Loaded before each file of tests: coverage is of the test's own process.
 *
 * A program that a test starts would write one file for each of its modules,
 * which takes it longer than its work. Whatever is judged by coverage has
 * tests that call it.
 */
Deno.env.delete("DENO_COVERAGE_DIR");
