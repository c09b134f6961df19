/**
 * Bbolt has no checksums for its pages: no flipped bit in what leads to the
 * revocations of a CA, small or large, hides one of them.
 *
 * The suite flips a sample, `deno task sweep` every bit.
 */
import { readBoltMeta } from "../../../../../src/ca/offline/database/bolt/bolt_meta.ts";
import { assert, assertEquals } from "../../../../support/assert.ts";
import { goTest } from "../../../../support/go_program.ts";
import { sample } from "../../../../support/sweep.ts";
import { DatabaseFile } from "../../../../../src/ca/offline/database/file/database_file.ts";
import {
  assertNoBitHides,
  type Extent,
  isRevokedOrDamaged,
} from "../flipped_bits.ts";
import { type GoDatabase, goDatabase } from "../go_database.ts";

const PAGE_HEADER_BYTES = 16;
const ELEMENT_BYTES = 16;
const META_BYTES = 64;
const PAGE_BYTES = 4096;
const BRANCH = 1;

/** A page of the tree of revocations, or of the bucket of buckets. */
interface Page {
  readonly isBranch: boolean;
  readonly start: number;
  /** Where the elements end and their keys begin. */
  readonly keys: number;
  /** Behind the last value. */
  readonly end: number;
  /** Of a branch. */
  readonly children: readonly number[];
}

interface Layout {
  readonly path: string;
  readonly metas: readonly Extent[];
  readonly root: Page;
  /** Headers and elements of the table of revocations in the root. */
  readonly bucket: Extent;
  /** Of the revocations; none when they lie in the root. */
  readonly pages: readonly Page[];
}

async function layoutOf({ settings }: GoDatabase): Promise<Layout> {
  const path = settings.dataSource;
  const content = await Deno.readFile(path);
  using file = await DatabaseFile.open(path);
  const { root: rootId, pageSize } = await readBoltMeta(file);
  const view = new DataView(content.buffer);
  const page = (id: number) => readPage(view, id * pageSize);
  const root = page(rootId);
  const name = new TextDecoder("latin1").decode(content.subarray(0, root.end))
    .lastIndexOf("revoked_x509_certs");
  assert(name >= root.keys);
  const bucket = name + "revoked_x509_certs".length;
  const table = Number(view.getBigUint64(bucket, true));
  const inlineCount = table === 0 ? view.getUint16(bucket + 26, true) : 0;
  const bucketBytes = table === 0 ? 32 + inlineCount * ELEMENT_BYTES : 16;
  const pages: Page[] = [];
  const left = table === 0 ? [] : [table];
  for (let id = left.pop(); id !== undefined; id = left.pop()) {
    const current = page(id);
    pages.push(current);
    left.push(...current.children);
  }
  const metas = [0, pageSize].map((start): Extent => ({
    file: path,
    start,
    end: start + PAGE_HEADER_BYTES + META_BYTES,
  }));
  return {
    path,
    metas,
    root,
    bucket: { file: path, start: bucket, end: bucket + bucketBytes },
    pages,
  };
}

function readPage(view: DataView, start: number): Page {
  const isBranch = view.getUint16(start + 8, true) === BRANCH;
  const count = view.getUint16(start + 10, true);
  const elements = Array.from(
    { length: count },
    (_, index) => start + PAGE_HEADER_BYTES + index * ELEMENT_BYTES,
  );
  const last = elements.at(-1) ?? start;
  const end = isBranch
    ? last + view.getUint32(last, true) + view.getUint32(last + 4, true)
    : last + view.getUint32(last + 4, true) + view.getUint32(last + 8, true) +
      view.getUint32(last + 12, true);
  return {
    isBranch,
    start,
    keys: start + PAGE_HEADER_BYTES + count * ELEMENT_BYTES,
    end,
    children: isBranch
      ? elements.map((element) => Number(view.getBigUint64(element + 8, true)))
      : [],
  };
}

const SIZES = [
  { revoked: 1, isPaged: false, every: 31 },
  { revoked: 2, isPaged: false, every: 31 },
  { revoked: 4, isPaged: true, every: 31 },
  { revoked: 8, isPaged: true, every: 31 },
  { revoked: 20, isPaged: true, every: 31 },
  { revoked: 90, isPaged: true, every: 701 },
];
for (const { revoked, isPaged, every } of sample("flipped bits", SIZES, 2)) {
  goTest(
    `no flipped bit in bbolt hides one of ${revoked} revocations`,
    async () => {
      await using database = await goDatabase("bbolt", {
        rows: 2 * revoked,
        ways: ["revoked"],
      });
      const layout = await layoutOf(database);
      const { path: file, metas, root, bucket, pages } = layout;
      assertEquals(pages.length > 0, isPaged);
      const lists = [...metas, { file, start: root.start, end: root.keys }];
      // They are the same however many there are.
      await assertNoBitHides(database, lists, revoked === 1 ? 31 : 331);
      await assertNoBitHides(database, [bucket], 31);
      const rest = { file, start: root.keys, end: root.end };
      await assertNoBitHides(database, [rest], 511);
      for (const { isBranch, start, keys, end } of pages) {
        const own = { file, start, end: isBranch ? end : keys };
        await assertNoBitHides(database, [own], isBranch ? 31 : every);
        if (isBranch) continue;
        await assertNoBitHides(database, [{ file, start: keys, end }], 5215);
      }
    },
  );
}

goTest(
  "no other page in the place of a table or a branch of bbolt hides a revocation",
  async () => {
    await using database = await goDatabase("bbolt", {
      rows: 2 * 2500,
      ways: ["revoked"],
    });
    const { settings, serials } = database;
    const { path, bucket, pages } = await layoutOf(database);
    const branches = pages.filter(({ isBranch }) => isBranch);
    const [top, ...lower] = branches;
    assert(top !== undefined && lower.length > 1, "has no three levels");
    using file = await Deno.open(path, { write: true });
    const point = (at: number, page: number) => {
      const bytes = new Uint8Array(8);
      new DataView(bytes.buffer).setBigUint64(0, BigInt(page), true);
      file.seekSync(at, Deno.SeekMode.Start);
      file.writeSync(bytes);
    };
    const some = serials.filter((_, index) => index % 400 === 7);
    const table = top.start / PAGE_BYTES;
    for (
      const [at, right, wrong] of [
        // Each branch and leaf for the whole table.
        ...pages.filter((_, index) => index % 9 === 0 || index < 9).map((
          { start },
        ) => [bucket.start, table, start / PAGE_BYTES] as const),
        // The first leaf of a branch, which has the same first key, for it.
        ...top.children.map((child, index) =>
          [
            top.start + PAGE_HEADER_BYTES + index * ELEMENT_BYTES + 8,
            child,
            pages.find(({ start }) => start === child * PAGE_BYTES)
              ?.children[0] ?? 0,
          ] as const
        ),
      ]
    ) {
      if (right === wrong) continue;
      point(at, wrong);
      for (const serial of some) {
        assert(
          await isRevokedOrDamaged(settings, serial),
          `page ${wrong} instead of ${right} hides ${serial}`,
        );
      }
      point(at, right);
    }
  },
);
