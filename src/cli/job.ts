/**
 * Puts a job together and runs it, once or as a daemon.
 *
 * Behind a dynamic import: with this file the X.509 library is loaded.
 */
import { pinTrust } from "../ca/trust.ts";
import type {
  LayoutOptions,
  RekeyOptions,
  RollbackOptions,
} from "../options.ts";
import { type RekeyJob, rekeyOnce } from "../rekey.ts";
import { createReloader } from "../reload/reloader.ts";
import type { Runtime } from "../runtime.ts";
import { processSignals } from "./process_signals.ts";

/**
 * Runs what the options ask for, to its end.
 *
 * @throws {RekeyError} of any kind; `interrupted` when a signal ended it
 */
export async function runRekey(
  options: RekeyOptions,
  runtime: Runtime,
): Promise<void> {
  // Before anything else in the process can use TLS.
  if (options.authority.mode === "online") pinTrust();
  using signals = processSignals(options.mode.run);
  const job: RekeyJob = {
    options,
    openAuthority: await authorityOpener(options, runtime),
    reloader: createReloader(options.reload),
  };
  warnAboutOptions(options, runtime);
  if (options.mode.run === "daemon") {
    const { runDaemon } = await import("../daemon.ts");
    await runDaemon(job, runtime, signals);
    return;
  }
  const outcome = await rekeyOnce(job, runtime, signals.stop);
  if (outcome.kind === "not-due") {
    runtime.log.write({ event: "not-due", expiresInMs: outcome.expiresInMs });
  }
}

/**
 * Runs `ca rollback` to its end.
 *
 * @throws {RekeyError} of any kind; `interrupted` when a signal ended it
 */
export async function runRollback(
  options: RollbackOptions,
  runtime: Runtime,
): Promise<void> {
  using signals = processSignals("once");
  const { rollbackPair } = await import("../rollback.ts");
  const reloader = createReloader(options.reload);
  await rollbackPair({ options, reloader }, runtime, signals.stop);
}

/**
 * Runs `ca layout` to its end.
 *
 * @throws {RekeyError} of any kind; `interrupted` when a signal ended it
 */
export async function runChangeLayout(
  options: LayoutOptions,
  runtime: Runtime,
): Promise<void> {
  using signals = processSignals("once");
  const { changeLayout } = await import("../rollback.ts");
  await changeLayout(options, runtime, signals.stop);
}

/** Makes a fresh authority for each pass. Only the wanted kind is loaded. */
async function authorityOpener(
  { authority, passwordFiles }: RekeyOptions,
  { clock, log, terminal }: Runtime,
): Promise<RekeyJob["openAuthority"]> {
  if (authority.mode === "online") {
    const { createOnlineAuthority } = await import("../ca/online.ts");
    return () => createOnlineAuthority({ ...authority, clock, log });
  }
  const { createOfflineAuthority } = await import(
    "../ca/offline/offline_authority.ts"
  );
  const { config, ignoreDatabase } = authority;
  const file = passwordFiles.ca;
  return ({ signal, readPassword }) =>
    createOfflineAuthority({
      config,
      ignoreDatabase,
      password: async () =>
        file === undefined ? undefined : await readPassword(file),
      terminal,
      clock,
      log,
      signal,
    });
}

/** The original says nothing here, and leaves two files that do not match. */
function warnAboutOptions(
  { newKey, output }: RekeyOptions,
  { log }: Runtime,
): void {
  if (newKey.from !== "file" || newKey.writeCopy) return;
  if (newKey.path === output.key) return;
  log.write({
    event: "warning",
    message: `${JSON.stringify(output.certificate)} will belong to the key in ${
      JSON.stringify(newKey.path)
    }, not to ${JSON.stringify(output.key)}`,
    hint: "use --out-key to write the key as well",
  });
}
