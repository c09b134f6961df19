/**
 * Text to a stream of this process, all of it.
 */

/** A stream that writes at once; part of the bytes at a time, perhaps. */
export interface SyncWriter {
  writeSync(bytes: Uint8Array): number;
}

/**
 * Writes all of `text`. A reader that went away is no failure:
 * `step-rekey --help | head -1` is fine.
 *
 * @throws the system's error for anything else, such as a full disk
 */
export function writeText(stream: SyncWriter, text: string): void {
  const bytes = new TextEncoder().encode(text);
  try {
    for (let done = 0; done < bytes.length;) {
      done += stream.writeSync(bytes.subarray(done));
    }
  } catch (error) {
    if (!(error instanceof Deno.errors.BrokenPipe)) throw error;
  }
}
