/**
 * The wording of log events.
 *
 * One-shot: result lines and warnings on stderr. Daemon: INFO lines on stdout,
 * WARN and ERROR lines on stderr, with the local time; INFO and ERROR are the
 * original's. Never a key, a password, a token, a CSR or a response body.
 */
import { ACT_WORDS } from "../base/act.ts";
import { formatInstant, formatRoundedDuration } from "../base/duration.ts";
import { printable, printableLines, shortenedLine } from "../base/printable.ts";
import type { Hint } from "../base/remedy.ts";
import type { IssuedFacts, Log, LogEvent } from "../base/runtime.ts";

/** Where lines go; each call is one or more whole lines. */
export interface LogSinks {
  out(text: string): void;
  err(text: string): void;
  /** The words of a hint: the command line knows them. */
  hintText(hint: Hint): string;
}

type EventOf<Name extends LogEvent["event"]> = Extract<
  LogEvent,
  { event: Name }
>;

/** The log of a one-shot run. `colour`: ANSI codes as the original's. */
export function oneShotLog(sinks: LogSinks, colour: boolean): Log {
  return withoutRepetition((event) =>
    writeLines(sinks.err, oneShotLines(event, sinks, colour))
  );
}

/** The log of a daemon; `now` gives the time in front of each line. */
export function daemonLog(sinks: LogSinks, now: () => Date): Log {
  return withoutRepetition((event) => {
    const level = daemonLevel(event);
    const write = level === "info" ? sinks.out : sinks.err;
    const prefix = `${LEVEL_WORDS[level]}: ${timestamp(now())}`;
    // A path with a line end must not make a line without a prefix.
    const lines = eventLines(event, sinks).flatMap((line) => line.split("\n"));
    writeLines(write, lines.map((line) => `${prefix} ${line}`));
  });
}

/** In one piece: what is said of one event stays together. */
function writeLines(
  write: (text: string) => void,
  lines: readonly string[],
): void {
  if (lines.length > 0) write(`${lines.map(shortenedLine).join("\n")}\n`);
}

/** A log that drops a warning of which once is enough when it comes again. */
export function withoutRepetition(write: Log["write"]): Log {
  const written = new Set<string>();
  return {
    write(event) {
      if (event.event === "warning" && event.once === true) {
        if (written.has(event.message)) return;
        written.add(event.message);
      }
      write(event);
    },
  };
}

function oneShotLines(
  event: LogEvent,
  sinks: LogSinks,
  colour: boolean,
): readonly string[] {
  switch (event.event) {
    case "rekeyed": {
      const { certificate, key } = event.targets;
      const result = resultLine("Certificate", certificate, colour);
      return key === undefined
        ? [result]
        : [result, resultLine("Private Key", key, colour)];
    }
    case "renewed":
      return renewedLines(event, colour);
    case "rolled-back":
      return [
        resultLine("Certificate", event.targets.certificate, colour),
        resultLine("Private Key", event.targets.key, colour),
        ...eventLines(event, sinks),
      ];
    case "warning":
      return [
        `warning: ${printableLines(warningText(event, sinks))}`,
        ...hintLines(event, sinks),
      ];
    case "repaired":
      return eventLines(event, sinks).map((line) => `warning: ${line}`);
    case "scheduled":
    case "replaced":
    case "woken":
    case "reloaded":
      return [];
    default:
      return eventLines(event, sinks);
  }
}

/** How much an event matters to who runs a daemon. */
export type LogLevel = "info" | "warning" | "error";

const LEVEL_WORDS: Readonly<Record<LogLevel, string>> = {
  info: "INFO",
  warning: "WARN",
  error: "ERROR",
};

/** The level of an event in the log of a daemon: above `info`, somebody may have to act. */
export function daemonLevel(event: LogEvent): LogLevel {
  switch (event.event) {
    case "warning":
      return event.routine === true ? "info" : "warning";
    case "clock-stepped":
      // Ahead is what every suspend looks like.
      return event.byMs < 0 ? "warning" : "info";
    case "repaired":
      return "warning";
    case "failed":
    case "reload-failed":
      return "error";
    default:
      return "info";
  }
}

