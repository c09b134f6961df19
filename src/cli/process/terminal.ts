/**
 * The real terminal.
 *
 * Answers come from a person only: from standard input where that is a
 * terminal, else from /dev/tty; a pipe is never read as an answer. However a
 * prompt ends, the terminal is left as it was found.
 */
import { RekeyError } from "../../base/errors.ts";
import { trimPassword } from "../../files/pair/password.ts";
import { bestEffort, isOsError, osReason } from "../../base/os_error.ts";
import { NoTerminalError, type Terminal } from "../../base/runtime.ts";
import { stoppable } from "../../base/stoppable.ts";
import { stoppedBy } from "./signals.ts";

/** The part of a terminal that a person answers. */
export type Questions = Pick<Terminal, "confirm" | "readPassword">;

/** The terminal of this process. It is opened anew for each question. */
export function denoTerminal(): Questions {
  return {
    async confirm(question, signal) {
      using dialog = openDialog();
      return await untilStopped(dialog, signal, () => ask(dialog, question));
    },
    async readPassword(label, signal) {
      using dialog = openDialog();
      const typed = await untilStopped(
        dialog,
        signal,
        () => readHidden(dialog, label),
      );
      dialog.write("\n");
      return trimPassword(typed);
    },
  };
}

/** Somebody to talk to. */
interface Dialog extends Disposable {
  /** Undefined at the end of input. */
  read(): Promise<string | undefined>;
  write(text: string): void;
  /** Raw: no echo, no line editing, no signals from keys. */
  setRaw(isRaw: boolean): void;
}

interface Descriptors {
  readonly input: Pick<Deno.FsFile, "read" | "setRaw">;
  readonly output: Pick<Deno.FsFile, "writeSync">;
  readonly opened?: Deno.FsFile;
}

function openDialog(): Dialog {
  const { input, output, opened } = findDescriptors();
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(1024);
  let isRaw = false;
  const setRaw = (wanted: boolean) => {
    if (isRaw !== wanted) input.setRaw(wanted);
    isRaw = wanted;
  };
  return {
    async read() {
      const count = await readOrHangUp(input, buffer);
      if (count === null) return undefined;
      return decoder.decode(buffer.subarray(0, count), { stream: true });
    },
    write(text) {
      output.writeSync(new TextEncoder().encode(text));
    },
    setRaw,
    [Symbol.dispose]() {
      // A terminal that has gone needs nothing restored.
      bestEffort(() => setRaw(false));
      opened?.[Symbol.dispose]();
    },
  };
}

async function readOrHangUp(
  input: Descriptors["input"],
  buffer: Uint8Array,
): Promise<number | null> {
  try {
    return await input.read(buffer);
  } catch (error) {
    // The terminal has gone: that is the end of input.
    if (isOsError(error)) return null;
    throw error;
  }
}

/** The rule of the original's prompts (chzyer/readline, DefaultIsTerminal). */
function findDescriptors(): Descriptors {
  const { stdin, stdout, stderr } = Deno;
  if (stdin.isTerminal() && stderr.isTerminal()) {
    return { input: stdin, output: stderr };
  }
  if (stdin.isTerminal() && stdout.isTerminal()) {
    return { input: stdin, output: stdout };
  }
  const path = Deno.build.os === "windows" ? "CONIN$" : "/dev/tty";
  try {
    const opened = Deno.openSync(path, { read: true, write: true });
    return { input: opened, output: opened, opened };
  } catch (error) {
    throw new NoTerminalError(osReason(error));
  }
}

async function ask(dialog: Dialog, question: string): Promise<boolean> {
  let typed = "";
  dialog.write(question);
  while (true) {
    const line = /^([^\n]*)\n/.exec(typed);
    if (line === null) {
      typed += await readSome(dialog);
      continue;
    }
    typed = typed.slice(line[0].length);
    const answer = line[1]?.trim().toLowerCase() ?? "";
    if (["", "y", "yes"].includes(answer)) return true;
    if (["n", "no"].includes(answer)) return false;
    dialog.write(`please answer yes or no\n${question}`);
  }
}

async function readHidden(dialog: Dialog, label: string): Promise<string> {
  let text = "";
  // Before the label: what is typed early must not be echoed either.
  dialog.setRaw(true);
  dialog.write(label);
  while (true) {
    const edit = editLine(text, await readSome(dialog));
    switch (edit.kind) {
      case "entered":
        return edit.text;
      case "interrupted":
        throw stoppedBy("SIGINT");
      case "ended":
        throw noAnswer();
      case "typing":
        text = edit.text;
    }
  }
}

async function readSome(dialog: Dialog): Promise<string> {
  const text = await dialog.read();
  if (text === undefined) throw noAnswer();
  return text;
}

function noAnswer(): RekeyError {
  return new RekeyError("declined", "the question was not answered");
}

/** The answer, unless the process is stopped first: `signal` knows by what. */
async function untilStopped<T>(
  dialog: Dialog,
  signal: AbortSignal,
  ask: () => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  try {
    return await stoppable(ask(), signal);
  } catch (error) {
    // The cursor still stands behind the question.
    bestEffort(() => dialog.write("\n"));
    throw error;
  }
}

// Editing of one line that is typed without echo: a terminal that echoes nothing
// is in raw mode, where erasing and ending are ours to do.

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
