/**
 * A stream of text that never holds up who writes to it.
 *
 * A pipe that nobody reads is full after 64 KiB, and then each write to it waits
 * for ever; so does a terminal that is stopped. A pass must not: lines wait in a
 * queue with an end, and the oldest are dropped when it is full. The runtime
 * writes on a thread of its own, one write at a time, so that lines keep their
 * order.
 */
/** Most bytes that wait: some hundred lines, as many as in a pipe itself. */
const MOST_WAITING_BYTES = 64 * 1024;

/** How long to leave a reader that shares a non-blocking pipe with us, in ms. */
const RETRY_MS = 50;

/** A stream that need not take all bytes at once. */
export interface AsyncWriter {
  write(bytes: Uint8Array): Promise<number>;
}

/** What to write in the place of lines that were dropped. */
export type LossText = (lines: number) => string;

interface Entry {
  readonly bytes: Uint8Array;
  readonly lines: number;
  /** Without it the entry is never dropped. */
  readonly loss: LossText | undefined;
}

/** The queue of one stream; a process has one for each, so that order is kept. */
export class OutputQueue {
  readonly #stream: AsyncWriter;
  readonly #waiting: Entry[] = [];
  #waitingBytes = 0;
  #lost: { readonly lines: number; readonly loss: LossText } | undefined;
  /** Ends when the queue is empty. */
  #writing: Promise<void> | undefined;
  /** A wait was in vain, and nothing was read since. */
  #isStuck = false;

  constructor(stream: AsyncWriter) {
    this.#stream = stream;
  }

  /**
   * Takes whole lines, and returns at once. A reader that went away or a full
   * disk is no failure.
   *
   * @param loss allows these lines to be dropped, and says so in their place
   */
  write(text: string, loss?: LossText): void {
    const bytes = new TextEncoder().encode(text);
    this.#waiting.push({ bytes, lines: text.split("\n").length - 1, loss });
    this.#waitingBytes += bytes.length;
    this.#dropOldest();
    this.#writing ??= this.#writeAll();
  }

  /**
   * Waits until all is written, for at most `limitMs`. Does not wait again for
   * a reader that a wait was in vain for, before it reads on.
   */
  async flush(limitMs: number): Promise<void> {
    if (this.#writing === undefined || this.#isStuck) return;
    await Promise.race([this.#writing, timeout(limitMs)]);
    this.#isStuck = this.#writing !== undefined;
  }

  #dropOldest(): void {
    while (this.#waitingBytes > MOST_WAITING_BYTES) {
      const oldest = this.#waiting.findIndex(({ loss }) => loss !== undefined);
      const [entry] = oldest < 0 ? [] : this.#waiting.splice(oldest, 1);
      if (entry?.loss === undefined) return;
      this.#waitingBytes -= entry.bytes.length;
      const lines = (this.#lost?.lines ?? 0) + entry.lines;
      this.#lost = { lines, loss: entry.loss };
    }
  }

  async #writeAll(): Promise<void> {
    for (
      let bytes = this.#next();
      bytes !== undefined;
      bytes = this.#next()
    ) {
      await this.#writeOne(bytes);
      this.#isStuck = false;
    }
    // Here and not when the promise is settled: nothing may come between.
    this.#writing = undefined;
  }

  /** What was lost is older than all that waits. */
  #next(): Uint8Array | undefined {
    if (this.#lost !== undefined) {
      const { lines, loss } = this.#lost;
      this.#lost = undefined;
      return new TextEncoder().encode(loss(lines));
    }
    const entry = this.#waiting.shift();
    if (entry !== undefined) this.#waitingBytes -= entry.bytes.length;
    return entry?.bytes;
  }

  async #writeOne(bytes: Uint8Array): Promise<void> {
    for (let done = 0; done < bytes.length;) {
      try {
        done += await this.#stream.write(bytes.subarray(done));
      } catch (error) {
        if (error instanceof Deno.errors.WouldBlock) {
          await timeout(RETRY_MS);
          continue;
        }
        // Whatever it is, nobody can be told that telling failed.
        return;
      }
    }
  }
}

/** The first setTimeout of a process costs 5 ms in Deno 2.9, this does not. */
function timeout(ms: number): Promise<void> {
  return new Promise((resolve) =>
    AbortSignal.timeout(ms).addEventListener("abort", () => resolve())
  );
}
