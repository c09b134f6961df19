/**
 * The injected part of the program: clock, chance, terminal and log.
 *
 * Tests replace these four and nothing else. The real ones are made in
 * `cli/process/deno_runtime.ts`.
 */
import type { Act } from "./act.ts";
import type { RekeyError } from "./errors.ts";
import type { KeyPairFiles } from "./options.ts";
import type { Hint } from "./remedy.ts";

/** Wall-clock time. */
export interface Clock {
  now(): Date;
  /**
   * Resolves after `ms`, or at once when `signal` aborts. It is one timer, which
   * does not see that the clock was set or that the machine was suspended: a
   * long wait is made of slices of at most a minute.
   */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** The person at the terminal, if there is one. Standard input is never read as an answer. */
export interface Terminal {
  /**
   * Asks a yes-or-no question on the terminal; Enter means yes, as the `[Y/n]`
   * that the question ends with says.
   *
   * @throws {NoTerminalError} when nobody can be asked
   * @throws {RekeyError} kind `interrupted` when `signal` aborts, or on Ctrl-C; kind `declined` on Ctrl-D
   */
  confirm(question: string, signal: AbortSignal): Promise<boolean>;
  /**
   * Reads one line without echo. Trailing white space is removed.
   *
   * @throws {NoTerminalError} when nobody can be asked
   * @throws {RekeyError} kind `interrupted` when `signal` aborts, or on Ctrl-C; kind `declined` on Ctrl-D
   */
  readPassword(label: string, signal: AbortSignal): Promise<string>;
  /**
   * Says `what` is going on, on a terminal that somebody looks at, once that
   * has taken a second. Disposing it takes the line away again.
   */
  busy(what: string): Disposable;
}

/** There is no terminal. The caller knows what helps; `reason` is the system's. */
export class NoTerminalError extends Error {
  override readonly name = "NoTerminalError";
  readonly reason: string;
  constructor(reason: string) {
    super(`error allocating terminal: open /dev/tty: ${reason}`);
    this.reason = reason;
  }
}

/** What happened, as data; `observe/log.ts` has the wording. */
export type LogEvent =
  | {
    readonly event: "rekeyed";
    readonly targets: WrittenFiles;
    readonly certificate: IssuedFacts;
  }
  | {
    /** The first certificate, where there was no pair. */
    readonly event: "enrolled";
    readonly targets: KeyPairFiles;
    readonly certificate: IssuedFacts;
  }
  | {
    /** The key is the one that was there. */
    readonly event: "renewed";
    readonly targets: WrittenFiles;
    readonly certificate: IssuedFacts;
    /** True when a rekey was asked for, and only a renewal was possible. */
    readonly isFallback: boolean;
  }
  | {
    /** The previous pair is in force again. */
    readonly event: "rolled-back";
    readonly targets: KeyPairFiles;
    readonly certificate: IssuedFacts;
  }
  | {
    readonly event: "layout";
    readonly targets: KeyPairFiles;
    readonly layout: "plain" | "versioned";
    /** False when the pair was in that layout already. */
    readonly isChanged: boolean;
  }
  | {
    /** The certificate lives longer than the limit of this run. */
    readonly event: "not-due";
    readonly act: Act;
    readonly expiresInMs: number;
  }
  | {
    /** An interrupted swap was found and dealt with. */
    readonly event: "repaired";
    readonly recovery:
      | { readonly kind: "finished" | "undone" | "layout changed" }
      | {
        readonly kind: "foreign";
        readonly file: string;
        /** Where the old key was saved, when it exists nowhere else. */
        readonly savedKey?: string | undefined;
      };
  }
  | {
    readonly event: "scheduled";
    /** What was done; at the start, what will be. */
    readonly act: Act;
    readonly certificate: IssuedFacts;
    readonly waitMs: number;
    /** True for the first wait after the start. */
    readonly first: boolean;
  }
  | {
    /** Somebody else put another certificate in the place. */
    readonly event: "replaced";
    readonly certificate: IssuedFacts;
  }
  /** A pending reload was delivered. */
  | { readonly event: "reloaded" }
  | {
    /** The pair is new, but the service was not reached. */
    readonly event: "reload-failed";
    readonly error: RekeyError;
    /** Failures in a row, this one included. */
    readonly attempt: number;
    /** Undefined when the limit of tries is reached. */
    readonly nextAttemptMs: number | undefined;
  }
  | {
    readonly event: "warning";
    readonly message: string;
    /** Behind the message, on its line. */
    readonly advice?: Hint | undefined;
    /** True for what a daemon would repeat in every pass. */
    readonly once?: boolean | undefined;
    /** True where nobody has to act: a daemon logs it as information. */
    readonly routine?: boolean | undefined;
    readonly hint?: Hint | undefined;
  }
  | {
    readonly event: "failed";
    readonly error: RekeyError;
    /** Failures in a row, this one included. */
    readonly attempt: number;
    readonly nextAttemptMs: number;
    /** The one that the failed try should have replaced; undefined when there is none to be read. */
    readonly certificate: IssuedFacts | undefined;
    /** Until it expires; negative when it has. */
    readonly leftMs: number | undefined;
  }
  /** SIGHUP asked for a rekey before its time. */
  | { readonly event: "woken"; readonly act: Act }
  | {
    /** The wall clock moved by that much more (less: negative) than the time that passed. */
    readonly event: "clock-stepped";
    readonly byMs: number;
    /** Until the next try; undefined while a throttle holds it back. */
    readonly nextAttemptMs?: number | undefined;
  }
  | {
    /** The command that uses the pair runs. */
    readonly event: "command-started";
    readonly program: string;
    readonly pid: number;
  }
  | {
    readonly event: "command-ended";
    readonly program: string;
    /** As a shell has it: 128 and the number of the signal that ended it. */
    readonly exitCode: number;
    readonly signal: string | undefined;
  }
  /** A signal ended the daemon. */
  | { readonly event: "stopped" };

/** Paths that were written; without `key` when only the certificate was. */
export interface WrittenFiles {
  readonly certificate: string;
  readonly key?: string | undefined;
}

/** The part of a certificate that a log line may show. */
export interface IssuedFacts {
  /** First common name of the subject, or undefined. */
  readonly commonName: string | undefined;
  /** Typed SANs (`DNS:a`). */
  readonly names: readonly string[];
  /** Hexadecimal, as openssl prints it. */
  readonly serial: string;
  readonly notAfter: Date;
}

/** Where events go. Never throws; never holds a secret. */
export interface Log {
  write(event: LogEvent): void;
}

/** The only injected object. */
export interface Runtime {
  readonly clock: Clock;
  /** Uniform in [0, 1); for jitter, never for keys. */
  random(): number;
  readonly terminal: Terminal;
  readonly log: Log;
}
