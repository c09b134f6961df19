/**
 * The program: runs a command line and exits with its code.
 *
 * The only place that ends the process.
 */
import { run } from "./src/cli/run.ts";

Deno.exit(await run(Deno.args));
