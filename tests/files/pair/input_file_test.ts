import {
  MAX_INPUT_BYTES,
  readInputFile,
} from "../../../src/files/pair/input_file.ts";
import { assertEquals, assertRejects } from "../../support/assert.ts";
import { runOk } from "../../support/run.ts";
import { tempDir } from "../../support/temp_dir.ts";

for (const size of [0, 1, 16 * 1024, 16 * 1024 + 1, 100_000]) {
  Deno.test(`readInputFile() reads all of ${size} bytes`, async () => {
    await using dir = await tempDir();
    const content = new Uint8Array(size).map((_, index) => index % 251);
    await Deno.writeFile(dir.file("file"), content);
    assertEquals(await readInputFile(dir.file("file")), content);
  });
}

Deno.test("readInputFile() refuses a file that is too large", async () => {
  await using dir = await tempDir();
  await Deno.writeFile(dir.file("file"), new Uint8Array());
  await Deno.truncate(dir.file("file"), MAX_INPUT_BYTES + 1);
  await assertRejects(
    () => readInputFile(dir.file("file")),
    "pair",
    /larger than 10 MiB$/,
  );
});

Deno.test("readInputFile() refuses a directory", async () => {
  await using dir = await tempDir();
  await assertRejects(
    () => readInputFile(dir.path),
    "pair",
    /^open .* failed: is a directory$/,
  );
});

Deno.test("readInputFile() refuses a FIFO without waiting for a writer", async () => {
  await using dir = await tempDir();
  await runOk("mkfifo", [dir.file("fifo")]);
  await assertRejects(
    () => readInputFile(dir.file("fifo")),
    "pair",
    /not a regular file$/,
  );
});

Deno.test("readInputFile() refuses a device that never ends", async () => {
  await assertRejects(
    () => readInputFile("/dev/zero"),
    "pair",
    /not a regular file$/,
  );
});
