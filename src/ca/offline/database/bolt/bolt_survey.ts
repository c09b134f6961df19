/**
 * Which pages of a bbolt file are in use: one pass over the headers of all.
 *
 * Every page is free or has one place in a tree, as `bbolt check` demands. So a
 * number of a page that was changed is noticed whatever it leads to now, since
 * nothing leads any more to the page that it led to.
 */
import { type BoltMeta, PAGE_HEADER_BYTES } from "./bolt_meta.ts";
import { type PageHeader, readPageHeader } from "./bolt_page.ts";
import { ByteCursor } from "../file/byte_cursor.ts";
import type { DatabaseFile } from "../file/database_file.ts";

/** Bytes of one read, at least one page. */
const READ_AT_ONCE = 1024 * 1024;

/** Pages in use that nothing has led to yet. */
export class BoltSurvey {
  readonly #file: DatabaseFile;
  /** By the number of the first of its pages: the flags of each. */
  readonly #left: Map<number, number>;

  private constructor(file: DatabaseFile, left: Map<number, number>) {
    this.#file = file;
    this.#left = left;
  }

  /**
   * @param free the pages that are not in use
   * @throws {CorruptDatabaseError} when pages overlap, or are both free and in use
   */
  static async of(
    file: DatabaseFile,
    { pageSize, pageCount }: BoltMeta,
    free: ReadonlySet<number>,
  ): Promise<BoltSurvey> {
    const left = new Map<number, number>();
    const headers = new Headers(file, pageSize);
    for (let page = 2; page < pageCount;) {
      if (free.has(page)) {
        page += 1;
        continue;
      }
      const { id, flags, overflow } = await headers.read(page);
      const end = page + 1 + overflow;
      if (id !== page || end > pageCount || hasFree(free, page, end)) {
        throw file.corrupt(`has a page ${page} that is damaged`);
      }
      left.set(page, flags);
      page = end;
    }
    return new BoltSurvey(file, left);
  }

  /**
   * Notes that something leads to a page.
   *
   * @returns the flags in its header
   * @throws {CorruptDatabaseError} when it is none, or something else leads to it as well
   */
  reach(page: number): number {
    const flags = this.#left.get(page);
    if (flags === undefined) {
      throw this.#file.corrupt(
        `has a page ${page} that is free or in two places`,
      );
    }
    this.#left.delete(page);
    return flags;
  }

  /** @throws {CorruptDatabaseError} when nothing leads to a page that is in use */
  requireAllReached(): void {
    const [page] = this.#left.keys();
    if (page === undefined) return;
    throw this.#file.corrupt(
      `has a page ${page} that is in use, but nothing leads to it`,
    );
  }
}

function hasFree(
  free: ReadonlySet<number>,
  start: number,
  end: number,
): boolean {
  for (let page = start; page < end; page++) if (free.has(page)) return true;
  return false;
}

/** Reads one header after the other, many pages at once. */
class Headers {
  readonly #file: DatabaseFile;
  readonly #pageSize: number;
  #window = new Uint8Array(0);
  /** Position of the window in the file. */
  #start = 0;

  constructor(file: DatabaseFile, pageSize: number) {
    this.#file = file;
    this.#pageSize = pageSize;
  }

  async read(page: number): Promise<PageHeader> {
    const offset = page * this.#pageSize;
    const end = offset + PAGE_HEADER_BYTES;
    if (offset < this.#start || end > this.#start + this.#window.length) {
      const length = Math.min(READ_AT_ONCE, this.#file.size - offset);
      const isAsLong = length === this.#window.length;
      const window = isAsLong ? this.#window : new Uint8Array(length);
      await this.#file.readInto(window, offset);
      this.#window = window;
      this.#start = offset;
    }
    const { path } = this.#file;
    return readPageHeader(
      new ByteCursor(this.#window, path, offset - this.#start),
    );
  }
}
