/**
 * Paths for programs that may change their directory.
 */

/**
 * The path from the root of the file system. Links and `..` stay as they are:
 * services know the pair by the names that the user wrote.
 */
export function absolutePath(path: string): string {
  const isAbsolute = Deno.build.os === "windows"
    ? /^([A-Za-z]:)?[\\/]/.test(path)
    : path.startsWith("/");
  if (isAbsolute) return path;
  return `${Deno.cwd().replace(/\/$/, "")}/${path.replace(/^(\.\/+)+/, "")}`;
}
