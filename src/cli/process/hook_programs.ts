/**
 * The programs of hooks, looked up before the CA is asked: after the swap it is
 * too late to learn that one is missing.
 */
import { RekeyError } from "../../base/errors.ts";
import type { ReloadOptions } from "../../base/options.ts";
import { shortened } from "../../base/printable.ts";
import type { Log } from "../../base/runtime.ts";
import { programProblem } from "../../reload/exec.ts";

/**
 * One-shot, a program of `--exec` that cannot be run is refused. It is a warning
 * for a daemon, which needs it in hours only, and for `--exec-on-failure`,
 * without which a rekey is as good.
 *
 * @throws {RekeyError} kind `usage`
 */
export async function checkHookPrograms(
  { exec, onFailure }: ReloadOptions,
  { run, log }: { readonly run: "once" | "daemon"; readonly log: Log },
): Promise<void> {
  const hooks = { "exec": exec, "exec-on-failure": onFailure };
  for (const [flag, [program] = []] of Object.entries(hooks)) {
    if (program === undefined) continue;
    const problem = await programProblem(program);
    if (problem === undefined) continue;
    const message = `the program of --${flag} cannot be run: ${
      JSON.stringify(shortened(program))
    } is ${problem}`;
    if (run === "once" && flag === "exec") {
      throw new RekeyError("usage", message, {
        hint: "nothing was changed: install it, or correct its name",
      });
    }
    const advice = run === "daemon"
      ? "it is looked up again each time"
      : undefined;
    log.write({ event: "warning", message, advice });
  }
}
