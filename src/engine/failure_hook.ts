/**
 * --exec-on-failure: tells somebody that a certificate is about to end.
 *
 * A message about a failure must not become one: whatever the program does, the
 * exit code and the schedule stay as they are.
 */
import { loadChain } from "../files/pair/key_pair.ts";
import { RekeyError } from "../base/errors.ts";
import { formatInstant } from "../base/instant.ts";
import type { RekeyOptions } from "../base/options.ts";
import type { Certificate } from "../pki/certificate/certificate.ts";
import { printableLines } from "../base/printable.ts";
import { absolutePath } from "../reload/absolute_path.ts";
import { DEFAULT_TIMEOUT_MS, runCommand } from "../reload/exec.ts";
import type { Runtime } from "../base/runtime.ts";

/** A try that failed. */
export interface FailedTry {
  readonly error: RekeyError;
  /** Failures in a row, this one included. */
  readonly attempt: number;
  /**
   * `again`: there will be another try, so that the message can wait until the
   * end is near. `last`: there will be none.
   */
  readonly next: "again" | "last";
}

/** Least time between two messages about one row of failures, in ms. */
const QUIET_MS = 3_600_000;

/** Longest error that is handed on, in characters; systems limit a variable. */
const MOST_TEXT = 4096;

/** The end is near when no more than this part of a certificate's life is left. */
const NEAR_END = 1 / 6;

/** How long the last message waits for the one before, in ms; then it ends it. */
const LAST_WAIT_MS = 5_000;

/** The messages of one process about one certificate. */
export class FailureHook implements AsyncDisposable {
  readonly #options: RekeyOptions;
  readonly #runtime: Runtime;
  readonly #stop: AbortSignal;
  #running:
    | { readonly end: Promise<void>; readonly abort: AbortController }
    | undefined;
  #saidAtMs: number | undefined;

  constructor(options: RekeyOptions, runtime: Runtime, stop: AbortSignal) {
    this.#options = options;
    this.#runtime = runtime;
    this.#stop = stop;
  }

  /**
   * Runs the program, in the background, unless it is not time: see
   * {@linkcode FailedTry}; at most once an hour until {@linkcode succeeded}; never
   * while it runs, which a last message waits for, and ends if it must. Never
   * throws for what the program does.
   */
  async tell(failed: FailedTry): Promise<void> {
    const words = this.#options.reload.onFailure;
    if (words === undefined) return;
    if (this.#running !== undefined) {
      if (failed.next === "again") return;
      await this.#makeWay(this.#running);
    }
    const { clock } = this.#runtime;
    const now = clock.now().getTime();
    const isQuiet = this.#saidAtMs !== undefined &&
      Math.abs(now - this.#saidAtMs) < QUIET_MS;
    if (isQuiet && failed.next === "again") return;
    const certificate = await this.#certificate();
    if (failed.next === "again" && !isNearEnd(certificate, now)) return;
    this.#saidAtMs = now;
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
    this.#saidAtMs = undefined;
  }

  /** Waits for the program; its own limit and the stop signal hold for it. */
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
    try {
      await runCommand(words, {
        signal: AbortSignal.any([this.#stop, abort.signal]),
        timeoutMs: this.#options.reload.execTimeoutMs,
        // Without a limit it would hold up the end of the process.
        mostMs: failed.next === "last" ? DEFAULT_TIMEOUT_MS : undefined,
        env: environment(failed, certificate, this.#options),
        flag: "--exec-on-failure",
      });
    } catch (error) {
      if (!(error instanceof RekeyError)) throw error;
      this.#runtime.log.write({
        event: "warning",
        message: `--exec-on-failure failed: ${error.message}`,
        hint: error.hint,
      });
    }
  }

  /** Undefined when that is what failed, or when it came by standard input. */
  async #certificate(): Promise<Certificate | undefined> {
    const { input, output, mode } = this.#options;
    return mode.run === "daemon"
      ? await readLeaf(output.certificate) ?? await readLeaf(input.certificate)
      : await readLeaf(input.certificate);
  }
}

async function readLeaf(file: string): Promise<Certificate | undefined> {
  // Has been read already, and would be waited for.
  if (file === "-") return undefined;
  try {
    return (await loadChain(file))[0];
  } catch (error) {
    if (error instanceof RekeyError) return undefined;
    throw error;
  }
}

/** A certificate that cannot be read is as bad as one that ends. */
function isNearEnd(certificate: Certificate | undefined, now: number): boolean {
  if (certificate === undefined) return true;
  const begin = certificate.notBefore.getTime();
  const end = certificate.notAfter.getTime();
  return end - now <= (end - begin) * NEAR_END;
}

function environment(
  { error, attempt }: FailedTry,
  certificate: Certificate | undefined,
  { output }: RekeyOptions,
): Readonly<Record<string, string>> {
  return {
    // A message may hold text of others: no control characters for a terminal
    // or a mail, and no NUL, which no variable can hold.
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
