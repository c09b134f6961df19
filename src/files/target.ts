/**
 * Where a target really is: symbolic links followed once, so that the file at
 * their end is replaced and the links stay.
 */
import { RekeyError } from "../errors.ts";
import { diskCall, lstatIfExists } from "./disk.ts";

/** A file to be replaced or made. */
export interface Target {
  /** As the user typed it: for messages. */
  readonly path: string;
  /** Real path of the directory that holds the file. */
  readonly directory: string;
  /** Its name in there. Never empty, `.` or `..`. */
  readonly name: string;
  /** Real path of the file, whether it exists or not. */
  readonly file: string;
}

/**
 * Follows `path` to the file that it means; a dangling link means the file that
 * it would have.
 *
 * @throws {RekeyError} kind `install`, `open PATH failed: REASON`
 */
export function resolveTarget(path: string): Target {
  let current = path;
  for (let link = 0; link <= MAX_LINKS; link++) {
    const { parent, name } = splitPath(current);
    if (name === "" || name === "." || name === "..") {
      const reason = path === ""
        ? "no such file or directory"
        : "is a directory";
      throw new RekeyError("install", `open ${path} failed: ${reason}`);
    }
    const directory = diskCall("open", path, () => Deno.realPathSync(parent));
    const file = inDirectory(directory, name);
    const next = diskCall("open", path, () => readLink(file));
    if (next === undefined) return { path, directory, name, file };
    current = next.startsWith("/") ? next : inDirectory(directory, next);
  }
  throw new RekeyError(
    "install",
    `open ${path} failed: too many levels of symbolic links`,
  );
}

/** As many as Linux follows (path_resolution(7)). */
const MAX_LINKS = 40;

/** The path of `name` in `directory`. */
export function inDirectory(directory: string, name: string): string {
  return directory.endsWith("/") ? directory + name : `${directory}/${name}`;
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
