/**
 * Paths as text: cleaned and joined without looking at the disk. Pure.
 */

/**
 * The shortest path with the same lexical meaning, as Go's `filepath.Clean`:
 * no `.`, no `//`, `a/..` removed; an empty path is `.`.
 */
export function cleanPath(path: string): string {
  const rooted = path.startsWith("/");
  const kept: string[] = [];
  for (const part of path.split("/")) {
    if (part === "" || part === ".") continue;
    if (part !== "..") kept.push(part);
    else if (kept.length > 0 && kept.at(-1) !== "..") kept.pop();
    else if (!rooted) kept.push(part);
  }
  return (rooted ? "/" : "") + kept.join("/") || ".";
}

/** `parts` as one cleaned path. */
export function joinPath(...parts: readonly string[]): string {
  return cleanPath(parts.filter((part) => part !== "").join("/"));
}

/** The cleaned path from the root; `directory` is where relative ones start. */
export function absolutePath(path: string, directory: string): string {
  return path.startsWith("/") ? cleanPath(path) : joinPath(directory, path);
}
