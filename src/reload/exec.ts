/**
 * --exec: split like a shell, run without one.
 */

/**
 * Splits a command line into words: white space separates, single and double
 * quotes and backslashes as in POSIX sh (IEEE 1003.1 2.2), nothing is expanded.
 *
 * @returns no words for a blank line
 * @throws {RekeyError} kind `usage` for an unclosed quote or a trailing backslash
 */
export function splitCommand(_command: string): readonly string[] {
  throw new Error("contract only");
}
