/**
 * Files that a person or a setting names, read to a limit: nothing that a path
 * may name (a device, a log, another's file) can fill the memory, and no FIFO
 * that nobody writes to holds up the program.
 */

const MIB = 1024 * 1024;

/** Largest file of the CA, in bytes. The largest real one, a bundle of public roots, has 0.3 MiB. */
const MOST_BYTES = 4 * MIB;

/** What can be opened, but is no small file. */
export class UnusableFileError extends Error {
  override readonly name = "UnusableFileError";
}

/** Names of descriptors that this process was started with. */
const INHERITED_DESCRIPTOR =
  /^\/(?:dev\/(?:fd\/\d+|stdin)|proc\/self\/fd\/\d+)$/;

/**
 * Refuses what may never end or never begin. What a shell passes by
 * `<(command)` is a pipe that already has its writer, and so it may be read.
 *
 * @throws {UnusableFileError} and what the system says
 */
export function requireRegularFile(path: string): void {
  const { isFile, isDirectory } = Deno.statSync(path);
  // The system itself says of a directory what is wrong.
  if (isFile || isDirectory || INHERITED_DESCRIPTOR.test(path)) return;
  throw new UnusableFileError("not a regular file");
}

/**
 * The content of a file.
 *
 * @throws {UnusableFileError} and what the system says
 */
export async function readLimited(
  path: string,
  mostBytes: number = MOST_BYTES,
): Promise<Uint8Array<ArrayBuffer>> {
  requireRegularFile(path);
  using file = await Deno.open(path);
  return await readToLimit(file, mostBytes);
}

/**
 * All that is left to read.
 *
 * @throws {UnusableFileError} and what the system says
 */
export async function readToLimit(
  source: { read(into: Uint8Array): Promise<number | null> },
  mostBytes: number = MOST_BYTES,
): Promise<Uint8Array<ArrayBuffer>> {
  // Enough for a chain of a few certificates, so that one read is the rule.
  let content = new Uint8Array(16 * 1024);
  let size = 0;
  for (;;) {
    const count = await source.read(content.subarray(size));
    if (count === null) return content.slice(0, size);
    size += count;
    if (size > mostBytes) {
      throw new UnusableFileError(
        `the file is larger than ${mostBytes / MIB} MiB`,
      );
    }
    if (size === content.length) {
      const longer = new Uint8Array(size * 4);
      longer.set(content);
      content = longer;
    }
  }
}
