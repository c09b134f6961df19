/**
 * A daemon that runs as long as its authority has answers: with a clock that
 * skips the waits, and a real pair on a real disk.
 */
import type { Act } from "../../src/base/act.ts";
import type { CertificateAuthority } from "../../src/ca/authority.ts";
import { connectServiceManager } from "../../src/daemon/service_manager.ts";
import { runDaemon } from "../../src/daemon/loop.ts";
import type { DaemonHost, DaemonSignals } from "../../src/daemon/wait.ts";
import { RekeyError, type RekeyErrorOptions } from "../../src/base/errors.ts";
import { resolveTarget } from "../../src/files/disk/target.ts";
import { ReloadDraft } from "../../src/files/reload_note/pending_reload.ts";
import { parseChain } from "../../src/pki/certificate/certificate.ts";
import { createCsr, type Csr } from "../../src/pki/keys/csr.ts";
import {
  createReloader,
  type ReloadFailures,
  type ReloadNotice,
} from "../../src/reload/reloader.ts";
import type { LogEvent, Runtime } from "../../src/base/runtime.ts";
import { fakeClock } from "../daemon/fake_clock.ts";
import { assert } from "./assert.ts";
import { runLine } from "./command_line.ts";
import { noTerminal } from "./fake_terminal.ts";
import { OpensslCa } from "./openssl_ca.ts";
import { tempDir } from "./temp_dir.ts";

/** In ms. */
export const HOUR = 3_600_000;

/** The paths of a pair. */
export interface Files {
  readonly certificateFile: string;
  readonly keyFile: string;
}

/** What the authority does with the n-th request. */
export type Answer = "issue" | RekeyError | ((files: Files) => void);

/** An error that the authority answers with. */
export function refusal(
  kind: "unreachable" | "refused" | "untrusted",
  options: RekeyErrorOptions = {},
): RekeyError {
  return new RekeyError(kind, `the CA is ${kind}`, options);
}

/** What is known of a daemon that has ended. */
export interface DaemonRun {
  readonly events: readonly LogEvent[];
  /** Waits between the steps, in ms, as the log tells them. */
  readonly waits: readonly number[];
  /** How much time passed, by the clock. */
  readonly elapsedMs: number;
}

/** Runs one until the answers are used up. */
export async function daemonRun(
  answers: readonly Answer[],
  { args = [], lifetimeMs = 24 * HOUR, random = 0.5, ...place }: {
    readonly args?: readonly string[];
    /** Of every certificate that is issued; the first one is valid for a day. */
    readonly lifetimeMs?: number;
    readonly random?: number;
    /** Filled as it runs, for one that ends with an error. */
    readonly events?: LogEvent[];
    /** Asks for a rekey again and again. */
    readonly isWoken?: boolean;
    /** Called by each sleep; the files are the pair's, and another one's. */
    sleeping?(sleep: number, files: Files, other: Files): void;
    /** In place of the service. */
    reload?(notice: ReloadNotice, files: Files): ReloadFailures;
    /** A reload of this certificate is pending, beside its file. */
    readonly pendingFor?: "host" | "other";
    /** The authority's settings cannot be read. */
    readonly isBroken?: boolean;
    started?(): void;
    readonly command?: Act;
    readonly endsBy?: DaemonHost["endsBy"];
  } = {},
): Promise<DaemonRun> {
  await using dir = await tempDir();
  const ca = await OpensslCa.root(dir.file("ca"), "Root");
  const start = new Date(Math.floor(Date.now() / 1000) * 1000);
  const clock = fakeClock(start, (sleep) => {
    place.sleeping?.(sleep, pair, other);
    return 0;
  });
  const issue = (name: string, lifeMs: number) => ({
    subject: `/CN=${name}`,
    names: `DNS:${name}`,
    notBefore: clock.now(),
    notAfter: new Date(clock.now().getTime() + lifeMs),
  });
  const pair = await ca.issue("host", issue("host", 24 * HOUR));
  const other = await ca.issue("other", issue("host", 12 * HOUR));
  if (place.pendingFor === "host") await notePendingReload(pair);
  if (place.pendingFor === "other") await notePendingReload(other);
  const { options } = await runLine([
    ...[
      "ca",
      place.command ?? "rekey",
      "--daemon",
      "--ca-url",
      "https://ca.example",
    ],
    ...[...args, pair.certificateFile, pair.keyFile],
  ]);
  assert(options !== undefined);
  const stop = new AbortController();
  const signals: DaemonSignals = {
    stop: stop.signal,
    wake: () =>
      place.isWoken === true
        ? AbortSignal.abort()
        : new AbortController().signal,
    clearWake: () => {},
  };
  const events = place.events ?? [];
  let asked = 0;
  const authority: CertificateAuthority = {
    onPathProblem: "refuse",
    roots: () => Promise.resolve(chainOf(ca.certificate)),
    rekey: ({ csr }) => answerNext(csr),
    renew: async ({ current }) =>
      await answerNext(await createCsr(current.key)),
  };
  async function answerNext({ pem }: Csr) {
    const answer = answers[asked++];
    if (asked >= answers.length) queueStop();
    if (answer === undefined) throw new Error("asked too often");
    if (answer instanceof RekeyError) throw answer;
    if (typeof answer === "function") answer(pair);
    return chainOf(await ca.sign(pem, issue("host", lifetimeMs)));
  }
  // After the step that the last answer belongs to.
  const state = { isLast: false };
  const queueStop = () => state.isLast = true;
  const runtime: Runtime = {
    clock,
    random: () => random,
    terminal: noTerminal(),
    log: {
      write(event) {
        events.push(event);
        const ends = event.event === "failed" || event.event === "scheduled";
        if (ends && state.isLast) stop.abort();
      },
    },
  };
  await using service = connectServiceManager({
    socket: undefined,
    watchdogUsec: undefined,
    watchdogPid: undefined,
    runtimeDirectory: undefined,
    pid: 1,
  }, () => {});
  const { reload } = place;
  const job = {
    options,
    openAuthority() {
      if (place.isBroken === true) throw new RekeyError("config", "broken");
      return authority;
    },
    reloader: reload === undefined
      ? createReloader(options, { files: options.output })
      : {
        parts: ["exec"] as const,
        deliver: (notice: ReloadNotice) =>
          Promise.resolve(reload(notice, pair)),
      },
  };
  await runDaemon(job, runtime, {
    signals,
    service,
    endsBy: place.endsBy ?? "failures",
    started: () => place.started?.(),
  });
  return {
    events,
    waits: events.flatMap((event) =>
      event.event === "scheduled"
        ? [event.waitMs]
        : event.event === "failed"
        ? [event.nextAttemptMs]
        : []
    ),
    elapsedMs: clock.now().getTime() - start.getTime(),
  };
}

function chainOf(pem: string) {
  return parseChain(new TextEncoder().encode(pem));
}

async function notePendingReload({ certificateFile }: Files): Promise<void> {
  const [leaf] = chainOf(await Deno.readTextFile(certificateFile));
  if (leaf === undefined) throw new Error("no certificate");
  using draft = new ReloadDraft(resolveTarget(certificateFile), ["exec"]);
  const pending = await draft.around(() => {}, { certificate: leaf });
  pending?.[Symbol.dispose]();
}
