/**
 * Splits the command of a hook into words, like a shell that expands nothing;
 * what only a shell could obey is refused, and not handed on as an argument.
 */
import { RekeyError } from "../base/errors.ts";
import { shortened } from "../base/printable.ts";

/** A word that stands there for a shell, and there is none. */
export class ShellSyntaxError extends RekeyError {}

/**
 * Splits a command line into words: white space separates, single and double
 * quotes and backslashes as in POSIX sh (IEEE 1003.1 2.2), nothing is expanded.
 *
 * For a command without quotes and backslashes the words are those of the
 * original, which splits at single spaces (smallstep/cli#1538), but for the
 * empty words that it makes of two spaces. Operators, redirections and
 * variables that stand unquoted at the beginning of a word, and operators at
 * its end, are refused: the original prints a private key for
 * `cat a.crt a.key > both.pem`. Inside a word they are what they are there, as
 * the `&` of a URL.
 *
 * @param flag the flag that holds the command, without dashes, for messages
 * @returns no words for a blank line
 * @throws {ShellSyntaxError} for shell syntax
 * @throws {RekeyError} kind `usage` for an unclosed quote or a trailing backslash
 */
export function splitCommand(
  command: string,
  flag: "exec" | "exec-on-failure" = "exec",
): readonly string[] {
  const words: string[] = [];
  let rest = command;
  while ((rest = rest.replace(/^[ \t\r\n\v\f]+/, "")) !== "") {
    const word = takeWord(rest, flag);
    // Only backslash and newline: a continued line, which is nothing.
    if (word.text !== undefined) words.push(word.text);
    rest = word.rest;
  }
  return words;
}

interface Taken {
  /** Undefined when there were neither characters nor quotes. */
  readonly text: string | undefined;
  readonly rest: string;
}

/** What a word is made of; the groups say which. */
const PIECE =
  /(?<bare>[^ \t\r\n\v\f"'\\]+)|'(?<single>[^']*)'|"(?<double>(?:[^"\\]|\\[^])*)"|\\(?<escaped>[^])/y;

/** Operators, redirections and what a shell replaces, at the beginning of a word. */
const SHELL_BEGINNING = /^(?:[|;`]|&&|&>|&$|[0-9]*[<>]|\$[A-Za-z_{(])/;
const SHELL_END = /(?:;|&&|\|)$/;

function takeWord(line: string, flag: string): Taken {
  let text: string | undefined;
  let end = 0;
  while (end < line.length && !/[ \t\r\n\v\f]/.test(line.charAt(end))) {
    PIECE.lastIndex = end;
    const groups = PIECE.exec(line)?.groups;
    if (groups === undefined) throw incomplete(line.charAt(end), flag);
    const { bare = "" } = groups;
    const isFirst = end === 0;
    end = PIECE.lastIndex;
    const isLast = /^(?:[ \t\r\n\v\f]|$)/.test(line.slice(end, end + 1));
    if (
      (isFirst && SHELL_BEGINNING.test(isLast ? bare : `${bare}.`)) ||
      (isLast && SHELL_END.test(bare))
    ) {
      throw new ShellSyntaxError(
        "usage",
        `the command of flag '--${flag}' has the word '${
          shortened(line.slice(0, end))
        }', which only a shell understands, and there is none`,
      );
    }
    const piece = textOf(groups);
    if (piece !== undefined) text = (text ?? "") + piece;
  }
  return { text, rest: line.slice(end) };
}

function textOf(
  { bare, single, double, escaped }: Readonly<
    Record<string, string | undefined>
  >,
): string | undefined {
  if (double !== undefined) {
    // In double quotes a backslash quotes only these five (2.2.3).
    return double.replace(
      /\\([$`"\\\n])/g,
      (_, quoted: string) => quoted === "\n" ? "" : quoted,
    );
  }
  if (escaped === "\n") return undefined;
  return bare ?? single ?? escaped;
}

function incomplete(opened: string, flag: string): RekeyError {
  const what = opened === "\\"
    ? "ends with a backslash that quotes nothing"
    : `has a ${opened === '"' ? "double" : "single"} quote that is not closed`;
  return new RekeyError("usage", `the command of flag '--${flag}' ${what}`, {
    hint:
      "to pass such a character as it is, put it in quotes of the other kind",
  });
}
