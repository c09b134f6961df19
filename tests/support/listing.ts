/**
 * What a folder looks like, times included: equal listings, nothing was changed,
 * not even for a moment.
 */

/** A line for each file and folder below `path`, and for itself. */
export function listing(path: string): readonly string[] {
  const info = Deno.lstatSync(path);
  const { mode, uid, gid, size, ino, mtime, ctime } = info;
  const facts = [mode, uid, gid, size, ino, mtime?.getTime(), ctime?.getTime()];
  const below = info.isDirectory ? [...Deno.readDirSync(path)] : [];
  return [
    `${path} ${facts.join(" ")}`,
    ...below.map(({ name }) => `${path}/${name}`).sort().flatMap(listing),
  ];
}
