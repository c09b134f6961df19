/**
 * Password files.
 */

/**
 * Reads a password file (`-`: standard input): BOM stripped, trailing Unicode
 * white space trimmed, leading kept (parity.md 7.3). Empty means "no password".
 *
 * @throws {RekeyError} kind `pair` naming the file
 */
export function readPasswordFile(_file: string): Promise<string | undefined> {
  throw new Error("contract only");
}
