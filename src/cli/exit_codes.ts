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
    "the new pair is installed, but --exec failed: n is its own exit status, 255 if a signal killed it or it exceeded --exec-timeout, 127 if it is not found and 126 if it is not executable, as in a shell",
  interrupted:
    "stopped by signal n (129 SIGHUP, 130 SIGINT, 143 SIGTERM), before the swap or, as the message then says, after it, during --exec",
};

type Meanings = Readonly<Partial<Record<ErrorKind, string>>>;

const { usage, bug, declined, unreachable, refused } = ERROR_MEANINGS;

/** Of every command that reads or writes something. */
export const ANY_COMMAND = {
  usage,
  bug,
  config: "defaults.json or contexts are unusable",
} as const satisfies Meanings;

/** Of a command that writes one file. */
export const FILE_WRITER = {
  declined,
  install: "the file cannot be written; what was there is intact",
  busy: "another process is writing the same file",
  interrupted: "stopped by signal n, before anything was written",
} as const satisfies Meanings;

/** Of a command that asks a CA. */
export const CA_ASKER = {
  unreachable,
  untrusted: "the CA's answer is unusable",
  refused,
  config: "defaults.json, contexts, --root or --ca-url is unusable",
  interrupted: "stopped by signal n",
} as const satisfies Meanings;

/** Of a command that fetches a root certificate by its digest. */
export const ROOT_ANSWER = {
  untrusted:
    "what the CA sent has another fingerprint, or is no certificate of a CA",
  refused: "the CA has no such root certificate",
  config: "defaults.json, contexts or --ca-url is unusable",
} as const satisfies Meanings;

/** Of a command that shows a certificate of a file or a server. */
export const CERTIFICATE_READER = {
  pair: "the file is missing or holds no certificate",
  unreachable: "the server cannot be reached",
  config: "defaults.json, contexts or --roots are unusable",
} as const satisfies Meanings;

/** A row of a table of exit codes. */
export interface ExitCode {
  /** A number, or how it is made where there are many. */
  readonly code: string;
  readonly when: string;
}

/** Kinds whose code is not one number. */
const OPEN_CODES: Readonly<Partial<Record<ErrorKind, string>>> = {
  hook: "n",
  interrupted: "128+n",
};

/**
 * The table of a command, in the order of the numbers.
 *
 * @param success what 0 means
 * @param meanings the kinds of errors that it can end with
 */
export function exitCodes(
  success: string,
  meanings: Meanings,
): readonly ExitCode[] {
  const rows = Object.entries(meanings).map(([name, when]) => {
    const kind = name as ErrorKind;
    const { exitCode } = ERROR_KINDS[kind];
    const code = OPEN_CODES[kind];
    return { order: code === undefined ? exitCode : Infinity, code, when };
  }).toSorted((one, other) => one.order - other.order);
  return [
    { code: "0", when: success },
    ...rows.map(({ order, code = String(order), when }) => ({ code, when })),
  ];
}
