/**
 * Reads small files that the user names: certificates, keys, passwords.
 *
 * Must never hang on a FIFO that nobody writes to, nor read a device without
 * end. What a shell passes by `<(command)` is a pipe that already has its
 * writer, and so it is read like standard input.
 */
import { STANDARD_INPUT } from "../../base/paths.ts";
import { RekeyError } from "../../base/errors.ts";
import { osCode, osReason } from "../../base/os_error.ts";

/** Largest accepted input, in bytes; a chain of 1000 certificates is below 2 MiB. */
export const MAX_INPUT_BYTES: number = 10 * 1024 * 1024;

/**
 * The content of `file`; `-` is standard input.
 *
 * @throws {RekeyError} kind `pair`: `open FILE failed: REASON` in the system's
 *   words, or what is wrong with it (not a regular file, too large)
 */
export async function readInputFile(
  file: string,
): Promise<Uint8Array<ArrayBuffer>> {
  if (file === STANDARD_INPUT) {
    return await readLimited(Deno.stdin, "standard input");
  }
  try {
    const { isFile, isDirectory } = await Deno.stat(file);
    if (isDirectory) {
      throw new RekeyError("pair", `open ${file} failed: is a directory`);
    }
    if (!isFile && !INHERITED_DESCRIPTOR.test(file)) {
      throw new RekeyError(
        "pair",
        `open ${file} failed: not a regular file`,
      );
    }
    using opened = await Deno.open(file);
    return await readLimited(opened, file);
  } catch (error) {
    if (error instanceof RekeyError) throw error;
    throw new RekeyError(
      "pair",
      `open ${file} failed: ${osReason(error)}${await whoMayRead(file, error)}`,
      { cause: error },
    );
  }
}

/** Behind a refusal: whose file it is, and who asked. */
async function whoMayRead(file: string, error: unknown): Promise<string> {
  if (osCode(error) !== "EACCES") return "";
  try {
    const { mode, uid, gid } = await Deno.stat(file);
    const shown = ((mode ?? 0) & 0o7777).toString(8).padStart(4, "0");
    return ` (it belongs to uid ${uid}, gid ${gid} with mode ${shown}, and this is uid ${Deno.uid()}, gid ${Deno.gid()})`;
  } catch {
    // What hides the file hides this as well; the reason above is enough.
    return "";
  }
}

/** Names of descriptors that this process was started with. */
const INHERITED_DESCRIPTOR =
  /^\/(?:dev\/(?:fd\/\d+|stdin)|proc\/self\/fd\/\d+)$/;

async function readLimited(
  source: { read(buffer: Uint8Array): Promise<number | null> },
  name: string,
): Promise<Uint8Array<ArrayBuffer>> {
  let content = new Uint8Array(FIRST_BUFFER_BYTES);
  let size = 0;
  while (true) {
    if (size > MAX_INPUT_BYTES) {
      throw new RekeyError(
        "pair",
        `read ${name} failed: larger than ${MAX_INPUT_BYTES / 1024 / 1024} MiB`,
      );
    }
    if (size === content.length) {
      const larger = new Uint8Array(2 * content.length);
      larger.set(content);
      content = larger;
    }
    const count = await source.read(content.subarray(size));
    if (count === null) return content.slice(0, size);
    size += count;
  }
}

/** Enough for a chain of a few certificates, so that one read is the rule. */
const FIRST_BUFFER_BYTES = 16 * 1024;
