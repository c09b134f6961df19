/**
 * A page of a bbolt tree (etcd-io/bbolt internal/common/page.go, inode.go).
 *
 * Pages have no checksum. What bbolt always writes is demanded instead: the
 * elements lie behind each other without a gap, from the end of their list on,
 * and their keys ascend. So a number that was changed is noticed.
 */
import { ByteCursor, compareBytes } from "../file/byte_cursor.ts";
import type { CorruptDatabaseError } from "../file/corrupt_database_error.ts";

export type BoltPage =
  | { readonly kind: "branch"; readonly elements: readonly BranchElement[] }
  | { readonly kind: "leaf"; readonly elements: readonly LeafElement[] };

export interface BranchElement {
  readonly key: Uint8Array;
  readonly page: number;
}

export interface LeafElement {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
  readonly isBucket: boolean;
}

export interface PageHeader {
  readonly id: number;
  readonly flags: number;
  readonly count: number;
  /** How many pages follow that belong to this one. */
  readonly overflow: number;
}

export const BRANCH = 1;
const LEAF = 2;
const ELEMENT_BYTES = 16;

export function readPageHeader(at: ByteCursor): PageHeader {
  return {
    id: at.u64le(),
    flags: at.u16le(),
    count: at.u16le(),
    overflow: at.u32le(),
  };
}

/**
 * The elements of a branch or a leaf, from its header on.
 *
 * @throws {CorruptDatabaseError} also without elements: a small table that is empty has no
 *   page of its own, and no row of step-ca's large tables is ever deleted
 */
export function parseBoltPage(bytes: Uint8Array, file: string): BoltPage {
  const at = new ByteCursor(bytes, file);
  const { id, flags, count } = readPageHeader(at);
  if (count === 0) throw unexpected(at, id);
  if (flags === BRANCH) {
    const { elements } = readElements(at, count, readBranchElement);
    return { kind: "branch", elements };
  }
  if (flags !== LEAF) throw unexpected(at, id);
  const { elements } = readElements(at, count, readLeafElement);
  return { kind: "leaf", elements };
}

/**
 * The rows of a small table, which lie in its bucket in the form of a leaf of
 * exactly as many bytes as they need (go.etcd.io/bbolt bucket.go, write).
 */
export function parseInlineLeaf(
  bytes: Uint8Array,
  file: string,
): readonly LeafElement[] {
  const at = new ByteCursor(bytes, file);
  const { id, flags, count } = readPageHeader(at);
  const { elements, end } = readElements(at, count, readLeafElement);
  if (id === 0 && flags === LEAF && end === bytes.length) return elements;
  throw at.corrupt("has a small table that is damaged");
}

function unexpected(at: ByteCursor, id: number): CorruptDatabaseError {
  return at.corrupt(`has a page ${id} that is no part of a tree`);
}

interface Extent {
  /** Of the key, from the start of the page. */
  readonly start: number;
  readonly length: number;
}

function readElements<Element extends { readonly key: Uint8Array }>(
  at: ByteCursor,
  count: number,
  readElement: (at: ByteCursor) => { element: Element; extent: Extent },
): { readonly elements: readonly Element[]; readonly end: number } {
  const elements: Element[] = [];
  let next = at.position + count * ELEMENT_BYTES;
  for (let index = 0; index < count; index++) {
    const { element: current, extent } = readElement(at);
    const previous = elements.at(-1);
    if (
      extent.start !== next || current.key.length === 0 ||
      (previous !== undefined && compareBytes(previous.key, current.key) >= 0)
    ) {
      throw at.corrupt("has a page whose elements are out of order");
    }
    next = extent.start + extent.length;
    elements.push(current);
  }
  return { elements, end: next };
}

function readBranchElement(
  at: ByteCursor,
): { element: BranchElement; extent: Extent } {
  const start = at.position;
  const [position, keyLength] = [at.u32le(), at.u32le()];
  const page = at.u64le();
  const extent = { start: start + position, length: keyLength };
  const key = slice(at, extent.start, keyLength);
  return { element: { key, page }, extent };
}

function readLeafElement(
  at: ByteCursor,
): { element: LeafElement; extent: Extent } {
  const start = at.position;
  const flags = at.u32le();
  const position = at.u32le();
  const [keyLength, valueLength] = [at.u32le(), at.u32le()];
  if (flags > 1) throw at.corrupt(`has an element of unknown kind ${flags}`);
  const extent = { start: start + position, length: keyLength + valueLength };
  const key = slice(at, extent.start, keyLength);
  const value = slice(at, extent.start + keyLength, valueLength);
  return { element: { key, value, isBucket: flags === 1 }, extent };
}

function slice(at: ByteCursor, start: number, length: number): Uint8Array {
  return new ByteCursor(at.bytes, at.file, start).take(length);
}
