/**
 * Where a target really is: symbolic links followed once, so that the file at
 * their end is replaced and the links stay.
 */
import { RekeyError } from "../../base/errors.ts";
import { absolutePath } from "../../base/paths.ts";
import {
  diskCall,
  lstatIfExists,
  type Role,
  type ShownDirectory,
} from "./disk.ts";
import { pin, requireOwnWay, unpin } from "./pinned.ts";

export type { Role };

/** A file to be replaced or made; its directory is a real path, or pinned. */
export interface Target extends ShownDirectory {
  /** Its name in there. Never empty, `.` or `..`. */
  readonly name: string;
  /** Real path of the file, whether it exists or not. */
  readonly file: string;
  /**
   * Present when the file is a link to the current version of a pair: that link
   * is the target then, and not followed.
   */
  readonly version?: VersionLink | undefined;
  /**
   * The file's own directory, where that cannot be written: then `directory` is
   * another one, for the hidden files, and the file is overwritten in place.
   */
  readonly standsIn?: string | undefined;
}

/** A link to a file of the current version. */
export interface VersionLink {
  /** The directory that holds the versions; it need not exist. */
  readonly directory: string;
  readonly role: Role;
}

export const CURRENT = "current";

/** What the files of a version are called. */
export const VERSION_FILES: Readonly<Record<Role, string>> = {
  certificate: "certificate.pem",
  key: "key.pem",
};

/**
 * Follows `path` to the file that it means; a dangling link means the file that
 * it would have.
 *
 * @throws {RekeyError} kind `install`, `open PATH failed: REASON`
 */
export function resolveTarget(path: string): Target {
  let current = path;
  const owners: number[] = [];
  for (let link = 0; link <= MAX_LINKS; link++) {
    const { parent, name } = splitPath(current);
    if (name === "" || name === "." || name === "..") {
      const reason = path === ""
        ? "no such file or directory"
        : "is a directory";
      throw new RekeyError("install", `open ${path} failed: ${reason}`);
    }
    const directory = diskCall(
      "open",
      path,
      () => reach(parent, owners),
    );
    const file = inDirectory(directory, name);
    const next = diskCall("open", path, () => readLink(file));
    if (next === undefined) return { path, directory, name, file };
    owners.push(diskCall("open", path, () => lstatIfExists(file)?.uid ?? 0));
    current = next.startsWith("/") ? next : inDirectory(directory, next);
    const link = current;
    const version = diskCall("open", path, () => versionLink(link));
    if (version !== undefined) {
      return { path, directory, name, file, version };
    }
  }
  throw new RekeyError(
    "install",
    `open ${path} failed: too many levels of symbolic links`,
  );
}

/** The directory behind a path; `owners` are those of the links that led to it. */
function reach(parent: string, owners: readonly number[]): string {
  const real = Deno.realPathSync(parent);
  const named = unpin(parent);
  const isNamed = real === named || real === plain(absolutePath(named));
  if (!isNamed || owners.length > 0) requireOwnWay(named, { real, owners });
  return pin(real);
}

/** As many as Linux follows (path_resolution(7)). */
const MAX_LINKS = 40;

export function inDirectory(directory: string, name: string): string {
  return directory.endsWith("/") ? directory + name : `${directory}/${name}`;
}

/**
 * `path` as seen from `directory`, so that a journal stays true when both are
 * moved, or mounted elsewhere; empty for the directory itself. Real paths.
 */
export function relativeTo(directory: string, path: string): string {
  const [from, to] = [segments(unpin(directory)), segments(unpin(path))];
  const parted = from.findIndex((name, index) => name !== to[index]);
  const shared = parted < 0 ? from.length : parted;
  return [...from.slice(shared).fill(".."), ...to.slice(shared)].join("/");
}

/** The path that {@linkcode relativeTo} was asked for. */
export function resolveFrom(directory: string, relative: string): string {
  return pinned(plain(`${unpin(directory)}/${relative}`));
}

/** Without `.` and `..`, as if there were no links. */
function plain(path: string): string {
  const names: string[] = [];
  for (const name of segments(path)) {
    if (name === "..") names.pop();
    else if (name !== ".") names.push(name);
  }
  return `${path.startsWith("/") ? "/" : ""}${names.join("/")}`;
}

function segments(path: string): string[] {
  return path.split("/").filter((name) => name !== "");
}

/** The meaning of `…/.NAME.versions/current/certificate.pem` or `…/key.pem`. */
function versionLink(path: string): VersionLink | undefined {
  const [, directory, file] = VERSION_PATH.exec(path) ?? [];
  if (directory === undefined || file === undefined) return undefined;
  return {
    directory: pinned(realPathIfExists(unpin(directory))),
    role: file === VERSION_FILES.key ? "key" : "certificate",
  };
}

const VERSION_PATH = new RegExp(
  `^(.*/\\.[^/]+\\.versions)/${CURRENT}/(certificate\\.pem|key\\.pem)$`,
);

/** The path by way of its directory, where that is pinned. */
function pinned(path: string): string {
  const { parent, name } = splitPath(path);
  return lstatIfExists(parent)?.isDirectory === true
    ? inDirectory(pin(parent), name)
    : path;
}

/** Two ways to one directory, of which a link is one, are one directory. */
function realPathIfExists(directory: string): string {
  try {
    return Deno.realPathSync(directory);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return directory;
    throw error;
  }
}

function readLink(file: string): string | undefined {
  if (lstatIfExists(file)?.isSymlink !== true) return undefined;
  return Deno.readLinkSync(file);
}

function splitPath(path: string): {
  readonly parent: string;
  readonly name: string;
} {
  const slash = Deno.build.os === "windows"
    ? Math.max(path.lastIndexOf("/"), path.lastIndexOf("\\"))
    : path.lastIndexOf("/");
  if (slash < 0) return { parent: ".", name: path };
  return { parent: path.slice(0, slash) || "/", name: path.slice(slash + 1) };
}
