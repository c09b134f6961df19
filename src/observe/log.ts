/**
 * The wording of log events.
 *
 * One-shot: result lines and warnings on stderr. Daemon: INFO lines on stdout,
 * ERROR lines on stderr, with the local time, as the original's. Never a key,
 * a password, a token, a CSR or a response body.
 */
import { formatRoundedDuration } from "../base/duration.ts";
import { formatInstant } from "../base/instant.ts";
import type { Hint } from "../base/remedy.ts";
import { printable, printableLines } from "../base/printable.ts";
import type { IssuedFacts, Log, LogEvent } from "../base/runtime.ts";

/** Where lines go; each call is one or more whole lines. */
export interface LogSinks {
  out(text: string): void;
  err(text: string): void;
  /** The words of a hint: what the command line calls it. */
  hintText(hint: Hint): string;
}

type HintWords = Pick<LogSinks, "hintText">;

/** The log of a one-shot run. `colour`: ANSI codes as the original's. */
export function oneShotLog(sinks: LogSinks, colour: boolean): Log {
  return {
    write(event) {
      for (const line of oneShotLines(event, sinks, colour)) {
        sinks.err(`${line}\n`);
      }
    },
  };
}

/** The log of a daemon; `now` gives the time in front of each line. */
export function daemonLog(sinks: LogSinks, now: () => Date): Log {
  const said = new Set<string>();
  return {
    write(event) {
      if (event.event === "warning" && event.once === true) {
        if (said.has(event.message)) return;
        said.add(event.message);
      }
      const stamp = timestamp(now());
      const { level, lines } = daemonLines(event, sinks);
      const write = level === "ERROR" ? sinks.err : sinks.out;
      // A path with a line end must not make a line without a prefix.
      for (const line of lines.flatMap((line) => line.split("\n"))) {
        write(`${level}: ${stamp} ${line}\n`);
      }
    },
  };
}

function oneShotLines(
  event: LogEvent,
  words: HintWords,
  colour: boolean,
): readonly string[] {
  switch (event.event) {
    case "rekeyed": {
      const { certificate, key } = event.targets;
      return [
        resultLine("Certificate", certificate, colour),
        ...key === undefined ? [] : [resultLine("Private Key", key, colour)],
      ];
    }
    case "rolled-back": {
      const { targets, certificate } = event;
      return [
        resultLine("Certificate", targets.certificate, colour),
        resultLine("Private Key", targets.key, colour),
        rollbackText(certificate),
      ];
    }
    case "layout":
      return [layoutText(event)];
    case "not-due":
      return [
        `certificate not rekeyed: expires in ${
          formatRoundedDuration(event.expiresInMs)
        }`,
      ];
    case "scheduled":
    case "replaced":
    case "woken":
    case "stopped":
    case "reloaded":
      return [];
    default:
      return troubleLines(event, words);
  }
}

/** An event as a daemon's lines without time; none when it says nothing. */
export function daemonLines(
  event: LogEvent,
  words: HintWords,
): { readonly level: "INFO" | "ERROR"; readonly lines: readonly string[] } {
  switch (event.event) {
    case "rekeyed":
      // The line of "scheduled", which follows, says it in the original's form.
      return { level: "INFO", lines: [] };
    case "scheduled":
      return {
        level: "INFO",
        lines: [
          event.first
            ? `first rekey in ${formatRoundedDuration(event.waitMs)}`
            : `${subject(event.certificate)} certificate rekeyed, next in ${
              formatRoundedDuration(event.waitMs)
            }`,
        ],
      };
    case "rolled-back":
      return { level: "INFO", lines: [rollbackText(event.certificate)] };
    case "layout":
      return { level: "INFO", lines: [layoutText(event)] };
    case "not-due":
      return {
        level: "INFO",
        lines: [
          `certificate not rekeyed: expires in ${
            formatRoundedDuration(event.expiresInMs)
          }`,
        ],
      };
    case "clock-stepped":
      // Ahead is what every suspend looks like.
      return event.byMs < 0
        ? { level: "ERROR", lines: troubleLines(event, words) }
        : { level: "INFO", lines: troubleLines(event, words) };
    case "replaced":
      return {
        level: "INFO",
        lines: [`${subject(event.certificate)} certificate was replaced`],
      };
    case "woken":
      return { level: "INFO", lines: ["rekeying now, as SIGHUP asks"] };
    case "stopped":
      // The original says nothing.
      return { level: "INFO", lines: [] };
    case "reloaded":
      return { level: "INFO", lines: ["the service was told at last"] };
    case "warning":
      return event.routine === true
        ? { level: "INFO", lines: [printableLines(event.message)] }
        : { level: "ERROR", lines: troubleLines(event, words) };
    default:
      return { level: "ERROR", lines: troubleLines(event, words) };
  }
}

