/**
 * A process that asks one question on its terminal.
 *
 * Arguments: `confirm` or `password`, and the file for the answer. Then `abort`
 * to give up when the process is told so by SIGUSR2, or `aborted` to have been
 * told so before; else it is stopped by the signals of a single run.
 */
import { processSignals } from "../../src/cli/process/signals.ts";
import { denoTerminal } from "../../src/cli/process/terminal.ts";
import { RekeyError } from "../../src/base/errors.ts";
import { NoTerminalError } from "../../src/base/runtime.ts";

const [question, file = "", mode] = Deno.args;
const controller = new AbortController();
const signal = mode === undefined
  ? processSignals("once").stop
  : controller.signal;
if (mode === "abort") {
  Deno.addSignalListener("SIGUSR2", () => {
    controller.abort(
      new RekeyError("interrupted", "stopped by a test", { exitCode: 99 }),
    );
  });
}
if (mode === "aborted") {
  controller.abort(new RekeyError("interrupted", "stopped before"));
}

async function answer(): Promise<unknown> {
  const terminal = denoTerminal();
  try {
    return question === "confirm"
      ? await terminal.confirm("Sure? [Y/n]: ", signal)
      : await terminal.readPassword("Password: ", signal);
  } catch (error) {
    if (error instanceof NoTerminalError) return `none: ${error.reason}`;
    if (!(error instanceof RekeyError)) throw error;
    return `${error.kind} ${error.exitCode}: ${error.message}`;
  }
}

await Deno.writeTextFile(file, JSON.stringify(await answer()));
Deno.exit(0);
