/**
 * The format of what the program says, found as early as possible: an error
 * before the job starts is meant for the same reader as its log.
 */
import type { LogFormat } from "../../base/options.ts";

/** The flag's name. */
export const LOG_FORMAT_FLAG = "log-format";

/** Whether a text is a format. */
export function isLogFormat(text: string): text is LogFormat {
  return text === "text" || text === "json";
}

/**
 * The format that a line asks for, also when its grammar is wrong; the last
 * one counts, and what is no format does not.
 */
export function formatInWords(words: readonly string[]): LogFormat | undefined {
  let format: LogFormat | undefined;
  for (const [index, word] of words.entries()) {
    if (word === "--") break;
    const match = /^--?log-format(?:=(.*))?$/s.exec(word);
    if (match === null) continue;
    const value = match[1] ?? words[index + 1] ?? "";
    if (isLogFormat(value)) format = value;
  }
  return format;
}

/** The format of a variable's or a setting's text. */
export function formatOf(text: string | undefined): LogFormat | undefined {
  return text !== undefined && isLogFormat(text) ? text : undefined;
}

/** The variable of the environment that sets it. */
export const LOG_FORMAT_VARIABLE = "STEP_LOG_FORMAT";

/** The format among the settings of a command that has the flag. */
export function formatInSettings(
  values: ReadonlyMap<string, string>,
): LogFormat | undefined {
  return formatOf(values.get(LOG_FORMAT_FLAG));
}
