/**
 * A process that signals another one: arguments are its id and the number.
 * Prints what went wrong.
 */
import { sendSignal } from "../../src/reload/signal.ts";

const [pid, number] = Deno.args.map(Number);
try {
  await sendSignal(
    { target: { pid: pid ?? 0 }, number: number ?? 0 },
    "--pid-file",
  );
} catch (error) {
  if (!(error instanceof Error)) throw error;
  await Deno.stdout.write(new TextEncoder().encode(error.message));
}
