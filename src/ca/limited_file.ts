/**
 * Files of the CA, read to a limit: nothing that a path may name (a device, a
 * log, another's file) can fill the memory.
 */

/** Largest file, in bytes. The largest real one, a bundle of public roots, has 0.3 MiB. */
export const MAX_FILE = 4 * 1024 * 1024;

/** A file, or standard input, that is larger than {@linkcode MAX_FILE}. */
export class TooLargeError extends Error {
  override readonly name = "TooLargeError";
  constructor() {
    super("the file is larger than 4 MiB");
  }
}

/**
 * The content of a file.
 *
 * @throws {TooLargeError} and what the system says
 */
export async function readLimited(
  path: string,
): Promise<Uint8Array<ArrayBuffer>> {
  const file = await Deno.open(path);
  try {
    return await readToLimit(file);
  } finally {
    file.close();
  }
}

/**
 * All that is left to read.
 *
 * @throws {TooLargeError} and what the system says
 */
export async function readToLimit(
  source: { read(into: Uint8Array): Promise<number | null> },
): Promise<Uint8Array<ArrayBuffer>> {
  let content = new Uint8Array(16 * 1024);
  let size = 0;
  for (;;) {
    const count = await source.read(content.subarray(size));
    if (count === null) return content.slice(0, size);
    size += count;
    if (size > MAX_FILE) throw new TooLargeError();
    if (size === content.length) {
      const longer = new Uint8Array(size * 4);
      longer.set(content);
      content = longer;
    }
  }
}
