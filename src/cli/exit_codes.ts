/**
 * What each kind of error means to a user, for the help and README.
 */
import { ERROR_KINDS, type ErrorKind } from "../base/errors.ts";

/** When a kind of error occurs. */
export const ERROR_MEANINGS: Readonly<Record<ErrorKind, string>> = {
  declined: "you answered no to overwriting",
  usage: "flags and arguments, and combinations of them that cannot work",
  pair:
    "the current certificate or key is missing, malformed, mismatched, expired beyond recovery, or the password is wrong",
  unreachable:
    "the CA cannot be reached: DNS, TCP, TLS, timeout, HTTP 429 or 5xx",
  bug: "an unexpected exception; please report it",
  signal: "the new pair is installed, but the process could not be signalled",
  install:
    "the files cannot be written; the old pair is intact, or kept where the message says",
  busy: "another process is working on the same pair",
  untrusted: "the CA's answer failed verification; nothing was written",
  refused: "the CA refused the request (HTTP 4xx)",
  config:
    "defaults.json, contexts, ca.json, the CA's database, --root or --ca-url is unusable",
  hook:
    "the new pair is installed, but --exec failed: its own exit status, 255 if a signal killed it or it exceeded --exec-timeout, 1 if it could not be started",
  interrupted:
    "stopped by signal n, before the swap or, as the message then says, after it, during --exec",
};

/** A row of the table of exit codes. */
export interface ExitCode {
  readonly exitCode: number;
  readonly when: string;
}

/** Every exit code with its meanings, in the order of the numbers. */
export function exitCodes(): readonly ExitCode[] {
  const kinds = Object.keys(ERROR_KINDS) as ErrorKind[];
  return [
    {
      exitCode: 0,
      when: "rekeyed; or not due yet; or a daemon that was told to stop",
    },
    ...kinds.map((kind) => ({
      exitCode: ERROR_KINDS[kind].exitCode,
      when: ERROR_MEANINGS[kind],
    })),
  ].toSorted((one, other) => one.exitCode - other.exitCode);
}
