/**
 * Password files.
 *
 * What counts is what the original makes of the same file
 * (go.step.sm/crypto internal/utils/file/io.go:51-62), so that keys encrypted
 * with either program open in the other.
 */
import { RekeyError } from "../../base/errors.ts";
import { readInputFile } from "./input_file.ts";

/** Largest password file, in bytes; more is another file, named by mistake. */
const MAX_PASSWORD_BYTES = 1024 * 1024;

/**
 * Reads a password file (`-`: standard input): byte order mark stripped,
 * trailing Unicode white space trimmed, leading kept. Empty means "no password".
 *
 * @throws {RekeyError} kind `pair` naming the file
 */
export async function readPasswordFile(
  file: string,
): Promise<string | undefined> {
  const content = await readInputFile(file);
  if (content.length > MAX_PASSWORD_BYTES) {
    throw new RekeyError(
      "pair",
      `password file ${file} is larger than ${
        MAX_PASSWORD_BYTES / 1024 / 1024
      } MiB`,
      { hint: "name the file that holds the password, and nothing else" },
    );
  }
  const text = trimPassword(decode(content, file));
  return text === "" ? undefined : text;
}

/** Gives the password of a file; see {@linkcode readPasswordFile}. */
export type PasswordReader = (file: string) => Promise<string | undefined>;

/**
 * A reader for one pass that opens each file once: one password file may serve
 * several keys, and standard input or a pipe has its content only once.
 */
export function passwordReader(): PasswordReader {
  const known = new Map<string, Promise<string | undefined>>();
  return (file) => {
    const password = known.get(file) ?? readPasswordFile(file);
    known.set(file, password);
    return password;
  };
}

/** Removes trailing white space as Go's unicode.IsSpace knows it. */
export function trimPassword(text: string): string {
  // From the end: a pattern would begin again at every space on the way.
  let end = text.length;
  while (end > 0 && SPACE.test(text.charAt(end - 1))) end--;
  return text.slice(0, end);
}

// Not `\s`: U+0085 is in Go's set and not in it, U+FEFF the other way round.
const SPACE =
  /^[\t-\r \u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]$/;

function decode(content: Uint8Array, file: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(content);
  } catch (error) {
    throw new RekeyError("pair", `password file ${file} is not UTF-8 text`, {
      hint: "save it as UTF-8",
      cause: error,
    });
  }
}
