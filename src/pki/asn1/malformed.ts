/**
 * What is wrong with bytes, without the file or the peer that they came from.
 *
 * On two levels. Readers of DER throw a SyntaxError, mostly without a message,
 * since they do not know what they are part of. Readers of a whole (a PEM file,
 * a certificate, a key) throw {@linkcode MalformedError}; whoever knows the
 * file, or whose answer it was, makes a RekeyError of it.
 */

/**
 * Bytes that cannot be used: malformed, of a kind that is not supported, or
 * closed by another password. The message names no file and holds no secret.
 */
export class MalformedError extends Error {
  override readonly name = "MalformedError";
  /** One action that the user can take. */
  readonly hint: string | undefined;

  constructor(
    message: string,
    options: {
      readonly hint?: string | undefined;
      readonly cause?: unknown;
    } = {},
  ) {
    const { hint, cause } = options;
    super(message, cause === undefined ? undefined : { cause });
    this.hint = hint;
  }
}

/**
 * Runs a reader of certificate parts, or of another whole.
 *
 * @throws {MalformedError} `malformed certificate`, and the reason where there
 *   is a short one
 */
export function explainMalformed<T>(
  read: () => T,
  what = "certificate",
): T {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const reason = error.message === "" ? "" : `: ${error.message}`;
    throw new MalformedError(`malformed ${what}${reason}`, {
      cause: error,
    });
  }
}
