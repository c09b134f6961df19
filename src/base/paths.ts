/**
 * Paths as users write them.
 */

/** The name of standard input, where a file to read is named. */
export const STANDARD_INPUT = "-";

/**
 * The path from the root of the file system. Links and `..` stay as they are:
 * services know a file by the name that the user wrote.
 *
 * @param cwd where relative paths start; only called for one
 */
export function absolutePath(
  path: string,
  cwd: () => string = Deno.cwd,
): string {
  const isAbsolute = Deno.build.os === "windows"
    ? /^([A-Za-z]:)?[\\/]/.test(path)
    : path.startsWith("/");
  if (isAbsolute) return path;
  return `${cwd().replace(/\/$/, "")}/${path.replace(/^(\.\/+)+/, "")}`;
}
