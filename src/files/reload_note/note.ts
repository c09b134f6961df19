/**
 * The note of a pending reload, as text.
 *
 * Written once, before the swap; after that only lines are added: one for each
 * try, one for each part that was delivered. So no change can spoil what is
 * there, and a line that a power cut took only means one delivery more. What
 * somebody made unreadable still says by its name that a reload is pending.
 *
 *     step-rekey pending reload 1
 *     previous-serial 0A1B
 *     part signal
 *     part exec
 *     try
 *     delivered signal
 *     try
 */
import type { ReloadPart } from "../../base/options.ts";
import { type Format, headerOf, versionIn } from "../disk/format.ts";

export interface ReloadNote {
  /** Hexadecimal; undefined when it is not known any more. */
  readonly previousSerial: string | undefined;
  /** What is not delivered yet; undefined when the note cannot be read. */
  readonly undelivered: readonly ReloadPart[] | undefined;
  readonly attempts: number;
}

export const RELOAD_FORMAT: Format = {
  name: "step-rekey pending reload",
  version: 1,
};

const PARTS: readonly ReloadPart[] = ["signal", "exec"];

/** Hexadecimal; RFC 5280 §4.1.2.2 allows 40 digits. It goes to a hook, so nothing else may. */
const SERIAL = /^previous-serial ([0-9A-Fa-f]{1,128})$/;

/** The line of a try that begins. After whatever stands there, whole or not. */
export const TRY_LINE = "\ntry\n";

export function deliveredLine(part: ReloadPart): string {
  return `\ndelivered ${part}\n`;
}

/** The text of a new note, its first try included. */
export function formatNote(
  parts: readonly ReloadPart[],
  previousSerial: string | undefined,
): string {
  const serial = `previous-serial ${previousSerial}`;
  return headerOf(RELOAD_FORMAT) + [
    ...SERIAL.test(serial) ? [serial] : [],
    ...parts.map((part) => `part ${part}`),
  ].join("\n") + TRY_LINE;
}

/** Reads a note; never throws. */
export function parseNote(text: string): ReloadNote {
  const lines = text.split("\n");
  const isOurs = versionIn(text, RELOAD_FORMAT) === RELOAD_FORMAT.version;
  const undelivered = PARTS.filter((part) =>
    lines.includes(`part ${part}`) && !lines.includes(`delivered ${part}`)
  );
  return {
    previousSerial: isOurs
      ? lines.map((line) => SERIAL.exec(line)?.[1]).find((found) => found)
      : undefined,
    undelivered: isOurs && undelivered.length > 0 ? undelivered : undefined,
    attempts: lines.filter((line) => line === "try").length,
  };
}
