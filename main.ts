/**
 * The program: runs a command line and exits with its code.
 *
 * The only place that ends the process. What takes longest begins in the first
 * line, and only then the modules of the command line are read.
 */
import { denoProgram } from "./src/cli/process/program.ts";

const program = denoProgram();
program.beginEarly(Deno.args);
const { run } = await import("./src/cli/run.ts");
Deno.exit(await run(Deno.args, program));
