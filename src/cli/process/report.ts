/**
 * An error as the lines that a person reads, and as an exit code. Prints
 * nothing itself.
 */
import { RekeyError } from "../../base/errors.ts";
import { errorFields, jsonLine } from "../../observe/json_line.ts";
import { timestamp } from "../../observe/log.ts";
import type { LogFormat } from "../../base/options.ts";
import type { Hint } from "../../base/remedy.ts";
import { hintText, type Speaker } from "../remedies.ts";
import {
  printableLines,
  shortenedLine,
  withoutSecrets,
} from "../../base/printable.ts";

/** What to print on standard error, and what to exit with. */
export interface FailureReport {
  readonly text: string;
  readonly exitCode: number;
}

export interface ReportOptions {
  /** STEPDEBUG=1: where it happened, and the errors underneath. */
  readonly debug: boolean;
  readonly format: LogFormat;
  /** How the command is called, when the line was wrong. */
  readonly usage?: string | undefined;
  /** Who gives the hint. */
  readonly speaker: Speaker;
  /** Path of the certificate, when it is known. */
  readonly file?: string | undefined;
}

/** What ended a daemon: its last lines look like those of its log. */
export class DaemonFailure extends Error {
  override readonly name = "DaemonFailure";
  readonly at: Date;
  constructor(cause: unknown, at: Date) {
    super("a daemon ended", { cause });
    this.at = at;
  }
}

/**
 * One line that says what is wrong, one that says what to do; or both as one
 * JSON object on one line.
 */
export function reportFailure(
  error: unknown,
  options: ReportOptions,
): FailureReport {
  if (error instanceof DaemonFailure) {
    const report = reportFailure(error.cause, options);
    if (options.format === "json") return report;
    const text = report.text.replace(/^/gm, `ERROR: ${timestamp(error.at)} `);
    // Not behind the last line end.
    return { ...report, text: text.replace(/\n[^\n]*$/, "\n") };
  }
  const { debug, format, file, usage, speaker } = options;
  const words = (hint: Hint) => hintText(hint, speaker);
  const known = asKnown(error, format);
  const message = shortenedLine(known.message);
  const isBug = known.kind === "bug";
  const details = debug || isBug ? trace(error).map(withoutSecrets) : undefined;
  if (format === "json") {
    const text = jsonLine({
      time: new Date(),
      level: "error",
      event: "failed",
      file,
      ...errorFields(known, words),
      message: known.message,
      trace: details,
    });
    return { text, exitCode: known.exitCode };
  }
  const advice = [
    usage && `usage: ${usage}`,
    known.hint && `hint: ${shortenedLine(words(known.hint))}`,
  ];
  const lines =
    (isBug ? [message, details, advice] : [message, advice, details])
      .flat().filter((line) => line !== undefined);
  const text = `${lines.map(printableLines).join("\n")}\n`;
  return { text, exitCode: known.exitCode };
}

/** What is no failure that somebody can cause is a bug, or too few permissions. */
function asKnown(error: unknown, format: LogFormat): RekeyError {
  if (error instanceof RekeyError && error.kind !== "bug") return error;
  if (error instanceof Deno.errors.NotCapable || isUnreadModule(error)) {
    // The runtime's text names its flag.
    return new RekeyError("config", error.message);
  }
  const where = format === "json" ? "this line" : "the lines above";
  return new RekeyError("bug", `unexpected error: ${messageOf(error)}`, {
    hint: `this is a bug, please report it with ${where}`,
  });
}

/** From source, a command is a file that has to be read. */
function isUnreadModule(error: unknown): error is TypeError {
  return error instanceof TypeError &&
    error.message.startsWith("Requires read access to ");
}

function trace(error: unknown): readonly string[] {
  if (!(error instanceof Error)) return [];
  const lines = [error.stack ?? messageOf(error)];
  // A chain of causes may be a circle.
  const seen = new Set<unknown>([error]);
  let cause = error.cause;
  while (cause !== undefined && !seen.has(cause)) {
    seen.add(cause);
    if (!(cause instanceof Error)) return [...lines, `caused by: ${cause}`];
    lines.push(`caused by: ${cause.stack ?? cause.message}`);
    cause = cause.cause;
  }
  return lines;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
