/**
 * A tree of bbolt: from a root page down to the leaf where a key belongs.
 *
 * With no checksums, everything that leads to the leaf is proven by what it
 * leads to: a branch has the first key of each child, and both children around
 * the key have to begin with just that. Before any of it is used, all trees
 * of the file together have to lead to each page in use, and to each only once.
 */
import { ByteCursor, compareBytes } from "../file/byte_cursor.ts";
import { type BoltMeta, PAGE_HEADER_BYTES } from "./bolt_meta.ts";
import {
  type BoltPage,
  BRANCH,
  type BranchElement,
  type LeafElement,
  parseBoltPage,
  readPageHeader,
} from "./bolt_page.ts";
import { BoltSurvey } from "./bolt_survey.ts";
import type { DatabaseFile } from "../file/database_file.ts";

/** Four elements a page would make trees of this depth out of 2^64 rows. */
const MOST_LEVELS = 32;
/** Largest page with its overflow; step-ca's largest row, a CRL, may have MBs. */
const MOST_PAGE_BYTES = 64 * 1024 * 1024;
const FREELIST = 0x10;
/** Then the number of free pages stands in front of them. */
const MANY_FREE = 0xffff;

export class BoltTree {
  readonly #file: DatabaseFile;
  readonly #meta: BoltMeta;

  private constructor(file: DatabaseFile, meta: BoltMeta) {
    this.#file = file;
    this.#meta = meta;
  }

  /**
   * Proves of every page where it belongs.
   *
   * @throws {CorruptDatabaseError} also without a list of free pages, which step-ca always
   *   has written: then nothing tells a lost page from one that is free
   */
  static async open(file: DatabaseFile, meta: BoltMeta): Promise<BoltTree> {
    const tree = new BoltTree(file, meta);
    if (meta.freelist === undefined) {
      throw file.corrupt("has no list of free pages");
    }
    const bytes = await tree.#readPage(meta.freelist);
    const free = readFreelist(bytes, file, meta);
    const survey = await BoltSurvey.of(file, meta, free);
    survey.reach(meta.freelist);
    const tables = await tree.#reach(survey, meta.root);
    // The rows of the tables are not looked at.
    for (const table of await tree.#rootsIn(tables)) {
      await tree.#reach(survey, table);
    }
    survey.requireAllReached();
    return tree;
  }

  /** All elements of the leaf in which `key` is, if it is anywhere. */
  async leafOf(
    root: number,
    key: Uint8Array,
  ): Promise<readonly LeafElement[]> {
    let page = await this.#load(root);
    for (let level = 0; level < MOST_LEVELS; level++) {
      if (page.kind === "leaf") return page.elements;
      const { elements } = page;
      const after = elements.findIndex((element) =>
        compareBytes(element.key, key) > 0
      );
      const index = Math.max(0, (after < 0 ? elements.length : after) - 1);
      const [child, next] = [elements[index], elements[index + 1]];
      if (child === undefined) throw this.#file.corrupt("has an empty branch");
      page = await this.#loadChild(child);
      if (next !== undefined) await this.#loadChild(next);
    }
    throw this.#file.corrupt("has a tree without an end");
  }

  /** @returns the leaves below a page */
  async #reach(survey: BoltSurvey, root: number): Promise<readonly number[]> {
    const leaves: number[] = [];
    const left = [root];
    for (let id = left.pop(); id !== undefined; id = left.pop()) {
      if (survey.reach(id) !== BRANCH) {
        leaves.push(id);
        continue;
      }
      const { kind, elements } = await this.#load(id);
      if (kind === "branch") left.push(...elements.map(({ page }) => page));
    }
    return leaves;
  }

  /** The pages of the tables that leaves of the bucket of buckets name. */
  async #rootsIn(leaves: readonly number[]): Promise<readonly number[]> {
    const roots: number[] = [];
    for (const id of leaves) {
      const page = await this.#load(id);
      if (page.kind !== "leaf") {
        throw this.#file.corrupt(`has a page ${id} that is damaged`);
      }
      for (const { value, isBucket } of page.elements) {
        if (!isBucket) continue;
        const root = new ByteCursor(value, this.#file.path).u64le();
        // Zero: the rows lie in the bucket itself.
        if (root !== 0) roots.push(root);
      }
    }
    return roots;
  }

  async #loadChild({ key, page: id }: BranchElement): Promise<BoltPage> {
    const page = await this.#load(id);
    const first = page.elements[0]?.key;
    if (first !== undefined && compareBytes(first, key) === 0) return page;
    throw this.#file.corrupt(
      `has a page ${id} that does not belong where it is`,
    );
  }

  async #load(id: number): Promise<BoltPage> {
    return parseBoltPage(await this.#readPage(id), this.#file.path);
  }

  /** A page with what overflows it. */
  async #readPage(id: number): Promise<Uint8Array> {
    const { pageSize, pageCount } = this.#meta;
    if (id < 2 || id >= pageCount) {
      throw this.#file.corrupt(`has no page ${id}, to which another one leads`);
    }
    const bytes = await this.#file.read(id * pageSize, pageSize);
    const header = readPageHeader(new ByteCursor(bytes, this.#file.path));
    const pages = header.overflow + 1;
    if (
      header.id !== id || id + pages > pageCount ||
      pages * pageSize > MOST_PAGE_BYTES
    ) {
      throw this.#file.corrupt(`has a page ${id} that is damaged`);
    }
    return pages === 1
      ? bytes
      : await this.#file.read(id * pageSize, pages * pageSize);
  }
}

/** In ascending order, as bbolt writes it. */
function readFreelist(
  bytes: Uint8Array,
  { path }: DatabaseFile,
  { pageCount }: BoltMeta,
): ReadonlySet<number> {
  const at = new ByteCursor(bytes, path);
  const { flags, count } = readPageHeader(at);
  if (flags !== FREELIST) throw at.corrupt("has no list of free pages");
  at.position = PAGE_HEADER_BYTES;
  const length = count === MANY_FREE ? at.u64le() : count;
  if (length * 8 > at.left) throw at.corrupt("has a torn list of free pages");
  const free = new Set<number>();
  let previous = 1;
  for (let index = 0; index < length; index++) {
    const page = at.u64le();
    if (page <= previous || page >= pageCount) {
      throw at.corrupt("has a damaged list of free pages");
    }
    free.add(page);
    previous = page;
  }
  return free;
}
