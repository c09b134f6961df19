/**
 * One line of a log or a report in JSON.
 *
 * The keys that a reader may rely on are in every line, null where they have
 * nothing to say: time, level, event, file, serial, notAfter, nextAttempt,
 * class, attempt, message. Never a key, a password, a token, a CSR or a
 * response body.
 */
import { formatInstant } from "../base/duration.ts";
import type { RekeyError } from "../base/errors.ts";
import { escapeForJson, shortenedLine } from "../base/printable.ts";
import type { Hint } from "../base/remedy.ts";

export interface JsonLine {
  readonly time: Date;
  readonly level: "info" | "warning" | "error";
  readonly event: string;
  /** Path of the certificate; undefined before it is known. */
  readonly file?: string | undefined;
  /** Of the certificate in force, hexadecimal. */
  readonly serial?: string | undefined;
  readonly notAfter?: Date | undefined;
  readonly nextAttempt?: Date | undefined;
  /** Retry class of a failure: `never`, `later`, `slowly` or `reload`. */
  readonly class?: string | undefined;
  /** Failures in a row. */
  readonly attempt?: number | undefined;
  readonly message: string;
  readonly hint?: string | undefined;
  /** Kind of an error, as in the table of exit codes. */
  readonly kind?: string | undefined;
  readonly exitCode?: number | undefined;
  /** Path of a new key that was written. */
  readonly key?: string | undefined;
  /** False after a renewal. */
  readonly keyRotated?: boolean | undefined;
  /** Where a bug showed. */
  readonly trace?: readonly string[] | undefined;
}

/** The line, with its end. No character in it can move a terminal's cursor. */
export function jsonLine(line: JsonLine): string {
  return jsonAnswer({
    time: line.time.toISOString(),
    level: line.level,
    event: line.event,
    file: line.file === undefined ? null : shortenedLine(line.file),
    serial: line.serial ?? null,
    notAfter: instant(line.notAfter),
    nextAttempt: instant(line.nextAttempt),
    class: line.class ?? null,
    attempt: line.attempt ?? null,
    message: shortenedLine(line.message),
    // Left out where there is nothing to say.
    hint: line.hint === undefined ? undefined : shortenedLine(line.hint),
    kind: line.kind,
    exitCode: line.exitCode,
    key: line.key,
    keyRotated: line.keyRotated,
    trace: line.trace,
  });
}

/** What a command answers: one object on one line, which no character in it can leave. */
export function jsonAnswer(answer: object): string {
  return `${
    JSON.stringify(answer).replace(UNESCAPED_CONTROLS, escapeForJson)
  }\n`;
}

/** The part of a line that an error fills. */
export function errorFields(
  error: RekeyError,
  hintText: (hint: Hint) => string,
): Partial<JsonLine> {
  const { retry, kind, message, hint, exitCode } = error;
  return {
    class: retry,
    kind,
    message,
    hint: hint === undefined ? undefined : hintText(hint),
    exitCode,
  };
}

function instant(time: Date | undefined): string | null {
  return time === undefined ? null : formatInstant(time);
}

/** JSON escapes what is below U+0020; terminals obey these, too. */
const UNESCAPED_CONTROLS = /[\u007f-\u009f\u2028\u2029]|\p{Cf}/gu;
