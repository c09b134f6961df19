/**
 * What a power cut can leave, as a model: a file system in memory that replays
 * the calls of a traced run.
 *
 * A file's content is safe once the file was fsynced; a change of names in a
 * directory once the directory was. Everything later may be lost or kept, each
 * change of names for itself, whatever their order: more than any file system
 * does, and all that POSIX promises. A rename is one change.
 */
import type { Point } from "./tracer/tracer.ts";

/** What fsync makes safe of a file. */
interface Content {
  readonly bytes: Uint8Array;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A file; two names with one of these are hard links. */
class ModelFile {
  current: Content;
  /** Undefined: never fsynced. */
  durable: Content | undefined;
  constructor(current: Content, durable?: Content) {
    this.current = current;
    this.durable = durable;
  }
}

interface ModelLink {
  readonly leadsTo: string;
}

type ModelEntry = ModelFile | ModelLink | ModelDirectory;

/** One change of names: what each name means after it. */
interface NameChange {
  readonly number: number;
  readonly names: ReadonlyMap<string, ModelEntry | undefined>;
}

class ModelDirectory {
  readonly durable = new Map<string, ModelEntry>();
  readonly current = new Map<string, ModelEntry>();
  pending: NameChange[] = [];

  /** One that is durable. */
  add(name: string, entry: ModelEntry): void {
    this.durable.set(name, entry);
    this.current.set(name, entry);
  }
}

/** What happens to content that was not fsynced. */
export type UnsyncedContent = "kept" | "emptied" | "as last fsynced";

/** A file of a state. Equal `id`: hard links. */
export interface FileState extends Content {
  readonly id: number | string;
}

/** By path, directories before what is in them: a file, where a link leads, or a directory. */
export type DiskState = ReadonlyMap<
  string,
  FileState | { readonly leadsTo: string } | "directory"
>;

/** All that is in the directories now, and in theirs. */
export async function readDisk(
  directories: readonly string[],
): Promise<DiskState> {
  const state = new Map<string, DiskEntry>();
  const visit = async (directory: string) => {
    state.set(directory, "directory");
    for await (const entry of Deno.readDir(directory)) {
      const path = `${directory}/${entry.name}`;
      if (entry.isDirectory) await visit(path);
      else if (entry.isSymlink) {
        state.set(path, { leadsTo: await Deno.readLink(path) });
      } else state.set(path, await readFileState(path));
    }
  };
  for (const directory of directories) await visit(directory);
  return state;
}

type DiskEntry = DiskState extends ReadonlyMap<string, infer Entry> ? Entry
  : never;

async function readFileState(path: string): Promise<FileState> {
  const info = await Deno.lstat(path);
  return {
    id: `${info.dev}:${info.ino}`,
    bytes: await Deno.readFile(path),
    mode: (info.mode ?? 0) & 0o7777,
    uid: info.uid ?? 0,
    gid: info.gid ?? 0,
  };
}

const O_CREAT = 0o100;
const O_TRUNC = 0o1000;
const UMASK = 0o022;

/** The model after any number of points. */
export class PowerCutModel {
  readonly #roots = new Map<string, ModelDirectory>();
  readonly #byInode = new Map<string, ModelFile>();
  #changes = 0;

  /** All of `state` is durable. */
  constructor(state: DiskState) {
    const files = new Map<FileState["id"], ModelFile>();
    for (const [path, entry] of state) {
      const parent = path.slice(0, path.lastIndexOf("/"));
      if (!state.has(parent)) {
        this.#roots.set(path, new ModelDirectory());
        continue;
      }
      const [directory, name] = this.#parent(path);
      directory.add(name, asModel(entry, files));
    }
  }

