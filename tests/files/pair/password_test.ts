import {
  passwordReader,
  readPasswordFile,
} from "../../../src/files/pair/password.ts";
import { assert, assertEquals, assertRejects } from "../../support/assert.ts";
import { runOk } from "../../support/run.ts";
import { tempDir } from "../../support/temp_dir.ts";

async function readBack(
  content: string | Uint8Array,
): Promise<string | undefined> {
  await using dir = await tempDir();
  const file = dir.file("password");
  await Deno.writeFile(
    file,
    typeof content === "string" ? new TextEncoder().encode(content) : content,
  );
  return await readPasswordFile(file);
}

const CASES: readonly (readonly [string, string, string | undefined])[] = [
  ["a line end", "secret\n", "secret"],
  ["CRLF", "secret\r\n", "secret"],
  [
    "all trailing white space",
    "secret \t\v\f\u0085\u00a0\u2003\u3000\n\n",
    "secret",
  ],
  ["no leading or inner white space", "  se cret", "  se cret"],
  ["no zero-width space", "secret\u200b", "secret\u200b"],
  ["no trailing byte order mark", "secret\ufeff", "secret\ufeff"],
  ["nothing else", "pässwörd→", "pässwörd→"],
  ["a leading byte order mark", "\ufeffsecret", "secret"],
  ["only the first byte order mark", "\ufeff\ufeffsecret", "\ufeffsecret"],
  ["everything from an empty file", "", undefined],
  ["everything from a blank file", " \n\t\n", undefined],
];

for (const [what, content, password] of CASES) {
  Deno.test(`readPasswordFile() strips ${what}`, async () => {
    assertEquals(await readBack(content), password);
  });
}

Deno.test("readPasswordFile() refuses what is not UTF-8, rather than a wrong password later", async () => {
  const utf16 = [0xff, 0xfe, 0x61, 0, 0x62, 0];
  for (const bytes of [[0x61, 0xe9], utf16]) {
    await assertRejects(
      () => readBack(Uint8Array.from(bytes)),
      "pair",
      /password file .* is not UTF-8 text$/,
    );
  }
});

Deno.test("readPasswordFile() names a missing file", async () => {
  await using dir = await tempDir();
  const error = await assertRejects(
    () => readPasswordFile(dir.file("none")),
    "pair",
  );
  assertEquals(
    error.message,
    `open ${dir.file("none")} failed: no such file or directory`,
  );
});

Deno.test("readPasswordFile() does not hang on a FIFO", async () => {
  await using dir = await tempDir();
  await runOk("mkfifo", [dir.file("fifo")]);
  await assertRejects(
    () => readPasswordFile(dir.file("fifo")),
    "pair",
    /fifo failed: not a regular file$/,
  );
});

/** Reads in a child with something on standard input or a descriptor. */
async function readInShell(script: string): Promise<string> {
  await using dir = await tempDir();
  const program = dir.file("read.ts");
  const module =
    new URL("../../../src/files/pair/password.ts", import.meta.url).href;
  await Deno.writeTextFile(
    program,
    `import { readPasswordFile } from ${JSON.stringify(module)};
     console.log(JSON.stringify(await readPasswordFile(Deno.args[0])));`,
  );
  const { stdout } = await runOk("bash", [
    "-c",
    script,
    Deno.execPath(),
    "run",
    "-A",
    "--no-check",
    "--no-config",
    program,
  ]);
  return JSON.parse(stdout);
}

Deno.test("readPasswordFile() reads standard input for -", async () => {
  assertEquals(
    await readInShell(`printf 'from a pipe\\n' | "$0" "$@" -`),
    "from a pipe",
  );
});

Deno.test("readPasswordFile() reads what bash passes by <(command)", async () => {
  assertEquals(
    await readInShell(`"$0" "$@" <(echo from a command)`),
    "from a command",
  );
});

Deno.test("passwordReader() opens a file once, so that a pipe serves several keys", async () => {
  await using dir = await tempDir();
  const file = dir.file("password");
  await Deno.writeTextFile(file, "first\n");
  const read = passwordReader();
  assertEquals(await read(file), "first");
  await Deno.writeTextFile(file, "second\n");
  assertEquals(await read(file), "first");
  assertEquals(await passwordReader()(file), "second");
});

Deno.test("readPasswordFile() takes a moment for much inner white space", async () => {
  const password = `a${" ".repeat(200_000)}b`;
  const started = performance.now();
  assertEquals(await readBack(`${password} \n`), password);
  // The quadratic pattern that it had took 22 s.
  assert(performance.now() - started < 8000);
});

Deno.test("readPasswordFile() refuses a file that is too large for a password", async () => {
  await assertRejects(
    () => readBack("a".repeat(1024 * 1024 + 1)),
    "pair",
    /^password file .* is larger than 1 MiB$/,
  );
});
