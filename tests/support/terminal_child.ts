/**
 * A process that asks one question on its terminal.
 *
 * Arguments: `confirm` or `password`, the file for the answer, and `abort` to
 * give up when the process is told so by SIGUSR2.
 */
import { denoTerminal } from "../../src/cli/process/terminal.ts";
import { RekeyError } from "../../src/base/errors.ts";
import { NoTerminalError } from "../../src/base/runtime.ts";

const [question, file = "", mode] = Deno.args;
const controller = new AbortController();
if (mode === "abort") {
  Deno.addSignalListener("SIGUSR2", () => {
    controller.abort(
      new RekeyError("interrupted", "stopped by a test", { exitCode: 99 }),
    );
  });
}
if (mode === "aborted") controller.abort();

async function answer(): Promise<unknown> {
  const terminal = denoTerminal("once");
  try {
    return question === "confirm"
      ? await terminal.confirm("Sure? [Y/n]: ", controller.signal)
      : await terminal.readPassword("Password: ", controller.signal);
  } catch (error) {
    if (error instanceof NoTerminalError) return `none: ${error.reason}`;
    if (!(error instanceof RekeyError)) throw error;
    return `${error.kind} ${error.exitCode}: ${error.message}`;
  }
}

await Deno.writeTextFile(file, JSON.stringify(await answer()));
Deno.exit(0);
