/**
 * A database file that cannot be read, whatever the reason.
 *
 * Readers throw this and nothing else for what files can cause; `ca_database.ts`
 * makes the error of it that people see.
 */

/** Why a file gives no answer; the message is the reason, without the file. */
export class CorruptDatabaseError extends Error {
  override readonly name = "CorruptDatabaseError";
  /** The file or folder, as the settings name it. */
  readonly file: string;
  /**
   * True for what a running step-ca also leaves behind for a moment, such as
   * half of an entry at the end of a log.
   */
  readonly mayPass: boolean;
  /**
   * File, size and time of the last change when it was opened, where another
   * attempt makes sense only after its writer has changed it.
   */
  readonly state: string | undefined;

  constructor(
    file: string,
    reason: string,
    options: {
      readonly mayPass?: boolean;
      readonly state?: string;
      readonly cause?: unknown;
    } = {},
  ) {
    super(reason, options.cause === undefined ? {} : { cause: options.cause });
    this.file = file;
    this.state = options.state;
    this.mayPass = options.mayPass ?? false;
  }
}