/** An event as a daemon's lines without level and time; none when it says nothing. */
export function eventLines(
  event: LogEvent,
  sinks: LogSinks,
): readonly string[] {
  switch (event.event) {
    case "rekeyed":
    case "renewed":
      // The line of "scheduled", which follows, says it in the original's form.
    case "stopped":
      // The original says nothing.
      return [];
    case "scheduled": {
      const wait = formatRoundedDuration(event.waitMs);
      const { noun, done } = ACT_WORDS[event.act];
      return event.first ? [`first ${noun} in ${wait}`] : [
        `${subject(event.certificate)} certificate ${done}, next in ${wait}`,
      ];
    }
    case "enrolled": {
      const end = formatInstant(event.certificate.notAfter);
      return [
        `${
          subject(event.certificate)
        } certificate issued, the first one; it expires on ${end}`,
      ];
    }
    case "command-started":
      return [`${printable(event.program)} runs as process ${event.pid}`];
    case "command-ended": {
      const how = event.signal === undefined
        ? `with exit code ${event.exitCode}`
        : `by ${event.signal}`;
      return [`${printable(event.program)} ended ${how}`];
    }
    case "rolled-back": {
      const { serial, notAfter } = event.certificate;
      const end = formatInstant(notAfter);
      return [
        `rolled back to the certificate with serial ${serial}, which expires on ${end}`,
      ];
    }
    case "layout":
      return [layoutText(event)];
    case "not-due": {
      const left = formatRoundedDuration(event.expiresInMs);
      const { done } = ACT_WORDS[event.act];
      return [`certificate not ${done}: expires in ${left}`];
    }
    case "clock-stepped":
      return [stepText(event)];
    case "replaced":
      return [`${subject(event.certificate)} certificate was replaced`];
    case "woken":
      return [`${ACT_WORDS[event.act].doing} now, as SIGHUP asks`];
    case "reloaded":
      return ["the service was told at last"];
    case "repaired":
      return [repairText(event)];
    case "warning":
      return [
        printableLines(warningText(event, sinks)),
        ...hintLines(event, sinks),
      ];
    case "failed": {
      const next = formatRoundedDuration(event.nextAttemptMs);
      return [
        printableLines(event.error.message),
        ...hintLines(event.error, sinks),
        `next attempt in ${next}, ${lifeLeft(event)}`,
      ];
    }
    case "reload-failed":
      return reloadLines(event, sinks);
  }
}

/** A warning, with what to do where that stands on the same line. */
export function warningText(
  { message, advice }: EventOf<"warning">,
  { hintText }: Pick<LogSinks, "hintText">,
): string {
  return advice === undefined ? message : `${message}; ${hintText(advice)}`;
}

function reloadLines(
  { error, attempt, nextAttemptMs }: EventOf<"reload-failed">,
  sinks: LogSinks,
): readonly string[] {
  const message = printableLines(error.message);
  if (nextAttemptMs !== undefined) {
    const next = formatRoundedDuration(nextAttemptMs);
    return [
      message,
      ...hintLines(error, sinks),
      `next attempt to tell the service in ${next}`,
    ];
  }
  const tries = attempt === 1 ? "1 try" : `${attempt} tries`;
  return [
    message,
    ...hintLines(error, sinks),
    `gave up telling the service after ${tries}: it is tried again after a restart, and with the next certificate`,
  ];
}

function hintLines(
  { hint }: { readonly hint?: Hint | undefined },
  { hintText }: LogSinks,
): readonly string[] {
  return hint === undefined ? [] : [`hint: ${printableLines(hintText(hint))}`];
}

function layoutText(
  { targets, layout, isChanged }: EventOf<"layout">,
): string {
  const [certificate, key] = [targets.certificate, targets.key].map(printable);
  return isChanged
    ? `${certificate} and ${key} stand in the ${layout} layout now`
    : `${certificate} and ${key} already stand in the ${layout} layout`;
}

function lifeLeft({ leftMs }: EventOf<"failed">): string {
  if (leftMs === undefined) return "no certificate can be read";
  return leftMs > 0
    ? `the certificate expires in ${formatRoundedDuration(leftMs)}`
    : `the certificate expired ${formatRoundedDuration(-leftMs)} ago`;
}

function stepText({ byMs }: EventOf<"clock-stepped">): string {
  const by = formatRoundedDuration(Math.abs(byMs));
  return byMs < 0
    ? `the clock was set back by ${by}`
    : `the clock went ahead by ${by}: it was set, or the machine was suspended`;
}

function repairText({ recovery }: EventOf<"repaired">): string {
  switch (recovery.kind) {
    case "finished":
      return "an interrupted rekey was found and finished: the new pair is in place";
    case "undone":
      return "an interrupted rekey was found and undone: the old pair is in place";
    case "layout changed":
      return "an interrupted change of the layout was found and finished";
    case "foreign": {
      const file = JSON.stringify(recovery.file);
      const left =
        `an interrupted rekey was found, but ${file} was replaced by somebody else since: left as it is`;
      return recovery.savedKey === undefined
        ? left
        : `${left}, and the old key is kept in ${
          JSON.stringify(recovery.savedKey)
        }`;
    }
  }
}

/** The bytes of the original's template, smallstep/cli-utils ui/templates.go. */
/** `✔ Certificate: internal.crt`, in the bytes of the original on a terminal. */
export function resultLine(
  name: string,
  text: string,
  colour: boolean,
): string {
  const value = printable(text);
  return colour
    ? `\x1b[32m\x1b[32m✔\x1b[0m \x1b[1m${name}\x1b[0m\x1b[1m:\x1b[0m ${value}`
    : `✔ ${name}: ${value}`;
}

/** The original's line; what was not asked for is said. */
function renewedLines(
  { targets: { certificate, key }, isFallback }: EventOf<"renewed">,
  colour: boolean,
): readonly string[] {
  if (!isFallback) {
    return [`Your certificate has been saved in ${printable(certificate)}.`];
  }
  return [
    resultLine("Certificate", certificate, colour),
    `the private key was NOT rotated: ${
      key === undefined ? "it" : printable(key)
    } is the old one`,
  ];
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
