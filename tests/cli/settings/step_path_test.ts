/** $(step path) and contexts, in real directories. */
import {
  cleanPath,
  findStepPath,
  joinPath,
} from "../../../src/cli/settings/step_path.ts";
import {
  assert,
  assertEquals,
  assertStringIncludes,
} from "../../support/assert.ts";
import { type LineResult, runLine } from "../../support/command_line.ts";
import { tempDir } from "../../support/temp_dir.ts";

type Files = Readonly<Record<string, unknown>>;

async function rekeyIn(
  files: Files,
  args: readonly string[] = [],
  env: Readonly<Record<string, string>> = {},
): Promise<LineResult & { readonly base: string; readonly left: string[] }> {
  await using dir = await tempDir();
  for (const [name, content] of Object.entries(files)) {
    const path = dir.file(name);
    await Deno.mkdir(path.slice(0, path.lastIndexOf("/")), { recursive: true });
    await Deno.writeTextFile(
      path,
      typeof content === "string" ? content : JSON.stringify(content),
    );
  }
  const result = await runLine(["ca", "rekey", "a", "k", ...args], {
    env: { STEPPATH: dir.path, ...env },
  });
  const left: string[] = [];
  for await (const { name } of Deno.readDir(dir.path)) left.push(name);
  return { ...result, base: dir.path, left };
}

const ONE = { one: { profile: "p1", authority: "a1" } };
const TWO = { ...ONE, two: { profile: "p2", authority: "a2" } };

const BOTH: Files = {
  "contexts.json": TWO,
  "authorities/a1/config/defaults.json": { "ca-url": "a1", kty: "RSA" },
  "authorities/a2/config/defaults.json": { "ca-url": "a2" },
  "profiles/p1/config/defaults.json": { "ca-url": "p1" },
  "config/defaults.json": { "ca-url": "not-read" },
};

function authority({ options }: LineResult): unknown {
  return options?.authority;
}

function online(url: string, root: string): object {
  return {
    mode: "online",
    url,
    root,
    connectTimeoutMs: 30_000,
    timeoutMs: 30_000,
  };
}

Deno.test("the profile's defaults win over the authority's, key by key", async () => {
  const result = await rekeyIn({
    ...BOTH,
    "current-context.json": { context: "one" },
  });
  assertEquals(
    authority(result),
    online("https://p1", `${result.base}/authorities/a1/certs/root_ca.crt`),
  );
  assertEquals(result.options?.newKey, {
    from: "generate",
    spec: { kty: "RSA", bits: 2048 },
  });
  assertEquals(result.stderr, "");
});

Deno.test("aliases of one flag in two files: the profile still wins", async () => {
  const result = await rekeyIn({
    "contexts.json": ONE,
    "current-context.json": { context: "one" },
    "authorities/a1/config/defaults.json": { "ca-url": "ca", crv: "P-521" },
    "profiles/p1/config/defaults.json": { curve: "P-384" },
  });
  assertEquals(result.options?.newKey, {
    from: "generate",
    spec: { kty: "EC", curve: "P-384" },
  });
});

Deno.test("--ca-config follows the current context", async () => {
  const result = await rekeyIn(
    { ...BOTH, "current-context.json": { context: "two" } },
    ["--offline"],
  );
  assertEquals(authority(result), {
    mode: "offline",
    ignoreDatabase: false,
    config: `${result.base}/authorities/a2/config/ca.json`,
  });
});

Deno.test("--context wins over STEP_CONTEXT, and that over the current one", async () => {
  const files = { ...BOTH, "current-context.json": { context: "one" } };
  const byFlag = await rekeyIn(files, ["--context=two"], {
    STEP_CONTEXT: "one",
  });
  assertEquals(
    authority(byFlag),
    online("https://a2", `${byFlag.base}/authorities/a2/certs/root_ca.crt`),
  );
  const byVariable = await rekeyIn(files, [], { STEP_CONTEXT: "two" });
  assertEquals(
    authority(byVariable),
    online("https://a2", `${byVariable.base}/authorities/a2/certs/root_ca.crt`),
  );
});

Deno.test("--context does without a current-context.json that is broken", async () => {
  const { code } = await rekeyIn(
    { ...BOTH, "current-context.json": "{" },
    ["--context=two"],
  );
  assertEquals(code, 0);
});

Deno.test("the only context is chosen, said, and not remembered", async () => {
  const result = await rekeyIn({
    "contexts.json": ONE,
    "authorities/a1/config/defaults.json": { "ca-url": "a1" },
  });
  assertEquals(result.stderr, "✔ Context: one\n");
  assertEquals(
    authority(result),
    online("https://a1", `${result.base}/authorities/a1/certs/root_ca.crt`),
  );
  assert(!result.left.includes("current-context.json"));
});

Deno.test("no contexts in contexts.json: as without the file", async () => {
  const result = await rekeyIn({
    "contexts.json": {},
    "config/defaults.json": { "ca-url": "base" },
  });
  assertEquals(
    authority(result),
    online("https://base", `${result.base}/certs/root_ca.crt`),
  );
});

Deno.test("keys of contexts in a context's defaults are dropped and said", async () => {
  const result = await rekeyIn({
    "contexts.json": ONE,
    "current-context.json": { context: "one" },
    "authorities/a1/config/defaults.json": {
      "ca-url": "ca",
      context: "two",
      authority: "x",
    },
  });
  assertEquals(
    [result.code, result.stderr],
    [
      0,
      "cannot set 'context' attribute in config files\ncannot set 'authority' attribute in config files\n",
    ],
  );
});