function troubleLines(
  event: Extract<
    LogEvent,
    {
      event:
        | "repaired"
        | "warning"
        | "failed"
        | "reload-failed"
        | "clock-stepped";
    }
  >,
  words: HintWords,
): readonly string[] {
  switch (event.event) {
    case "repaired":
      return [`warning: ${repairText(event.recovery)}`];
    case "clock-stepped":
      return [
        event.byMs < 0
          ? `warning: ${stepText(event.byMs)}`
          : stepText(event.byMs),
      ];
    case "warning":
      return [
        `warning: ${printableLines(warningText(event, words))}`,
        ...hintLine(event.hint, words),
      ];
    case "failed":
      return [
        printableLines(event.error.message),
        ...hintLine(event.error.hint, words),
        `next attempt in ${formatRoundedDuration(event.nextAttemptMs)}, ${
          lifeLeft(event.leftMs)
        }`,
      ];
    case "reload-failed":
      return reloadLines(event, words);
  }
}

function reloadLines(
  { error, attempt, nextAttemptMs }: Extract<
    LogEvent,
    { event: "reload-failed" }
  >,
  words: HintWords,
): readonly string[] {
  const message = printableLines(error.message);
  if (nextAttemptMs !== undefined) {
    return [
      message,
      ...hintLine(error.hint, words),
      `next attempt to tell the service in ${
        formatRoundedDuration(nextAttemptMs)
      }`,
    ];
  }
  const tries = attempt === 1 ? "1 try" : `${attempt} tries`;
  return [
    `gave up telling the service after ${tries}: ${message}`,
    ...hintLine(error.hint, words),
    "it is tried again after a restart, and with the next certificate",
  ];
}

function rollbackText({ serial, notAfter }: IssuedFacts): string {
  return `rolled back to the certificate with serial ${serial}, which expires on ${
    formatInstant(notAfter)
  }`;
}

function layoutText(
  { targets, layout, isChanged }: Extract<LogEvent, { event: "layout" }>,
): string {
  const files = `${printable(targets.certificate)} and ${
    printable(targets.key)
  }`;
  return isChanged
    ? `${files} stand in the ${layout} layout now`
    : `${files} already stand in the ${layout} layout`;
}

function lifeLeft(leftMs: number): string {
  return leftMs > 0
    ? `the certificate expires in ${formatRoundedDuration(leftMs)}`
    : `the certificate expired ${formatRoundedDuration(-leftMs)} ago`;
}

function stepText(byMs: number): string {
  return byMs < 0
    ? `the clock was set back by ${formatRoundedDuration(-byMs)}`
    : `the clock went ahead by ${
      formatRoundedDuration(byMs)
    }: it was set, or the machine was suspended`;
}

function repairText(
  recovery: Extract<LogEvent, { event: "repaired" }>["recovery"],
): string {
  switch (recovery.kind) {
    case "finished":
      return "an interrupted rekey was found and finished: the new pair is in place";
    case "undone":
      return "an interrupted rekey was found and undone: the old pair is in place";
    case "layout changed":
      return "an interrupted change of the layout was found and finished";
    case "foreign":
      return `an interrupted rekey was found, but ${
        JSON.stringify(recovery.file)
      } was replaced by somebody else since: left as it is${
        recovery.savedKey === undefined
          ? ""
          : `, and the old key is kept in ${JSON.stringify(recovery.savedKey)}`
      }`;
  }
}

/** A warning, with what to do where that stands on the same line. */
export function warningText(
  { message, advice }: Extract<LogEvent, { readonly event: "warning" }>,
  { hintText }: HintWords,
): string {
  return advice === undefined ? message : `${message}; ${hintText(advice)}`;
}

function hintLine(
  hint: Hint | undefined,
  { hintText }: HintWords,
): readonly string[] {
  return hint === undefined ? [] : [`hint: ${printableLines(hintText(hint))}`];
}

/** The bytes of the original's template, smallstep/cli-utils ui/templates.go. */
function resultLine(name: string, path: string, colour: boolean): string {
  const value = printable(path);
  if (!colour) return `✔ ${name}: ${value}`;
  return `\x1b[32m\x1b[32m✔\x1b[0m \x1b[1m${name}\x1b[0m\x1b[1m:\x1b[0m ${value}`;
}

/** The first name of a certificate, as the log shows it. */
export function subject(certificate: IssuedFacts): string {
  return printable(
    certificate.commonName ??
      certificate.names[0]?.replace(/^[^:]*:/, "") ??
      certificate.serial,
  );
}

/** Go's `2006/01/02 15:04:05`, local time. */
export function timestamp(now: Date): string {
  const two = (value: number) => String(value).padStart(2, "0");
  return `${now.getFullYear()}/${two(now.getMonth() + 1)}/${
    two(now.getDate())
  } ${two(now.getHours())}:${two(now.getMinutes())}:${two(now.getSeconds())}`;
}
