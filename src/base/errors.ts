/**
 * The one error class of the program, and what each kind of error means.
 *
 * Lower layers throw {@linkcode RekeyError} where the meaning is known; callers
 * branch on `kind`, never on text. Anything else that escapes is a bug.
 *
 * Exit codes follow sysexits(3), so that they cannot be confused with the
 * status of a hook, which is passed through.
 */
import type { Hint } from "./remedy.ts";

/** What went wrong, as far as callers have to tell it apart. */
export type ErrorKind =
  | "declined"
  | "usage"
  | "pair"
  | "unreachable"
  | "bug"
  | "signal"
  | "install"
  | "busy"
  | "untrusted"
  | "refused"
  | "config"
  | "hook"
  | "interrupted";

/**
 * Whether another try can help. `never`: not before a person changes something
 * here. `later`: it may succeed without a change. `slowly`: only after somebody
 * changes the CA's policy. `reload`: the pair is installed, and only the reload
 * is worth another try.
 */
export type RetryClass = "never" | "later" | "slowly" | "reload";

/** The exit code of a kind, and whether to try again. */
export interface ErrorKindFacts {
  readonly exitCode: number;
  readonly retry: RetryClass;
}

/** Every kind with its exit code and retry class; `cli/exit_codes.ts` has the meaning. */
export const ERROR_KINDS: Readonly<Record<ErrorKind, ErrorKindFacts>> = {
  declined: { exitCode: 1, retry: "never" },
  usage: { exitCode: 64, retry: "never" },
  pair: { exitCode: 65, retry: "never" },
  unreachable: { exitCode: 69, retry: "later" },
  bug: { exitCode: 70, retry: "never" },
  signal: { exitCode: 71, retry: "reload" },
  install: { exitCode: 73, retry: "later" },
  busy: { exitCode: 75, retry: "later" },
  untrusted: { exitCode: 76, retry: "never" },
  refused: { exitCode: 77, retry: "slowly" },
  config: { exitCode: 78, retry: "never" },
  hook: { exitCode: 1, retry: "reload" },
  interrupted: { exitCode: 130, retry: "never" },
};

/** What a {@linkcode RekeyError} may carry besides kind and message. */
export interface RekeyErrorOptions {
  /** One action that the user can take, printed as `hint: …`. */
  readonly hint?: Hint | undefined;
  /** The error underneath. Never shown unless STEPDEBUG=1. */
  readonly cause?: unknown;
  /** Overrides the exit code of the kind (a hook's own status, 128 + signal). */
  readonly exitCode?: number | undefined;
  /** Overrides the retry class of the kind (an expired certificate that the CA's policy may revive). */
  readonly retry?: RetryClass | undefined;
  /** Milliseconds after which the CA asked us to come back (`Retry-After`). */
  readonly retryAfterMs?: number | undefined;
}

/**
 * A failure that a user, a file or a CA can cause.
 *
 * The message is one sentence (or the original's fixed text), names the action
 * and the file, and never holds a key, a password, a token or a CA's raw body.
 */
export class RekeyError extends Error {
  override readonly name = "RekeyError";
  readonly kind: ErrorKind;
  readonly hint: Hint | undefined;
  readonly exitCode: number;
  readonly retry: RetryClass;
  readonly retryAfterMs: number | undefined;

  constructor(
    kind: ErrorKind,
    message: string,
    options: RekeyErrorOptions = {},
  ) {
    super(
      message,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.kind = kind;
    this.hint = options.hint;
    this.exitCode = options.exitCode ?? ERROR_KINDS[kind].exitCode;
    this.retry = options.retry ?? ERROR_KINDS[kind].retry;
    this.retryAfterMs = options.retryAfterMs;
  }
}
