/**
 * Compares what a command prints with what a page shows.
 *
 * The page quotes one run, and each run has other times, serial numbers and
 * digests. So a time matches any time and a duration any duration; a long
 * number or digest matches any other one, but the same one each time that the
 * page shows it, and two that differ there have to differ. `…` is left out, and
 * on a line of its own any lines, or none.
 */

/** Long numbers and digests of a page, and what this run has in their place. */
export type Bindings = Map<string, string>;

/** `2026-11-30T06:53:33Z`, `2026/11/30 06:53:33`, `Nov 30 06:53:33 2026 GMT`. */
const TIME =
  /\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?Z?|[A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4} GMT/;

/** As Go writes them: `15h2m21s`. */
const DURATION = /\b(?:\d+h)?(?:\d+m)?\d+(?:\.\d+)?s\b/;

/** Serial numbers, digests, fingerprints: at least 12 digits. */
const DIGITS = /\b(?:[0-9a-f]{12,}|[0-9A-F]{12,})\b/;

/** Lines that the page leaves out, with the end of the one before. */
const LINES = /\n…(?=\n|$)|^…\n/;

const TOKEN = new RegExp(
  [LINES, /…/, TIME, DURATION, DIGITS].map(({ source }) => `(${source})`).join(
    "|",
  ),
  "g",
);

/** What stands in the output for a part of the page. */
const ANY_LINES = "(?:\n[^\n]*)*?|(?:[^\n]*\n)*?";
const ANYTHING = "[^]*?";
const ANY_TIME = TIME.source;
const ANY_DURATION = DURATION.source;
const ANY_DIGITS = "[0-9a-fA-F]{12,}";

/**
 * Why `actual` is not what the page shows; undefined when it is. Then
 * `bindings` has grown by what was seen.
 */
export function outputProblem(
  shown: string,
  actual: string,
  bindings: Bindings,
): string | undefined {
  const names: string[] = [];
  let pattern = "";
  let from = 0;
  for (const match of shown.matchAll(TOKEN)) {
    const [text, lines, anything, time, duration] = match;
    pattern += escaped(shown.slice(from, match.index));
    from = match.index + text.length;
    if (lines !== undefined) pattern += `(?:${ANY_LINES})`;
    else if (anything !== undefined) pattern += ANYTHING;
    else if (time !== undefined) pattern += `(?:${ANY_TIME})`;
    else if (duration !== undefined) pattern += `(?:${ANY_DURATION})`;
    else pattern += digitsPattern(text, names, bindings);
  }
  pattern += escaped(shown.slice(from));
  const found = new RegExp(`^${pattern}$`).exec(tidy(actual));
  if (found === null) {
    return `the page shows\n${shown}\nand this run has\n${tidy(actual)}`;
  }
  const seen = new Map(names.map((name, index) => [
    name,
    (found.groups?.[`digits${index}`] ?? "").toLowerCase(),
  ]));
  const known = new Map([...bindings, ...seen]);
  if (new Set(known.values()).size < known.size) {
    return `what differs on the page is the same here: ${
      [...seen.values()].join(", ")
    }`;
  }
  for (const [name, value] of seen) bindings.set(name, value);
  return undefined;
}

/** A reference to the first place on the page, or a new group. */
function digitsPattern(
  text: string,
  names: string[],
  bindings: Bindings,
): string {
  // openssl has capitals, step has none.
  const name = text.toLowerCase();
  const bound = bindings.get(name);
  if (bound !== undefined) return `(?:${bound}|${bound.toUpperCase()})`;
  const index = names.indexOf(name);
  if (index >= 0) return `\\k<digits${index}>`;
  names.push(name);
  return `(?<digits${names.length - 1}>${ANY_DIGITS})`;
}

function tidy(text: string): string {
  // step colours its output also where it goes to a file.
  // deno-lint-ignore no-control-regex
  return text.replaceAll(/\x1b\[\d*m/g, "").replaceAll(/[ \t]+$/gm, "")
    .trimEnd();
}

function escaped(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, "\\$&");
}
