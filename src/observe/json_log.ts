/**
 * Log events for machines: one JSON object a line.
 *
 * On the streams of the text form, so that the choice of a format changes the
 * format and nothing else.
 */
import type { IssuedFacts, Log, LogEvent } from "../base/runtime.ts";
import { errorFields, type JsonLine, jsonLine } from "./json_line.ts";
import { daemonLines, type LogSinks, subject, warningText } from "./log.ts";

/** What a machine reads in each line of `--log-format json`. */
export interface JsonLogOptions {
  /** The certificate's path, which every line names. */
  readonly file: string;
  readonly run: "once" | "daemon";
  readonly now: () => Date;
}

/** One JSON object a line, on the streams of the text form. */
export function jsonLog(
  sinks: LogSinks,
  { file, run, now }: JsonLogOptions,
): Log {
  // The certificate in force: what is said later is about it.
  const state: { facts: Partial<JsonLine> } = { facts: {} };
  const said = new Set<string>();
  return {
    write(event) {
      if (event.event === "warning" && event.once === true) {
        if (said.has(event.message)) return;
        said.add(event.message);
      }
      if ("certificate" in event) state.facts = facts(event.certificate);
      const { level, lines } = daemonLines(event, sinks);
      const isTrouble = level === "ERROR" ||
        (run === "once" && event.event === "warning");
      const isWarning = isTrouble && event.event !== "failed" &&
        event.event !== "reload-failed";
      const isOut = run === "daemon" && level === "INFO";
      const write = isOut ? sinks.out : sinks.err;
      write(jsonLine({
        time: now(),
        level: isWarning ? "warning" : level === "INFO" ? "info" : "error",
        event: event.event,
        file,
        message: lines[0] ?? event.event,
        ...state.facts,
        ...jsonFields(event, now(), sinks.hintText),
      }));
    },
  };
}

function jsonFields(
  event: LogEvent,
  now: Date,
  hintText: LogSinks["hintText"],
): Partial<JsonLine> {
  const after = (ms: number) => new Date(now.getTime() + ms);
  switch (event.event) {
    case "rekeyed":
      return {
        ...facts(event.certificate),
        message: `${subject(event.certificate)} certificate rekeyed`,
        key: event.targets.key,
      };
    case "scheduled":
      return {
        ...facts(event.certificate),
        nextAttempt: after(event.waitMs),
        attempt: 0,
      };
    case "clock-stepped":
      return event.nextAttemptMs === undefined
        ? {}
        : { nextAttempt: after(event.nextAttemptMs) };
    case "failed":
      return {
        ...facts(event.certificate),
        nextAttempt: after(event.nextAttemptMs),
        attempt: event.attempt,
        ...errorFields(event.error, hintText),
      };
    case "reload-failed":
      return {
        ...(event.nextAttemptMs !== undefined && {
          nextAttempt: after(event.nextAttemptMs),
        }),
        attempt: event.attempt,
        ...errorFields(event.error, hintText),
      };
    case "warning":
      return {
        message: warningText(event, { hintText }),
        hint: event.hint === undefined ? undefined : hintText(event.hint),
      };
    case "not-due":
      return { notAfter: after(event.expiresInMs) };
    case "stopped":
      return { message: "stopped" };
    default:
      return {};
  }
}

function facts({ serial, notAfter }: IssuedFacts): Partial<JsonLine> {
  return { serial, notAfter };
}
