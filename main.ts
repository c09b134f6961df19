/**
 * The program: runs a command line and exits with its code.
 *
 * The only place that ends the process. What takes longest begins in the first
 * line, and only then the modules of the command line are read.
 */
import { denoProgram } from "./src/cli/process/program.ts";

const exitCode = Promise.withResolvers<number>();

async function main(): Promise<void> {
  const program = denoProgram();
  const isRekey = program.beginEarly(Deno.args);
  // `as string`: no other start reads it.
  const { run }: typeof import("./src/cli/run.ts") = isRekey
    ? await import("./src/cli/whole_rekey.ts" as string)
    : await import("./src/cli/run.ts");
  exitCode.resolve(await run(Deno.args, program));
}

// Not called from here: where an error is thrown, V8 (15.0) parses all that is
// on its stack once more to find the lines. The frame of a file is the whole
// file: of the bundle that would take 20 ms.
queueMicrotask(main);
Deno.exit(await exitCode.promise);
