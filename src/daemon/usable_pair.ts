/**
 * What comes before a program that cannot do without the pair: repaired, there,
 * and not due. Each step is one of the engine's; here is which, and when.
 */
import { RekeyError } from "../base/errors.ts";
import type { RekeyOptions } from "../base/options.ts";
import type { Runtime } from "../base/runtime.ts";
import { enrol, type EnrolJob } from "../engine/enrol.ts";
import { checkPair } from "../engine/check_pair.ts";
import { openJobPair, type RekeyJob } from "../engine/open_job.ts";
import { deliverByStart } from "../engine/pending_reload.ts";
import { replacePair } from "../engine/rekey.ts";
import { isDueAtStart } from "../engine/schedule.ts";
import { requireShorterThanLife } from "./plan.ts";

/**
 * Makes the pair of a job usable. A signal that an earlier start left pending
 * is delivered by the start that follows; a hook stays pending.
 *
 * @param job of a daemon
 * @param first gets a pair where there is none, or is why that cannot be;
 *   undefined without a token
 * @throws {RekeyError} of any kind but `signal` and `hook`
 */
export async function makePairUsable(
  job: RekeyJob,
  runtime: Runtime,
  { first, stop }: {
    readonly first: EnrolJob | RekeyError | undefined;
    readonly stop: AbortSignal;
  },
): Promise<void> {
  const { options } = job;
  const { log, clock } = runtime;
  if (options.mode.run !== "daemon") {
    throw new TypeError("these are not the options of a daemon");
  }
  const { schedule } = options.mode;
  if (await isMissing(options, runtime, stop)) {
    if (first === undefined) throw noPair(options);
    if (first instanceof RekeyError) throw first;
    const certificate = await enrol(first, runtime, stop);
    log.write({ event: "enrolled", targets: options.output, certificate });
  }
  const certificate = await checkPair(job, runtime, stop);
  requireShorterThanLife(certificate, schedule, options.names);
  if (!isDueAtStart(certificate, schedule, clock.now())) return;
  log.write({
    event: "warning",
    message: "the certificate is due: rekeying it before the command starts",
    routine: true,
  });
  // What only a running program could be told is told by its start.
  const parts = job.reloader.parts.filter((part) => part !== "signal");
  const reloader = { ...job.reloader, parts };
  const { pending } = await replacePair({ ...job, reloader }, runtime, stop);
  pending?.[Symbol.dispose]();
}

/** Whether there is no pair, once what was interrupted is repaired. */
async function isMissing(
  options: RekeyOptions,
  runtime: Runtime,
  stop: AbortSignal,
): Promise<boolean> {
  using pair = await openJobPair(options, runtime, stop);
  if (pair.isNew) return true;
  await deliverByStart(pair, runtime.log);
  return false;
}

function noPair({ output: { certificate, key } }: RekeyOptions): RekeyError {
  return new RekeyError(
    "pair",
    `there is no pair yet, and no token to get one: neither ${
      JSON.stringify(certificate)
    } nor ${JSON.stringify(key)} is there`,
    { hint: { remedy: "give a token" } },
  );
}
