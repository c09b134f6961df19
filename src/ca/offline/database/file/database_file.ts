/**
 * A file of a database, read at positions.
 *
 * Opened for reading only: no lock, no creation, no write. What is not a
 * regular file is never opened, since reading a pipe could wait forever.
 */
import { osReason } from "../../../../base/os_error.ts";
import { ByteCursor } from "./byte_cursor.ts";
import { CorruptDatabaseError } from "./corrupt_database_error.ts";

/** One open file; whoever opened it disposes of it. */
export class DatabaseFile implements Disposable {
  readonly path: string;
  /** In bytes, at the time of opening. */
  readonly size: number;
  /** Of the last change, in milliseconds since 1970, at the time of opening. */
  readonly changedMs: number;
  readonly #file: Deno.FsFile;

  private constructor(
    path: string,
    { size, mtime }: Deno.FileInfo,
    file: Deno.FsFile,
  ) {
    this.path = path;
    this.size = size;
    this.changedMs = mtime?.getTime() ?? 0;
    this.#file = file;
  }

  /** @throws {CorruptDatabaseError} when it is missing, unreadable or not a regular file */
  static async open(path: string): Promise<DatabaseFile> {
    try {
      if (!(await Deno.stat(path)).isFile) {
        throw new CorruptDatabaseError(path, "is not a regular file");
      }
      const file = await Deno.open(path, { read: true });
      try {
        return new DatabaseFile(path, await file.stat(), file);
      } catch (error) {
        file.close();
        throw error;
      }
    } catch (error) {
      if (error instanceof CorruptDatabaseError) throw error;
      // A table may go between the list of files and its opening.
      const mayPass = error instanceof Deno.errors.NotFound;
      const reason = `cannot be read: ${osReason(error)}`;
      throw new CorruptDatabaseError(path, reason, { mayPass, cause: error });
    }
  }

  /**
   * Reads exactly `length` bytes; positions are of this file. Never two reads
   * at the same time.
   *
   * @throws {CorruptDatabaseError} when the file ends before them
   */
  async read(offset: number, length: number): Promise<Uint8Array> {
    if (offset < 0 || length < 0 || offset + length > this.size) {
      throw this.corrupt(
        `is truncated: ${length} bytes should be at offset ${offset}, but it has ${this.size}`,
        { mayPass: true },
      );
    }
    const bytes = new Uint8Array(length);
    await this.readInto(bytes, offset);
    return bytes;
  }

  /** As `read`, to take numbers from. */
  async cursor(offset: number, length: number): Promise<ByteCursor> {
    return new ByteCursor(await this.read(offset, length), this.path);
  }

  corrupt(
    reason: string,
    options?: { readonly mayPass?: boolean; readonly cause?: unknown },
  ): CorruptDatabaseError {
    return new CorruptDatabaseError(this.path, reason, options);
  }

  /** As `read`, into memory that exists. */
  async readInto(bytes: Uint8Array, offset: number): Promise<void> {
    try {
      await this.#file.seek(offset, Deno.SeekMode.Start);
      let filled = 0;
      while (filled < bytes.length) {
        const count = await this.#file.read(bytes.subarray(filled));
        // Badger empties a file before it removes it.
        if (count === null) {
          throw this.corrupt("became shorter", { mayPass: true });
        }
        filled += count;
      }
    } catch (error) {
      if (error instanceof CorruptDatabaseError) throw error;
      throw this.corrupt(`cannot be read: ${osReason(error)}`, {
        cause: error,
      });
    }
  }

  [Symbol.dispose](): void {
    this.#file.close();
  }
}
