/**
 * Editing of one line that is typed without echo: pure.
 *
 * A terminal that echoes nothing is in raw mode, where erasing and ending are
 * ours to do.
 */

/** The line after some keys. */
export type LineEdit =
  | { readonly kind: "typing"; readonly text: string }
  | { readonly kind: "entered"; readonly text: string }
  /** Ctrl-C. */
  | { readonly kind: "interrupted" }
  /** Ctrl-D on an empty line. */
  | { readonly kind: "ended" };

/** Control characters as termios(3) names them by default. */
const INTR = "\x03";
const EOF = "\x04";
const KILL = "\x15";
const WORD_ERASE = "\x17";
/** Backspace is one or the other, as the terminal has it. */
const ERASE: readonly string[] = ["\x7f", "\b"];

/** Arrow keys and their like: sequences, none of which belongs to a password. */
// deno-lint-ignore no-control-regex -- ESC is what they begin with
const ESCAPE_SEQUENCES = /\x1b(?:\[[0-9;?]*[ -/]*[@-~]|O[ -~])/g;

/** Applies `keys` to a line that reads `text` so far; what follows Enter is dropped. */
export function editLine(text: string, keys: string): LineEdit {
  let line = [...text];
  for (const key of keys.replace(ESCAPE_SEQUENCES, "")) {
    if (key === "\r" || key === "\n") {
      return { kind: "entered", text: line.join("") };
    }
    if (key === INTR) return { kind: "interrupted" };
    if (key === EOF && line.length === 0) return { kind: "ended" };
    if (key === KILL) line = [];
    else if (key === WORD_ERASE) line = withoutLastWord(line);
    else if (ERASE.includes(key)) line.pop();
    else if (key >= " " || key === "\t") line.push(key);
  }
  return { kind: "typing", text: line.join("") };
}

function withoutLastWord(line: readonly string[]): string[] {
  return [...line.join("").replace(/\S*\s*$/, "")];
}