  /** Replays one call. Calls that failed, or were never made, change nothing. */
  replay(point: Point): void {
    const { call, path, second = "", result = -1, mode = 0 } = point;
    if (result < 0) return;
    switch (call.replace(/(at2?|64)$/, "")) {
      case "open":
      case "creat":
        return this.#open(point);
      case "write":
      case "writev":
      case "pwrite":
      case "pwritev":
        return this.#write(point);
      case "ftruncate":
      case "truncate":
        return this.#change(point, ({ bytes }) => ({
          bytes: resized(bytes, mode),
        }));
      case "chmod":
      case "fchmod":
        return this.#change(point, () => ({ mode: mode & 0o7777 }));
      case "chown":
      case "fchown":
      case "lchown":
        return this.#change(point, () => ({
          uid: mode,
          gid: point.group ?? 0,
        }));
      case "fsync":
      case "fdatasync":
        return this.#sync(point);
      case "rename":
        return this.#rename(path, second);
      case "link":
        return this.#name(second, this.#entry(path));
      case "symlink":
        return this.#name(path, { leadsTo: second });
      case "mkdir":
        return this.#name(path, new ModelDirectory());
      case "unlink":
      case "rmdir":
        return this.#name(path, undefined);
      default:
        throw new Error(`the model does not know ${call}`);
    }
  }

  #open({ path, flags = 0, mode = 0, inode = "" }: Point): void {
    const found = this.#find(path);
    if (found instanceof ModelFile) {
      this.#byInode.set(inode, found);
      if ((flags & O_TRUNC) !== 0) {
        found.current = { ...found.current, bytes: new Uint8Array() };
      }
    } else if ((flags & O_CREAT) !== 0) {
      const file = new ModelFile({
        bytes: new Uint8Array(),
        mode: mode & ~UMASK & 0o7777,
        uid: Deno.uid() ?? 0,
        gid: Deno.gid() ?? 0,
      });
      this.#byInode.set(inode, file);
      this.#name(path, file);
    }
  }

  #write(point: Point): void {
    const { offset = 0, data = "", result = 0 } = point;
    const added = Uint8Array.fromHex(data).subarray(0, result);
    this.#change(point, ({ bytes }) => {
      const all = resized(bytes, Math.max(bytes.length, offset + added.length));
      all.set(added, offset);
      return { bytes: all };
    });
  }

  #change(
    point: Point,
    change: (content: Content) => Partial<Content>,
  ): void {
    // A directory's own mode decides nothing here.
    if (this.#isDirectory(point)) return;
    const file = this.#file(point);
    file.current = { ...file.current, ...change(file.current) };
  }

  #sync(point: Point): void {
    if (!this.#isDirectory(point)) {
      const file = this.#file(point);
      file.durable = file.current;
      return;
    }
    const directory = this.#roots.get(point.path) ?? this.#find(point.path);
    if (!(directory instanceof ModelDirectory)) return;
    directory.pending = [];
    directory.durable.clear();
    for (const [name, entry] of directory.current) {
      directory.durable.set(name, entry);
    }
  }

  #isDirectory({ path, directory = false }: Point): boolean {
    return directory || this.#roots.has(path) ||
      (this.#canFind(path) && this.#find(path) instanceof ModelDirectory);
  }

  #canFind(path: string): boolean {
    const parent = path.slice(0, path.lastIndexOf("/"));
    return this.#roots.has(parent) ||
      (parent !== "" && this.#canFind(parent) &&
        this.#find(parent) instanceof ModelDirectory);
  }

  #rename(from: string, to: string): void {
    const entry = this.#entry(from);
    // rename(2): two names of one file stay as they are.
    if (this.#find(to) === entry) return;
    const [source, sourceName] = this.#parent(from);
    const [target, targetName] = this.#parent(to);
    if (source !== target) {
      throw new Error(`a move out of the directory: ${to}`);
    }
    this.#apply(source, [[sourceName, undefined], [targetName, entry]]);
  }

  #name(path: string, entry: ModelEntry | undefined): void {
    const [directory, name] = this.#parent(path);
    this.#apply(directory, [[name, entry]]);
  }

  #apply(
    directory: ModelDirectory,
    names: readonly (readonly [string, ModelEntry | undefined])[],
  ): void {
    const change = { number: ++this.#changes, names: new Map(names) };
    directory.pending.push(change);
    applyChange(directory.current, change);
  }

  #file({ path, inode = "" }: Point): ModelFile {
    const file = this.#byInode.get(inode) ?? this.#find(path);
    if (file instanceof ModelFile) return file;
    throw new Error(`the model has no file ${path}`);
  }

  #entry(path: string): ModelEntry {
    const entry = this.#find(path);
    if (entry === undefined) throw new Error(`the model has no ${path}`);
    return entry;
  }

  #find(path: string): ModelEntry | undefined {
    const root = this.#roots.get(path);
    if (root !== undefined) return root;
    const [directory, name] = this.#parent(path);
    return directory.current.get(name);
  }

  #parent(path: string): [ModelDirectory, string] {
    const slash = path.lastIndexOf("/");
    const directory = this.#find(path.slice(0, slash));
    if (directory instanceof ModelDirectory) {
      return [directory, path.slice(slash + 1)];
    }
    throw new Error(`the model has no directory of ${path}`);
  }

  /** The numbers of all changes of names that the power can still take. */
  pending(): number[] {
    const numbers: number[] = [];
    const visit = (directory: ModelDirectory) => {
      numbers.push(...directory.pending.map(({ number }) => number));
      for (const entry of directory.current.values()) {
        if (entry instanceof ModelDirectory) visit(entry);
      }
    };
    for (const root of this.#roots.values()) visit(root);
    return numbers.sort((left, right) => left - right);
  }

  /** As a program that goes on sees it. */
  now(): DiskState {
    return this.cut(new Set(this.pending()), "kept");
  }

  /** What is left when, of the pending changes, these were kept. */
  cut(kept: ReadonlySet<number>, unsynced: UnsyncedContent): DiskState {
    const state = new Map<string, DiskEntry>();
    const ids = new Map<ModelFile, number>();
    const visit = (path: string, directory: ModelDirectory) => {
      state.set(path, "directory");
      const names = new Map(directory.durable);
      for (const change of directory.pending) {
        if (kept.has(change.number)) applyChange(names, change);
      }
      for (const [name, entry] of names) {
        const file = `${path}/${name}`;
        if (entry instanceof ModelDirectory) visit(file, entry);
        else if (entry instanceof ModelFile) {
          const id = ids.get(entry) ?? ids.size;
          ids.set(entry, id);
          state.set(file, { id, ...contentAfter(entry, unsynced) });
        } else state.set(file, entry);
      }
    };
    for (const [path, root] of this.#roots) visit(path, root);
    return state;
  }
}

function applyChange(
  names: Map<string, ModelEntry>,
  change: NameChange,
): void {
  for (const [name, entry] of change.names) {
    if (entry === undefined) names.delete(name);
    else names.set(name, entry);
  }
}

function asModel(
  entry: DiskEntry,
  files: Map<FileState["id"], ModelFile>,
): ModelEntry {
  if (entry === "directory") return new ModelDirectory();
  if ("leadsTo" in entry) return entry;
  const { id, ...content } = entry;
  const file = files.get(id) ?? new ModelFile(content, content);
  files.set(id, file);
  return file;
}

function contentAfter(
  { current, durable }: ModelFile,
  unsynced: UnsyncedContent,
): Content {
  if (current === durable || unsynced === "kept") return current;
  const empty = { ...current, bytes: new Uint8Array() };
  return unsynced === "emptied" ? empty : durable ?? empty;
}

function resized(bytes: Uint8Array, length: number): Uint8Array {
  const all = new Uint8Array(length);
  all.set(bytes.subarray(0, length));
  return all;
}
