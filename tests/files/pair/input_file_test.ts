import {
  MAX_INPUT_BYTES,
  readInputFile,
} from "../../../src/files/pair/input_file.ts";
import { CAN_CHANGE_USER, prepareNobody } from "../../support/as_nobody.ts";
import {
  assertEquals,
  assertMatch,
  assertRejects,
} from "../../support/assert.ts";
import { makePairs } from "../../support/key_loss.ts";
import { run, runOk } from "../../support/run.ts";
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

Deno.test("readInputFile() reads what a shell passes by <(command)", async () => {
  const { stdout } = await runOk("bash", [
    ...["-c", '"$@" <(printf hello)', "bash", Deno.execPath(), "eval"],
    ...["--no-config", "--ext=ts"],
    `import { readInputFile } from ${
      JSON.stringify(
        import.meta.resolve("../../../src/files/pair/input_file.ts"),
      )
    };
    await Deno.stdout.write(await readInputFile(Deno.args[0] ?? ""));`,
  ]);
  assertEquals(stdout, "hello");
});

Deno.test({
  name: "ca rekey says who may not read its key (needs root)",
  ignore: !CAN_CHANGE_USER,
  async fn() {
    await using dir = await tempDir();
    await Deno.mkdir(dir.file("closed"), { mode: 0o700 });
    await makePairs(dir);
    await Deno.copyFile(dir.file("old.key"), dir.file("closed/old.key"));
    await Deno.chmod(dir.file("old.key"), 0o600);
    const asNobody = await prepareNobody(dir);
    const said = async (key: string) => {
      const { words: [first, ...words], env } = asNobody("main.ts", [
        ...["ca", "rekey", "--force", "--ca-url", "https://127.0.0.1:1"],
        ...[
          "--root",
          dir.file("other.crt"),
          dir.file("old.crt"),
          dir.file(key),
        ],
      ]);
      const { code, stderr } = await run(first, words, { env, cwd: "/" });
      assertEquals(code, key === "old.key" ? 65 : 73, stderr);
      return stderr;
    };
    assertMatch(
      await said("old.key"),
      /^error loading private key: open \S+old\.key failed: permission denied \(it belongs to uid 0 and gid 0 with mode 0600, and this program runs as uid 65534\)$/m,
    );
    assertMatch(
      await said("closed/old.key"),
      /failed: permission denied \(its folder \S+\/closed belongs to uid 0 and gid 0 with mode 0700, and this program runs as uid 65534\)$/m,
    );
  },
});

Deno.test("readInputFile() refuses a device that never ends", async () => {
  await assertRejects(
    () => readInputFile("/dev/zero"),
    "pair",
    /not a regular file$/,
  );
});
