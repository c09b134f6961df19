import {
  type LossText,
  OutputQueue,
} from "../../../src/cli/process/output_queue.ts";
import { assert, assertEquals } from "../../support/assert.ts";
import { fullPipe } from "../../support/full_pipe.ts";
import { tempDir } from "../../support/temp_dir.ts";

const LOSS: LossText = (lines) => `lost ${lines}\n`;

/** A stream that takes a write when it is told to, `most` bytes of it. */
function slowStream(most = Infinity) {
  const stream = {
    text: "",
    isOpen: false,
    opened: Promise.withResolvers<void>(),
    async write(bytes: Uint8Array) {
      if (!stream.isOpen) await stream.opened.promise;
      const taken = bytes.subarray(0, most);
      stream.text += new TextDecoder().decode(taken);
      return taken.length;
    },
    open() {
      stream.isOpen = true;
      stream.opened.resolve();
    },
  };
  return stream;
}

Deno.test("OutputQueue writes all in order, however few bytes the stream takes at once", async () => {
  const stream = slowStream(3);
  const queue = new OutputQueue(stream);
  stream.open();
  queue.write("first line\nsecond\n");
  queue.write("third\n", LOSS);
  await queue.flush(1_000);
  queue.write("fourth\n", LOSS);
  await queue.flush(1_000);
  assertEquals(stream.text, "first line\nsecond\nthird\nfourth\n");
});

Deno.test("OutputQueue returns at once while nobody reads, and keeps what fits", async () => {
  const stream = slowStream();
  const queue = new OutputQueue(stream);
  queue.write("a\n", LOSS);
  queue.write("b\n", LOSS);
  await queue.flush(10);
  assertEquals(stream.text, "");
  stream.open();
  while (stream.text !== "a\nb\n") await stream.write(new Uint8Array());
});

Deno.test("OutputQueue drops the oldest lines of a log and counts them in their place", async () => {
  const stream = slowStream();
  const queue = new OutputQueue(stream);
  const line = (index: number) => `${index} ${"x".repeat(1_000)}\n`;
  queue.write("kept\n");
  // One is in flight already, the others wait.
  for (let index = 0; index < 200; index++) queue.write(line(index), LOSS);
  queue.write("two\nlines\n");
  stream.open();
  await queue.flush(1_000);
  const lines = stream.text.trimEnd().split("\n");
  assertEquals(lines[0], "kept");
  const lost = Number(/^lost (\d+)$/.exec(lines[1] ?? "")?.[1]);
  assert(lost > 100 && lost < 200, lines[1]);
  assertEquals(
    lines.slice(2, -2).map((text) => Number(text.split(" ")[0])),
    [
      ...Array(200).keys(),
    ].slice(lost),
  );
  assertEquals(lines.slice(-2), ["two", "lines"]);
});

Deno.test("OutputQueue counts every line of what it drops, and anew each time", async () => {
  const stream = slowStream();
  const queue = new OutputQueue(stream);
  const big = `${"x\n".repeat(20_000)}`;
  for (const round of [1, 2]) {
    stream.isOpen = false;
    stream.opened = Promise.withResolvers();
    stream.text = "";
    queue.write("in flight\n");
    for (let index = 0; index < 3; index++) queue.write(big, LOSS);
    stream.open();
    await queue.flush(1_000);
    const [first, second] = stream.text.split("\n");
    assertEquals([round, first, second], [round, "in flight", "lost 40000"]);
  }
});

Deno.test("OutputQueue never drops what may not be lost", async () => {
  const stream = slowStream();
  const queue = new OutputQueue(stream);
  const page = "x".repeat(100_000);
  queue.write(page);
  queue.write(page);
  stream.open();
  await queue.flush(1_000);
  assertEquals(stream.text, page + page);
});

Deno.test("OutputQueue waits in vain once, and again when somebody reads", async () => {
  const stream = slowStream();
  const queue = new OutputQueue(stream);
  queue.write("a\n", LOSS);
  await queue.flush(20);
  const begin = performance.now();
  await queue.flush(60_000);
  assert(performance.now() - begin < 10_000);
  stream.open();
  while (stream.text !== "a\n") await stream.write(new Uint8Array());
  // The queue hears of it in this turn.
  await new Promise((turn) => setTimeout(turn));
  stream.isOpen = false;
  stream.opened = Promise.withResolvers();
  queue.write("b\n", LOSS);
  const flushed = queue.flush(60_000);
  stream.open();
  await flushed;
  assertEquals(stream.text, "a\nb\n");
});

for (
  const error of [
    new Deno.errors.BrokenPipe("Broken pipe (os error 32)"),
    new Error("No space left on device (os error 28)"),
    new Deno.errors.BadResource("Bad resource ID"),
  ]
) {
  Deno.test(`OutputQueue goes on after ${error.message}`, async () => {
    let text = "";
    let isBroken = true;
    const queue = new OutputQueue({
      write(bytes) {
        if (isBroken) return Promise.reject(error);
        text += new TextDecoder().decode(bytes);
        return Promise.resolve(bytes.length);
      },
    });
    queue.write("a\n", LOSS);
    await queue.flush(1_000);
    isBroken = false;
    queue.write("b\n", LOSS);
    await queue.flush(1_000);
    assertEquals(text, "b\n");
  });
}

Deno.test("OutputQueue tries again where a shared pipe does not block", async () => {
  let text = "";
  let tries = 0;
  const queue = new OutputQueue({
    write(bytes) {
      if (++tries < 3) {
        const message = "Resource temporarily unavailable (os error 11)";
        return Promise.reject(new Deno.errors.WouldBlock(message));
      }
      text += new TextDecoder().decode(bytes);
      return Promise.resolve(bytes.length);
    },
  });
  queue.write("a\n", LOSS);
  await queue.flush(10_000);
  assertEquals(text, "a\n");
});

Deno.test("OutputQueue leaves this thread free while a real pipe is full", async () => {
  await using dir = await tempDir();
  using pipe = await fullPipe(dir.file("pipe"));
  using stream = await Deno.open(pipe.file, { write: true });
  const queue = new OutputQueue(stream);
  for (let index = 0; index < 2_000; index++) {
    queue.write(`${index} ${"x".repeat(100)}\n`, LOSS);
  }
  await queue.flush(50);
  const reading = pipe.readUntil("1999 ");
  const text = await reading;
  await queue.flush(1_000);
  const lost = Number(/^lost (\d+)$/m.exec(text)?.[1]);
  const kept = text.match(/^\d+ x+$/gm) ?? [];
  assertEquals(lost + kept.length >= 1_999, true, `${lost} ${kept.length}`);
});
