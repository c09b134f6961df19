/**
 * `run`, together with all that a rekey of a plain key over the network loads.
 *
 * Each import that is found on the way makes the runtime build a graph of
 * modules anew: in one go a rekey from source takes 7 ms less. Decides nothing:
 * what is left out here is loaded where it is needed.
 */
import "./settings/settings.ts";
import "./commands/rekey.ts";
import "./resolve/rekey.ts";
import "./process/passes.ts";
import "./process/signals.ts";
import "./process/job.ts";
import "./process/deno_runtime.ts";
import "../ca/online/online.ts";

export { run } from "./run.ts";
