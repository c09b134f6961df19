/**
 * Puts a job together and runs it, once or as a daemon.
 *
 * Behind a dynamic import: with this file the engine is loaded.
 */
import type { NotifyEnvironment } from "../../daemon/service_manager.ts";
import type { DaemonSignals } from "../../daemon/wait.ts";
import { actOf } from "../../base/act.ts";
import type { RekeyOptions } from "../../base/options.ts";
import { RekeyError } from "../../base/errors.ts";
import { isOsError } from "../../base/os_error.ts";
import { STANDARD_INPUT } from "../../base/paths.ts";
import { shortened } from "../../base/printable.ts";
import { requireKnownOwners } from "../../files/disk/attributes.ts";
import { servedPair } from "../../files/pair/current_pair.ts";
import { reportLast, runOnce } from "../../engine/once.ts";
import type { RekeyJob } from "../../engine/open_job.ts";
import { createReloader } from "../../reload/reloader.ts";
import type { Runtime } from "../../base/runtime.ts";
import type { DenoRuntime } from "./deno_runtime.ts";

/**
 * Runs what the options ask for, to its end. The caller has pinned the trust.
 *
 * @throws {RekeyError} of any kind; `interrupted` when a signal ended it
 */
export async function runRekey(
  options: RekeyOptions,
  runtime: DenoRuntime,
  signals: DaemonSignals,
): Promise<void> {
  if (options.mode.run === "daemon") {
    await runAsDaemon(options, runtime, signals);
    return;
  }
  const job = await makeJobOrTell(options, runtime, signals.stop);
  const outcome = await runOnce(job, runtime, signals.stop);
  if (outcome.kind === "not-due") {
    const { expiresInMs } = outcome;
    const act = actOf(options);
    runtime.log.write({ event: "not-due", act, expiresInMs });
  }
}

async function runAsDaemon(
  options: RekeyOptions,
  base: DenoRuntime,
  signals: DaemonSignals,
): Promise<void> {
  const [{ rememberPasswords, runDaemon }, { connectServiceManager }] =
    await Promise.all([
      import("../../daemon/loop.ts"),
      import("../../daemon/service_manager.ts"),
    ]);
  const runtime: DenoRuntime = {
    ...base,
    terminal: rememberPasswords(base.terminal),
  };
  let hasStarted = false;
  await using service = connectServiceManager(
    notifyEnvironment(),
    (message) => runtime.log.write({ event: "warning", message }),
  );
  try {
    const job = await makeJobOrTell(options, runtime, signals.stop);
    await runDaemon(job, runtime, {
      signals,
      service,
      endsBy: "failures",
      started: () => hasStarted = true,
    });
  } catch (error) {
    // What ends it at its start reads as in a single run, as the original's.
    if (!hasStarted) throw error;
    const { DaemonFailure } = await import("./report.ts");
    throw new DaemonFailure(error, runtime.clock.now());
  }
}

/** A file or a user that is missing is no mistake in the flags: it is told. */
async function makeJobOrTell(
  options: RekeyOptions,
  runtime: DenoRuntime,
  stop: AbortSignal,
): Promise<RekeyJob> {
  try {
    return await makeJob(options, runtime);
  } catch (error) {
    if (error instanceof RekeyError) {
      await reportLast(error, options, { runtime, stop });
    }
    throw error;
  }
}

/** What systemd says to a service. */
function notifyEnvironment(): NotifyEnvironment {
  const env = (name: string) => Deno.env.get(name);
  return {
    socket: env("NOTIFY_SOCKET"),
    watchdogUsec: env("WATCHDOG_USEC"),
    watchdogPid: env("WATCHDOG_PID"),
    runtimeDirectory: env("RUNTIME_DIRECTORY"),
    pid: Deno.pid,
  };
}

/**
 * The job of these options, and what a person should know about them.
 *
 * @param service a process of our own that is told of new pairs
 */
export async function makeJob(
  options: RekeyOptions,
  runtime: DenoRuntime,
  service: { readonly signalChild?: () => Promise<void> } = {},
): Promise<RekeyJob> {
  await requireNoDirectory(options);
  requireKnownOwners(options.write.attributes);
  await checkPidFile(options, runtime);
  const { mode: { run }, reload } = options;
  if ((reload.exec ?? reload.onFailure) !== undefined) {
    const { checkHookPrograms } = await import("./hook_programs.ts");
    await checkHookPrograms(reload, { run, log: runtime.log });
  }
  const job: RekeyJob = {
    options,
    openAuthority: await authorityOpener(options, runtime),
    reloader: createReloader(options, {
      files: servedPair(options),
      beforeHook: runtime.flushLog,
      ...service,
    }),
  };
  warnAboutOptions(options, runtime);
  return job;
}

/** @throws {RekeyError} kind `install` */
async function requireNoDirectory(
  options: RekeyOptions,
): Promise<void> {
  const { input, output } = options;
  const certificate = actOf(options) === "renew" ? "out" : "out-cert";
  const flags = { certificate, key: "out-key" };
  for (const role of ["certificate", "key"] as const) {
    const file = output[role];
    if (file === input[role] || !await isDirectory(file)) continue;
    const name = input[role] === STANDARD_INPUT
      ? "FILE"
      : baseName(input[role]);
    throw new RekeyError(
      "install",
      `flag '--${flags[role]}' names a file, and ${
        JSON.stringify(shortened(file))
      } is a directory`,
      { hint: `name a file in it: ${file.replace(/\/+$/, "")}/${name}` },
    );
  }
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    // Whoever opens it says what is wrong.
    if (isOsError(error)) return false;
    throw error;
  }
}

function baseName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** Makes a fresh authority for each pass. Only the wanted kind is loaded. */
async function authorityOpener(
  { authority, passwordFiles }: RekeyOptions,
  { clock, log, terminal }: Runtime,
): Promise<RekeyJob["openAuthority"]> {
  if (authority.mode === "online") {
    const { createOnlineAuthority } = await import("../../ca/online/online.ts");
    const reachable = new Map<string, string>();
    return () => createOnlineAuthority({ ...authority, reachable, clock, log });
  }
  // `as string`: as in pki/keys/private_key.ts.
  const { createOfflineAuthority }:
    typeof import("../../ca/offline/offline_authority.ts") = await import(
      "../../ca/offline/offline_authority.ts" as string
    );
  const { config, ignoreDatabase } = authority;
  const file = passwordFiles.ca;
  return ({ signal, readPassword }) =>
    createOfflineAuthority({
      configFile: config,
      databaseIgnoredBy: ignoreDatabase ? "--ignore-database" : undefined,
      password: async () =>
        file === undefined ? undefined : await readPassword(file),
      terminal,
      clock,
      log,
      signal,
    });
}

/**
 * One-shot, a pid-file that cannot be used is refused before anything is done,
 * as by the original. A daemon may be started before the service that it
 * serves, so there it is a warning.
 */
async function checkPidFile(
  { reload: { signal }, mode, names }: RekeyOptions,
  { log }: Runtime,
): Promise<void> {
  if (signal === undefined || "pid" in signal.target) return;
  const { requirePidFile } = await import("../../reload/signal.ts");
  try {
    await requirePidFile(signal.target.pidFile, names.pidFile);
  } catch (error) {
    if (!(error instanceof RekeyError) || mode.run === "once") throw error;
    log.write({
      event: "warning",
      message: error.message,
      hint: "it is read again for each signal",
    });
  }
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