const BROKEN: readonly (readonly [
  what: string,
  files: Files,
  args: readonly string[],
  code: number,
  stderr: string,
])[] = [
  [
    "contexts.json is no JSON",
    { "contexts.json": "{" },
    [],
    78,
    `error unmarshaling context map: Expected property name or '}' in JSON at position 1 (line 1 column 2)
hint: repair or remove "BASE/contexts.json"
`,
  ],
  [
    "a context is null",
    { "contexts.json": { one: null } },
    [],
    78,
    "error in context 'one': context cannot be nil; check your $STEPPATH/contexts.json file\n",
  ],
  [
    "a context has no authority",
    { "contexts.json": { one: { profile: "p" } } },
    [],
    78,
    "error in context 'one': context cannot have an empty authority value; check your $STEPPATH/contexts.json file\n",
  ],
  [
    "a context has no profile",
    { "contexts.json": { one: { authority: "a", profile: "" } } },
    [],
    78,
    "error in context 'one': context cannot have an empty profile value; check your $STEPPATH/contexts.json file\n",
  ],
  [
    "current-context.json is no JSON",
    { "contexts.json": ONE, "current-context.json": "x" },
    [],
    78,
    `error unmarshaling current context: Unexpected token 'x'
hint: repair or remove "BASE/current-context.json"
`,
  ],
  [
    "the current context does not exist",
    { "contexts.json": TWO, "current-context.json": { context: "three" } },
    [],
    78,
    `could not load context 'three'
hint: the contexts are: one, two; name one with --context
`,
  ],
  [
    "--context names one that does not exist",
    { "contexts.json": TWO },
    ["--context=production"],
    64,
    `could not load context 'production'
hint: the contexts are: one, two
`,
  ],
  [
    "--context is mistyped",
    { "contexts.json": { production: TWO.one } },
    ["--context=prodution"],
    64,
    `could not load context 'prodution'
hint: did you mean 'production'?
`,
  ],
  [
    "--context is given and no contexts are defined",
    {},
    ["--context=one"],
    64,
    `could not load context 'one'
hint: no contexts are defined
`,
  ],
  [
    "several contexts are defined and none is current",
    { "contexts.json": TWO },
    [],
    64,
    `several contexts are defined and none of them is current
hint: name one with --context or STEP_CONTEXT; the contexts are: one, two
`,
  ],
  [
    "defaults.json of the current context is broken",
    {
      "contexts.json": ONE,
      "current-context.json": { context: "one" },
      "authorities/a1/config/defaults.json": "[",
    },
    [],
    78,
    `failed loading current context configuration: error parsing BASE/authorities/a1/config/defaults.json: Unexpected end of JSON input
hint: repair or remove "BASE/authorities/a1/config/defaults.json"
`,
  ],
  [
    "the profile's defaults.json of the only context is broken",
    {
      "contexts.json": ONE,
      "profiles/p1/config/defaults.json": "[",
    },
    [],
    78,
    `✔ Context: one
error parsing BASE/profiles/p1/config/defaults.json: Unexpected end of JSON input
hint: repair or remove "BASE/profiles/p1/config/defaults.json"
`,
  ],
];

for (const [what, files, args, code, stderr] of BROKEN) {
  Deno.test(`a rekey is refused when ${what}`, async () => {
    const result = await rekeyIn(files, ["--ca-url=ca", ...args]);
    assertEquals(
      [result.code, result.stderr.replaceAll(result.base, "BASE")],
      [code, stderr],
    );
  });
}

Deno.test("findStepPath() takes STEPPATH, cleaned, before HOME", async () => {
  const env = (name: string) =>
    ({ STEPPATH: "/nonexistent/./x/../step/", HOME: "/home/u" })[name];
  assertEquals((await findStepPath(env, undefined)).path, "/nonexistent/step");
});

Deno.test("findStepPath() takes ~/.step when STEPPATH is empty", async () => {
  const env = (name: string) =>
    ({ STEPPATH: "", HOME: "/nonexistent/u" })[name];
  assertEquals(
    (await findStepPath(env, undefined)).path,
    "/nonexistent/u/.step",
  );
});

Deno.test("findStepPath() asks the user database when HOME is missing", async () => {
  const { path } = await findStepPath(() => undefined, undefined);
  assertStringIncludes(path, "/.step");
  assert(path.startsWith("/"));
});

// Rows of Go's path/filepath clean tests.
const CLEAN: readonly (readonly [string, string])[] = [
  ["", "."],
  ["abc", "abc"],
  ["abc/def", "abc/def"],
  [".", "."],
  ["..", ".."],
  ["../..", "../.."],
  ["../../abc", "../../abc"],
  ["/abc", "/abc"],
  ["/", "/"],
  ["abc/", "abc"],
  ["abc//def//ghi", "abc/def/ghi"],
  ["//abc", "/abc"],
  ["abc/./def", "abc/def"],
  ["/./abc/def", "/abc/def"],
  ["abc/def/ghi/../jkl", "abc/def/jkl"],
  ["abc/def/../..", "."],
  ["/abc/def/../..", "/"],
  ["abc/def/../../..", ".."],
  ["/abc/def/../../..", "/"],
  ["abc/def/../../../ghi/jkl/../../../mno", "../../mno"],
  ["/../abc", "/abc"],
];

for (const [path, clean] of CLEAN) {
  Deno.test(`cleanPath() makes '${path}' into '${clean}'`, () => {
    assertEquals(cleanPath(path), clean);
  });
}

Deno.test("joinPath() leaves empty parts out", () => {
  assertEquals(joinPath("/a/", "", "b", "../c"), "/a/c");
});
