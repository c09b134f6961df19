/**
 * Log events for machines: one JSON object a line.
 *
 * On the streams of the text form, so that the choice of a format changes the
 * format and nothing else.
 */
import type { Log, LogEvent } from "../base/runtime.ts";
import { errorFields, type JsonLine, jsonLine } from "./json_line.ts";
import {
  daemonLevel,
  eventLines,
  type LogLevel,
  type LogSinks,
  subject,
  warningText,
  withoutRepetition,
} from "./log.ts";

export interface JsonLogOptions {
  /** The certificate's path, which every line names. */
  readonly file: string;
  readonly run: "once" | "daemon";
  readonly now: () => Date;
}

export function jsonLog(
  sinks: LogSinks,
  { file, run, now }: JsonLogOptions,
): Log {
  // The certificate in force: later lines are about it.
  let facts: Pick<JsonLine, "serial" | "notAfter"> = {};
  return withoutRepetition((event) => {
    if ("certificate" in event && event.certificate !== undefined) {
      const { serial, notAfter } = event.certificate;
      facts = { serial, notAfter };
    }
    const time = now();
    const level = levelOf(event, run);
    const write = run === "daemon" && level === "info" ? sinks.out : sinks.err;
    write(jsonLine({
      time,
      level,
      event: event.event,
      file,
      message: eventLines(event, sinks)[0] ?? event.event,
      ...facts,
      ...eventFields(event, time, sinks),
    }));
  });
}

/** What is routine to a daemon is a warning to a person. */
function levelOf(event: LogEvent, run: JsonLogOptions["run"]): LogLevel {
  return run === "once" && event.event === "warning"
    ? "warning"
    : daemonLevel(event);
}

function eventFields(
  event: LogEvent,
  now: Date,
  { hintText }: LogSinks,
): Partial<JsonLine> {
  const after = (ms: number | undefined) =>
    ms === undefined ? undefined : new Date(now.getTime() + ms);
  switch (event.event) {
    case "rekeyed":
      return {
        message: `${subject(event.certificate)} certificate rekeyed`,
        key: event.targets.key,
        keyRotated: true,
      };
    case "renewed": {
      const note = event.isFallback ? "; the key was not rotated" : "";
      return {
        message: `${subject(event.certificate)} certificate renewed${note}`,
        keyRotated: false,
      };
    }
    case "scheduled":
      return { nextAttempt: after(event.waitMs), attempt: 0 };
    case "clock-stepped":
      return { nextAttempt: after(event.nextAttemptMs) };
    case "failed":
    case "reload-failed":
      return {
        nextAttempt: after(event.nextAttemptMs),
        attempt: event.attempt,
        ...errorFields(event.error, hintText),
      };
    case "warning":
      return {
        message: warningText(event, { hintText }),
        hint: event.hint === undefined ? undefined : hintText(event.hint),
      };
    case "enrolled":
      return { key: event.targets.key, keyRotated: true };
    case "command-ended":
      return { exitCode: event.exitCode };
    case "not-due":
      return { notAfter: after(event.expiresInMs) };
    default:
      return {};
  }
}
