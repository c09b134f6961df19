/**
 * The program that tells somebody about failures, before a certificate expires.
 *
 * A message about a failure must not become one: whatever the program does, the
 * exit code and the schedule stay as they are.
 */
import { formatInstant } from "../base/duration.ts";
import { RekeyError } from "../base/errors.ts";
import type { RekeyOptions } from "../base/options.ts";
import { absolutePath, STANDARD_INPUT } from "../base/paths.ts";
import { printableLines } from "../base/printable.ts";
import type { Runtime } from "../base/runtime.ts";
import { loadChain } from "../files/pair/key_pair.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";
import { DEFAULT_TIMEOUT_MS, runCommand } from "../reload/exec.ts";
import { lifetimeMs, remainingMs } from "./schedule.ts";

/** A try that failed. */
export interface FailedTry {
  readonly error: RekeyError;
  /** Failures in a row, this one included. */
  readonly attempt: number;
  /**
   * `again`: there will be another try, so the message can wait until the
   * certificate is about to expire. `last`: there will be none.
   */
  readonly next: "again" | "last";
}

/** Least time between two messages about one row of failures, in ms. */
const QUIET_MS = 3_600_000;

/** Longest error text, in characters: systems limit the size of a variable. */
const MOST_TEXT = 4096;

/** A certificate is about to expire when no more than this part of its life is left. */
const NEAR_END = 1 / 6;

/** How long the last message waits for the one before it, which it then ends, in ms. */
const LAST_WAIT_MS = 5_000;

/** The messages of one process about the failures of one certificate. */
export class FailureHook implements AsyncDisposable {
  readonly #options: RekeyOptions;
  readonly #runtime: Runtime;
  readonly #stop: AbortSignal;
  #running:
    | { readonly end: Promise<void>; readonly abort: AbortController }
    | undefined;
  #toldAtMs: number | undefined;

  constructor(options: RekeyOptions, runtime: Runtime, stop: AbortSignal) {
    this.#options = options;
    this.#runtime = runtime;
    this.#stop = stop;
  }

  /**
   * Runs the program in the background. While another try follows, it does so
   * only when the certificate is about to expire, at most once an hour until
   * {@linkcode succeeded}, and not while the program runs. A last message is
   * always told: it waits for a running program, and ends it if that takes too
   * long. Never throws for what the program does.
   */
  async tell(failed: FailedTry): Promise<void> {
    const words = this.#options.reload.onFailure;
    if (words === undefined) return;
    if (this.#running !== undefined) {
      if (failed.next === "again") return;
      await this.#makeWay(this.#running);
    }
    const { clock } = this.#runtime;
    const now = clock.now();
    const isQuiet = this.#toldAtMs !== undefined &&
      Math.abs(now.getTime() - this.#toldAtMs) < QUIET_MS;
    if (isQuiet && failed.next === "again") return;
    const certificate = await this.#certificate();
    if (failed.next === "again" && !isNearEnd(certificate, now)) return;
    this.#toldAtMs = now.getTime();
    const abort = new AbortController();
    const end = this.#run(words, { failed, certificate, abort })
      .finally(() => this.#running = undefined);
    this.#running = { end, abort };
  }

  async #makeWay(
    { end, abort }: { end: Promise<void>; abort: AbortController },
  ): Promise<void> {
    const timer = setTimeout(() => abort.abort(), LAST_WAIT_MS);
    try {
      await end;
    } finally {
      clearTimeout(timer);
    }
  }

  /** Ends a row of failures: the next one is told at once. */
  succeeded(): void {
    this.#toldAtMs = undefined;
  }

  /** Waits for the program, which its own limit and the stop signal end. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running?.end;
  }

  async #run(
    words: readonly string[],
    { failed, certificate, abort }: {
      readonly failed: FailedTry;
      readonly certificate: Certificate | undefined;
      readonly abort: AbortController;
    },
  ): Promise<void> {
    const name = this.#options.names.execOnFailure;
    try {
      await runCommand(words, {
        name,
        signal: AbortSignal.any([this.#stop, abort.signal]),
        timeoutMs: this.#options.reload.execTimeoutMs,
        // Without a limit it would hold up the end of the process.
        mostMs: failed.next === "last" ? DEFAULT_TIMEOUT_MS : undefined,
        env: environment(failed, certificate, this.#options),
      });
    } catch (error) {
      if (!(error instanceof RekeyError)) throw error;
      this.#runtime.log.write({
        event: "warning",
        message: `${name} failed: ${error.message}`,
        hint: error.hint,
      });
    }
  }

  /** Undefined when it cannot be read, or came by standard input. */
  async #certificate(): Promise<Certificate | undefined> {
    const { input, output, mode } = this.#options;
    return mode.run === "daemon"
      ? await readLeaf(output.certificate) ?? await readLeaf(input.certificate)
      : await readLeaf(input.certificate);
  }
}

async function readLeaf(file: string): Promise<Certificate | undefined> {
  // Standard input has been read, and a second read would wait for more.
  if (file === STANDARD_INPUT) return undefined;
  try {
    return (await loadChain(file))[0];
  } catch (error) {
    if (error instanceof RekeyError) return undefined;
    throw error;
  }
}

/** A certificate that cannot be read is as bad as one that expires. */
function isNearEnd(certificate: Certificate | undefined, now: Date): boolean {
  return certificate === undefined ||
    remainingMs(certificate, now) <= lifetimeMs(certificate) * NEAR_END;
}

function environment(
  { error, attempt }: FailedTry,
  certificate: Certificate | undefined,
  { output }: RekeyOptions,
): Readonly<Record<string, string>> {
  return {
    // A message may quote others: no control characters for a terminal or a
    // mail, and no NUL, which a variable cannot hold.
    STEP_REKEY_ERROR: printableLines(error.message).slice(0, MOST_TEXT),
    STEP_REKEY_ERROR_CLASS: error.retry,
    STEP_REKEY_ERROR_KIND: error.kind,
    STEP_REKEY_NOT_AFTER: certificate === undefined
      ? ""
      : formatInstant(certificate.notAfter),
    STEP_REKEY_ATTEMPT: String(attempt),
    STEP_REKEY_CERT: absolutePath(output.certificate),
  };
}
