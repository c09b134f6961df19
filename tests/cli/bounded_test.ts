/** Whatever is 100 kB long somewhere: a message stays one that can be read. */
import { REKEY_FLAGS } from "../../src/cli/resolve/flags.ts";
import { RekeyError } from "../../src/base/errors.ts";
import {
  assert,
  assertEquals,
  assertStringIncludes,
} from "../support/assert.ts";
import { runLine } from "../support/command_line.ts";
import { tempDir } from "../support/temp_dir.ts";

const LENGTH = 100_000;
/** A value of 200 characters or so, the words around it, usage and hint. */
const MOST_OF_STDERR = 900;
/** A message of several such values, with its hint. */
const MOST_OF_ANY = 6_000;

/** Each wrong for some kind of value. */
const LONG_TEXTS: Readonly<Record<string, string>> = {
  "letters": "x".repeat(LENGTH),
  "digits": "9".repeat(LENGTH),
  "durations": "1h".repeat(LENGTH / 2),
  "words": "x ".repeat(LENGTH / 2),
  "an open quote": `'${"x".repeat(LENGTH)}`,
  "shell syntax": `>${"x".repeat(LENGTH)}`,
  "a URL": `http://${"x".repeat(LENGTH)}`,
  "a user in a URL": `https://${"x".repeat(LENGTH)}@a:b:c`,
  "control characters": "\x1b".repeat(LENGTH),
};

function assertBounded(stderr: string, flag: string): void {
  // Control characters are shown by several.
  const lines = stderr.replace(/\\(?:x[0-9a-f]{2}|u[0-9a-f]{4})/g, ".")
    .split("\n");
  assert(stderr.length < MOST_OF_ANY, `${flag}: ${stderr.length} characters`);
  for (const line of lines) {
    assert(line.length < MOST_OF_STDERR, `${flag}: ${line.slice(0, 300)}`);
  }
}

for (const [what, text] of Object.entries(LONG_TEXTS)) {
  Deno.test(`no flag makes an endless message of ${what}, wherever the value comes from`, async () => {
    await using dir = await tempDir();
    await Deno.mkdir(dir.file("config"));
    const begin = performance.now();
    for (const [flag, { kind }] of Object.entries(REKEY_FLAGS)) {
      const base = ["ca", "rekey", "a", "b", "--ca-url=ca"];
      const typed = await runLine([...base, `--${flag}=${text}`]);
      assertBounded(typed.stderr, flag);
      const short = flag === "force" ? "F" : flag === "curve" ? "CRV" : flag;
      const variable = `STEP_${short.toUpperCase().replaceAll("-", "_")}`;
      const line = flag === "ca-url" ? base.slice(0, -1) : base;
      const found = await runLine(line, { env: { [variable]: text } });
      assertBounded(found.stderr, flag);
      await Deno.writeTextFile(
        dir.file("config/defaults.json"),
        JSON.stringify({ [flag]: text }),
      );
      const read = await runLine(line, { env: { STEPPATH: dir.path } });
      assertBounded(read.stderr, flag);
      if (kind !== "text") {
        assertEquals([typed.code, found.code, read.code], [64, 64, 78], flag);
      }
    }
    assert(performance.now() - begin < 20_000);
  });

  Deno.test(`no word of a line makes an endless message of ${what}`, async () => {
    for (
      const line of [
        [text],
        ["ca", text],
        ["ca", "help", text],
        ["version", text],
        [`--${text}`],
        [`-=${text}`],
        ["ca", `--${text}`],
        ["ca", "rekey", `--${text}`],
        ["ca", "rekey", `---${text}`],
        ["ca", "rekey", "a", "b", text],
        ["ca", "rekey", text, text, "--ca-url=ca"],
        ["ca", "layout", text, "a", "b"],
        [
          "ca",
          "rekey",
          "a",
          "b",
          "--ca-url=ca",
          `--out-cert=${text}`,
          `--out-key=${text}`,
        ],
      ]
    ) {
      const { code, stderr } = await runLine(line);
      assertEquals(code, 64);
      assertBounded(stderr, line.slice(0, 2).join(" ").slice(0, 40));
    }
  });
}

Deno.test("a long value is cut in its middle", async () => {
  const value = `begin${"x".repeat(LENGTH)}end`;
  const { stderr } = await runLine(
    ["ca", "rekey", "a", "b", "--ca-url=ca", `--timeout=${value}`],
  );
  assertStringIncludes(stderr, "invalid value 'beginxxx");
  assertStringIncludes(stderr, "xxx…xxx");
  assertStringIncludes(stderr, "xxxend' for flag '--timeout'");
});

for (const format of ["text", "json"]) {
  Deno.test(`12,000 names in one error end in a line that can be read, in ${format}`, async () => {
    const names = Array.from(
      { length: 12_000 },
      (_, index) => `n${index}.example`,
    );
    const failure = new RekeyError(
      "untrusted",
      `names differ: ${names.join(", ")}`,
      {
        hint: `repair ${names.join(", ")}`,
      },
    );
    const { code, stderr } = await runLine(
      [
        "ca",
        "rekey",
        "x".repeat(LENGTH),
        "b",
        "--ca-url=ca",
        `--log-format=${format}`,
      ],
      { failure },
    );
    assertEquals(code, 76);
    assert(stderr.length < 7_000, String(stderr.length));
    assertStringIncludes(stderr, "names differ: n0.example, n1");
    assertStringIncludes(stderr, "n11999.example");
  });
}

Deno.test("many contexts are named as far as a line can be read", async () => {
  await using dir = await tempDir();
  const contexts = Object.fromEntries(
    Array.from({ length: 12_000 }, (_, index) => [
      `context${index}`,
      { authority: "a", profile: "p" },
    ]),
  );
  await Deno.writeTextFile(dir.file("contexts.json"), JSON.stringify(contexts));
  const { code, stderr } = await runLine(["ca", "rekey", "a", "b"], {
    env: { STEPPATH: dir.path },
  });
  assertEquals(code, 64);
  assertBounded(stderr, "context");
});
