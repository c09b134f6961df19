/** Where values come from: real files in a real $STEPPATH. */
import type { TempDir } from "../../support/temp_dir.ts";
import { tempDir } from "../../support/temp_dir.ts";
import { assertEquals, assertStringIncludes } from "../../support/assert.ts";
import { type LineResult, runLine } from "../../support/command_line.ts";
import { runOk } from "../../support/run.ts";

/** Writes settings files; keys are paths below the directory. */
async function write(
  dir: TempDir,
  files: Readonly<Record<string, unknown>>,
): Promise<void> {
  for (const [name, content] of Object.entries(files)) {
    const path = dir.file(name);
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(
      path,
      typeof content === "string" ? content : JSON.stringify(content),
    );
  }
}

/** `ca rekey a k` and more words, in a $STEPPATH with these files. */
async function rekeyIn(
  files: Readonly<Record<string, unknown>>,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<LineResult & { readonly steppath: string }> {
  await using dir = await tempDir();
  await write(dir, files);
  const result = await runLine(["ca", "rekey", "a", "k", ...args], {
    env: { STEPPATH: dir.path, ...env },
  });
  return { ...result, steppath: dir.path };
}

const DEFAULTS = "config/defaults.json";

function spec(result: LineResult): unknown {
  const { options } = result;
  return options?.newKey.from === "generate" ? options.newKey.spec : undefined;
}

function url(result: LineResult): unknown {
  const { options } = result;
  return options?.authority.mode === "online"
    ? options.authority.url
    : undefined;
}

Deno.test("a flag wins over its variable, and that over defaults.json", async () => {
  const files = { [DEFAULTS]: { "ca-url": "file" } };
  const env = { STEP_CA_URL: "variable" };
  assertEquals(
    url(await rekeyIn(files, ["--ca-url=flag"], env)),
    "https://flag",
  );
  assertEquals(url(await rekeyIn(files, [], env)), "https://variable");
  assertEquals(url(await rekeyIn(files)), "https://file");
});

Deno.test("what step ca bootstrap writes is enough to rekey", async () => {
  const result = await rekeyIn({
    [DEFAULTS]: {
      "ca-url": "https://ca.example:9000",
      "fingerprint": "0123",
      "root": "/r/root_ca.crt",
      "redirect-url": "https://x",
      "min-password-length": 8,
    },
  });
  assertEquals(result.options?.authority, {
    mode: "online",
    url: "https://ca.example:9000",
    root: "/r/root_ca.crt",
    connectTimeoutMs: 30_000,
    timeoutMs: 30_000,
  });
});

Deno.test("an empty variable is set and hides the file", async () => {
  const { code, stderr } = await rekeyIn(
    { [DEFAULTS]: { "ca-url": "file" } },
    [],
    { STEP_CA_URL: "" },
  );
  assertEquals(code, 64);
  assertStringIncludes(stderr, "'step ca rekey' requires the '--ca-url' flag");
});

for (
  const [env, overwrite] of [
    [{ STEP_F: "1" }, "always"],
    [{ STEP_F: "" }, "ask"],
    [{ STEP_F: "false" }, "ask"],
    [{ STEP_FORCE: "1" }, "ask"],
  ] as const
) {
  Deno.test(`${JSON.stringify(env)} means overwrite ${overwrite}`, async () => {
    const result = await rekeyIn({}, ["--ca-url=ca"], env);
    assertEquals(result.options?.overwrite, overwrite);
  });
}

Deno.test("STEP_CRV sets --curve, STEP_CURVE does nothing", async () => {
  const line = ["--ca-url=ca"];
  assertEquals(spec(await rekeyIn({}, line, { STEP_CRV: "P-384" })), {
    kty: "EC",
    curve: "P-384",
  });
  assertEquals(spec(await rekeyIn({}, line, { STEP_CURVE: "P-384" })), {
    kty: "EC",
    curve: "P-256",
  });
});

Deno.test("STEP_OUT_KEY counts as --out-key beside --private-key", async () => {
  const result = await rekeyIn({}, ["--ca-url=ca", "--private-key=p"], {
    STEP_OUT_KEY: "o",
  });
  assertEquals(result.options?.newKey, {
    from: "file",
    path: "p",
    writeCopy: true,
  });
});

Deno.test("a variable is not looked at when the flag is given", async () => {
  const result = await rekeyIn({}, ["--ca-url=ca", "--pid=5"], {
    STEP_PID: "abc",
  });
  assertEquals(result.code, 0);
});

for (
  const [env, message] of [
    [
      { STEP_PID: "abc" },
      'could not parse abc as int value for flag pid: strconv.ParseInt: parsing "abc": invalid syntax',
    ],
    [
      { STEP_SIZE: "" },
      'could not parse  as int value for flag size: strconv.ParseInt: parsing "": invalid syntax',
    ],
    [
      { STEP_SIGNAL: "99999999999999999999" },
      'could not parse 99999999999999999999 as int value for flag signal: strconv.ParseInt: parsing "99999999999999999999": value out of range',
    ],
    [
      { STEP_F: "x" },
      'could not parse x as bool value for flag f,force: strconv.ParseBool: parsing "x": invalid syntax',
    ],
    [
      { STEP_DAEMON: "maybe" },
      'could not parse maybe as bool value for flag daemon: strconv.ParseBool: parsing "maybe": invalid syntax',
    ],
  ] as const
) {
  Deno.test(`${JSON.stringify(env)} is refused with Go's text and the variable's name`, async () => {
    const { code, stdout, stderr } = await rekeyIn({}, ["--ca-url=ca"], env);
    const [variable] = Object.keys(env);
    assertEquals(code, 64);
    assertEquals(
      stderr,
      `${message}\nhint: correct or unset the variable ${variable}\n`,
    );
    assertEquals(stdout, "");
  });
}

for (const key of ["crv", "curve"]) {
  Deno.test(`the key '${key}' of defaults.json sets the curve`, async () => {
    const result = await rekeyIn(
      { [DEFAULTS]: { "ca-url": "ca", [key]: "P-384" } },
    );
    assertEquals(spec(result), { kty: "EC", curve: "P-384" });
  });
}

for (const key of ["f", "force"]) {
  Deno.test(`the key '${key}' of defaults.json forces`, async () => {
    const result = await rekeyIn(
      { [DEFAULTS]: { "ca-url": "ca", [key]: true } },
    );
    assertEquals(result.options?.overwrite, "always");
  });
}

Deno.test("a big number of defaults.json is still an integer", async () => {
  const { code, stderr } = await rekeyIn(
    { [DEFAULTS]: { "ca-url": "ca", pid: 4194304, size: 4096 } },
  );
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("unknown keys and keys with underscores are ignored", async () => {
  const result = await rekeyIn({
    [DEFAULTS]: { ca_url: "x", bogus: [1], "ca-url": "ca", constructor: 1 },
  });
  assertEquals(url(result), "https://ca");
});

for (
  const [key, value, must] of [
    ["size", "abc", "an integer"],
    ["size", 2048.5, "an integer"],
    ["size", true, "an integer"],
    ["pid", 1e300, "an integer"],
    ["force", "maybe", "true or false"],
    ["offline", 2, "true or false"],
    ["root", null, "a single value"],
    ["root", ["a", "b"], "a single value"],
    ["ca-url", { a: 1 }, "a single value"],
  ] as const
) {
  Deno.test(`defaults.json with ${key}: ${JSON.stringify(value)} is refused by name`, async () => {
    const { code, stderr, steppath } = await rekeyIn(
      { [DEFAULTS]: { [key]: value } },
      key === "ca-url" ? [] : ["--ca-url=ca"],
    );
    const file = `${steppath}/${DEFAULTS}`;
    assertEquals(
      [code, stderr],
      [
        78,
        `error parsing ${file}: the value of '${key}' must be ${must}\nhint: correct or remove '${key}' in "${file}"\n`,
      ],
    );
  });
}

for (
  const [content, reason] of [
    [
      "{",
      "Expected property name or '}' in JSON at position 1 (line 1 column 2)",
    ],
    ["[]", "must be a JSON object"],
    ['"text"', "must be a JSON object"],
    ["", "Unexpected end of JSON input"],
    ['{"password": hunter2}', "Unexpected token 'h'"],
  ] as const
) {
  Deno.test(`defaults.json that is ${JSON.stringify(content)} is refused without showing its content`, async () => {
    const { code, stderr, steppath } = await rekeyIn({ [DEFAULTS]: content });
    const file = `${steppath}/${DEFAULTS}`;
    assertEquals(
      [code, stderr],
      [
        78,
        `failed loading context configuration: error parsing ${file}: ${reason}\nhint: repair or remove "${file}"\n`,
      ],
    );
  });
}

Deno.test("defaults.json that is null or missing is no setting", async () => {
  for (const files of [{}, { [DEFAULTS]: "null" }]) {
    assertEquals((await rekeyIn(files, ["--ca-url=ca"])).code, 0);
  }
});

for (const name of ["contexts.json", DEFAULTS]) {
  Deno.test(`${name} that is a FIFO is refused without waiting for a writer`, async () => {
    await using dir = await tempDir();
    const fifo = dir.file(name);
    await Deno.mkdir(dir.file("config"));
    await runOk("mkfifo", [fifo]);
    const { code, stderr } = await runLine(["ca", "rekey", "a", "k"], {
      env: { STEPPATH: dir.path },
    });
    assertEquals(code, 78);
    assertStringIncludes(stderr, `open ${fifo} failed: not a regular file`);
  });
}

Deno.test("defaults.json that is a directory is refused", async () => {
  const { code, stderr, steppath } = await rekeyIn(
    { [`${DEFAULTS}/x`]: "" },
    ["--ca-url=ca"],
  );
  assertEquals(code, 78);
  assertStringIncludes(
    stderr,
    `failed loading context configuration: open ${steppath}/${DEFAULTS} failed: is a directory`,
  );
});

Deno.test("help and version read no settings at all", async () => {
  await using dir = await tempDir();
  await write(dir, { [DEFAULTS]: "{", "contexts.json": "{" });
  for (
    const line of [
      ["ca", "rekey", "--help"],
      ["help", "ca", "rekey"],
      ["ca"],
      ["--help"],
      ["version"],
      ["ca", "rekey", "--bogus"],
    ]
  ) {
    const { variables } = await runLine(line, { env: { STEPPATH: dir.path } });
    // How an error is reported is none of them.
    const settings = variables.filter((name) =>
      name !== "STEPDEBUG" && name !== "STEP_LOG_FORMAT"
    );
    assertEquals(settings, []);
  }
});

Deno.test("--config in front of the command takes the place of defaults.json", async () => {
  await using dir = await tempDir();
  await write(dir, {
    [DEFAULTS]: { "ca-url": "ordinary", "kty": "RSA" },
    "other.json": { "ca-url": "other" },
  });
  const result = await runLine(
    ["--config", dir.file("other.json"), "ca", "rekey", "a", "k"],
    { env: { STEPPATH: dir.path } },
  );
  assertEquals(url(result), "https://other");
  assertEquals(spec(result), { kty: "EC", curve: "P-256" });
});

Deno.test("--config with a missing or broken file is refused by name", async () => {
  await using dir = await tempDir();
  await write(dir, { "broken.json": "{" });
  const missing = await runLine(
    ["--config", dir.file("none"), "ca", "rekey", "a", "k", "--ca-url=ca"],
  );
  assertEquals(missing.code, 78);
  assertStringIncludes(
    missing.stderr,
    `open ${dir.file("none")} failed: no such file or directory`,
  );
  const broken = await runLine(
    ["--config", dir.file("broken.json"), "rekey", "a", "k", "--ca-url=ca"],
  );
  assertEquals(broken.code, 78);
  assertStringIncludes(
    broken.stderr,
    `error parsing ${dir.file("broken.json")}`,
  );
});
