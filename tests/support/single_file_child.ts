/**
 * A process that writes one file, to be killed or to have its calls fail.
 *
 * Arguments: the file, its content. Prints `done`, or the error's message, and
 * ends with its exit code.
 */
import { RekeyError } from "../../src/base/errors.ts";
import {
  openSingleFile,
  type SingleFileOptions,
} from "../../src/files/single_file.ts";
import { fakeTerminal } from "./fake_terminal.ts";

/** Writes it, as a command does; nobody is asked. */
export async function writeOne(
  path: string,
  content: string,
  options: Partial<SingleFileOptions> = {},
): Promise<void> {
  const file = await openSingleFile(path, {
    mode: 0o640,
    overwrite: "without asking",
    runtime: {
      clock: { now: () => new Date(), sleep: () => Promise.resolve() },
      terminal: fakeTerminal(),
    },
    signal: new AbortController().signal,
    ...options,
  });
  await file.write(new TextEncoder().encode(content));
}

if (import.meta.main) {
  const [file = "", content = ""] = Deno.args;
  try {
    await writeOne(file, content);
    console.log("done");
  } catch (error) {
    if (!(error instanceof RekeyError)) throw error;
    console.log(error.message);
    Deno.exitCode = error.exitCode;
  }
}
