/**
 * A directory that root reached once and does not look for again.
 *
 * Where somebody else may change the way to a directory, a path can lead
 * elsewhere from one system call to the next, and root would replace, give away
 * or remove what is there. The runtime has no openat(2), but Linux has a name
 * for what is open: `/proc/self/fd/N` is that directory whatever happens to its
 * path. So root works through that name, and nobody else needs to: other users
 * can harm only what is theirs.
 */
import { RekeyError } from "../../base/errors.ts";
import { absolutePath } from "../../base/paths.ts";
import { isOursAlone, ownUid } from "./attributes.ts";
import { isSameFile, PINNED_PREFIX } from "./disk.ts";

interface Pin {
  /** As the runtime knows it; in Deno before 2.8, that is another number. */
  readonly handle: number;
  readonly descriptor: number;
  readonly dev: number;
  readonly ino: number | null;
}

/** By real path. */
const PINS = new Map<string, Pin>();
/** Pairs that are open; with the last of them, all pins go. */
const HOLDERS = new Set<object>();

/**
 * A name of the directory that stays true, where that takes another one than
 * its real path.
 *
 * @throws {RekeyError} kind `install` when it was replaced meanwhile
 */
export function pin(directory: string): string {
  if (Deno.build.os !== "linux" || ownUid() !== 0 || isOursAlone(directory)) {
    return directory;
  }
  const known = PINS.get(directory);
  if (known !== undefined && isSameFile(known, Deno.statSync(directory))) {
    return `${PINNED_PREFIX}${known.descriptor}`;
  }
  const fs: typeof import("node:fs") = process.getBuiltinModule("node:fs");
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = fs.constants;
  const before = descriptorsOf(directory);
  // Without the runtime's permission for /proc, or /proc itself.
  if (before === undefined) return directory;
  const handle = fs.openSync(
    directory,
    O_RDONLY | O_DIRECTORY | O_NOFOLLOW,
  );
  const { dev, ino } = fs.fstatSync(handle);
  const [descriptor, ...others] = descriptorsOf(directory)
    ?.difference(before) ?? [];
  if (descriptor === undefined || others.length > 0) {
    fs.closeSync(handle);
    throw new RekeyError(
      "install",
      `${directory} was replaced by somebody else meanwhile`,
    );
  }
  if (known !== undefined) fs.closeSync(known.handle);
  PINS.set(directory, { handle, descriptor, dev, ino });
  return `${PINNED_PREFIX}${descriptor}`;
}

/**
 * Refuses, as root, a directory to which another user's link leads, unless it is
 * that user's as well: he would have root replace files where he may not.
 *
 * @param way the path that was followed, links and all
 * @throws {RekeyError} kind `install`
 */
export function requireOwnWay(
  way: string,
  { real, owners }: {
    readonly real: string;
    readonly owners: readonly number[];
  },
): void {
  if (Deno.build.os !== "linux" || ownUid() !== 0) return;
  const path = absolutePath(way);
  const others = new Set(owners.filter((uid) => uid !== 0));
  let [isOpen, links] = [false, owners.length];
  for (let end = 0; end >= 0;) {
    end = path.indexOf("/", end + 1);
    const { uid, mode, isSymlink, isDirectory } = Deno.lstatSync(
      end < 0 ? path : path.slice(0, end),
    );
    if (uid !== null && uid !== 0) others.add(uid);
    if (isSymlink) links++;
    const bits = isDirectory ? mode ?? 0 : 0;
    if ((bits & 0o022) !== 0 && (bits & 0o1000) === 0) isOpen = true;
  }
  if (others.size === 0 && (!isOpen || links > 0)) return;
  if (others.has(Deno.lstatSync(real).uid ?? 0)) return;
  throw new RekeyError(
    "install",
    `cannot use ${way}: it leads to ${real} by a link that another user can change, and that directory is not his`,
    { hint: "name the files by the directory in which they are" },
  );
}

/**
 * What of this process leads to a directory, where that can be known.
 *
 * The runtime tells no number that each of its versions means in the same way.
 * The kernel says in one step where a descriptor leads, while a real path would
 * be looked up part by part.
 */
function descriptorsOf(directory: string): ReadonlySet<number> | undefined {
  try {
    const entries = Deno.readDirSync(PINNED_PREFIX.slice(0, -1));
    const numbers = [...entries].map(({ name }) => Number(name));
    return new Set(numbers.filter((number) => pathOf(number) === directory));
  } catch (error) {
    if (
      error instanceof Deno.errors.NotFound ||
      error instanceof Deno.errors.NotCapable
    ) return undefined;
    throw error;
  }
}

function pathOf(descriptor: number): string | undefined {
  try {
    return Deno.readLinkSync(`${PINNED_PREFIX}${descriptor}`);
  } catch (error) {
    // Closed meanwhile, as that of the list itself.
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** The path that people know: for messages, and for what is written down. */
export function unpin(path: string): string {
  if (!path.startsWith(PINNED_PREFIX)) return path;
  const [number = "", ...rest] = path.slice(PINNED_PREFIX.length).split("/");
  for (const [directory, { descriptor }] of PINS) {
    if (String(descriptor) === number) return [directory, ...rest].join("/");
  }
  return path;
}

/** Keeps all pins until it is disposed. */
export function holdPins(): Disposable {
  const holder = {};
  HOLDERS.add(holder);
  return {
    [Symbol.dispose]() {
      HOLDERS.delete(holder);
      if (HOLDERS.size > 0 || PINS.size === 0) return;
      const fs: typeof import("node:fs") = process.getBuiltinModule("node:fs");
      for (const { handle } of PINS.values()) fs.closeSync(handle);
      PINS.clear();
    },
  };
}
