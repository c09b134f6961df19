/**
 * What an earlier version left beside a pair is taken over, and what a later
 * one left is refused and stays as it is.
 *
 * The states are those of tests/testdata/upgrade; the program runs in this
 * process, by its command line.
 */
import { createDevCa, type DevCa } from "../../scripts/dev_ca.ts";
import { denoProgram, type Program } from "../../src/cli/process/program.ts";
import { run } from "../../src/cli/run.ts";
import {
  assert,
  assertEquals,
  assertStringIncludes,
} from "../support/assert.ts";
import { pairKeyOf } from "../support/openssl_reads.ts";
import { sample } from "../support/sweep.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";
import {
  at,
  type FixtureEntry,
  layOut,
  type NamedFixture,
  readEntries,
  readFixtures,
} from "../support/upgrade/fixtures.ts";

const FIXTURES = readFixtures();

/** A CA that no run asks: the certificates of the states are never due. */
const directory = await Deno.makeTempDir({ prefix: "step-rekey-test-" });
const ca: DevCa = await createDevCa(directory);
addEventListener(
  "unload",
  () => Deno.removeSync(directory, { recursive: true }),
);

/** A command line of the program, to its end. */
async function call(
  words: readonly string[],
): Promise<{ readonly code: number; readonly said: string }> {
  let said = "";
  const sink = {
    write: (text: string) => void (said += text),
    isTerminal: () => false,
    columns: () => undefined,
  };
  const program: Program = {
    ...denoProgram(),
    env: (name) => name === "STEPPATH" ? "/nonexistent/step" : undefined,
    stdout: sink,
    stderr: sink,
  };
  return { code: await run(words, program), said };
}

function filesOf(
  { input }: NamedFixture,
  { file }: TempDir,
): readonly [string, string] {
  return [file(input.certificate), file(input.key)];
}

const WITH_CA = ["--offline", "--ca-config", ca.configFile];

/** A run that finds nothing due. */
function rekey(fixture: NamedFixture, place: TempDir): readonly string[] {
  return [
    ...["ca", "rekey", "--force", ...WITH_CA, "--expires-in", "1s"],
    ...fixture.flags.map((flag) => at(flag, place.path)),
    ...["--exec", `touch ${place.file("told")}`],
    ...filesOf(fixture, place),
  ];
}

for (const fixture of FIXTURES) {
  Deno.test(`step-rekey takes over ${fixture.name} of ${fixture.set}: ${fixture.story}`, async () => {
    await using place = await tempDir();
    layOut(fixture.entries, place.path);
    const { code, said } = await call(rekey(fixture, place));
    assertEquals(code, 0, said);
    await requireEnd(fixture, place);
    assertEquals(exists(place.file("told")), fixture.tells, said);
    assertEquals(hiddenIn(place), [], said);
  });
}

async function requireEnd(
  { files, old, ends, layout, entries }: NamedFixture,
  { file }: TempDir,
): Promise<void> {
  const [certificate, key] = [file(files.certificate), file(files.key)];
  if (ends === "none") {
    assertEquals([exists(certificate), exists(key)], [false, false]);
    return;
  }
  const texts = [
    await Deno.readTextFile(certificate),
    await Deno.readTextFile(key),
  ];
  const isOld = texts[0] === old?.certificate && texts[1] === old?.key;
  assertEquals(isOld, ends === "old");
  const noted = entries.map(({ text }) => text);
  assert(texts.every((text) => noted.includes(text)));
  await pairKeyOf({ certificateFile: certificate, keyFile: key });
  const isLink = (await Deno.lstat(key)).isSymlink;
  assertEquals(isLink, layout === "versioned");
  const isNew = old === undefined;
  const mode = ((await Deno.stat(key)).mode ?? 0) & 0o7777;
  assertEquals(mode.toString(8), isNew ? "600" : "640");
}

function exists(path: string): boolean {
  try {
    return Deno.lstatSync(path) !== undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** Hidden names that no pair at rest has. */
function hiddenIn({ path }: TempDir): readonly string[] {
  return readEntries(path).map((entry) => entry.path).filter((name) =>
    /(^|\/)\./.test(name) && !/^state\/.*-lock$/.test(name) &&
    !/\.versions(\/(current|\d+(\/(certificate\.pem|key\.pem|previous))?))?$/
      .test(name)
  );
}

/** All that is there, but for locks that nobody holds, a line for each. */
function told({ path }: TempDir): string {
  return readEntries(path, (name) => name.endsWith(".rekey-lock"))
    .map((entry) => JSON.stringify(entry)).join("\n");
}

/** Every way to begin with a pair. */
function commandsOn(
  fixture: NamedFixture,
  place: TempDir,
): readonly (readonly string[])[] {
  const files = filesOf(fixture, place);
  const flags = fixture.flags.map((flag) => at(flag, place.path));
  const isElsewhere = flags.includes("--state-dir");
  const state = isElsewhere ? flags : [];
  const again = ["ca", "rekey", "--force", ...WITH_CA, ...flags, ...files];
  return [
    rekey(fixture, place),
    again,
    [...again, "--dry-run"],
    [...again, "--daemon"],
    ["ca", "renew", "--force", ...WITH_CA, ...state, ...files],
    ["status", ...state, ...files],
    // Elsewhere these find nothing, and change nothing in a folder of root's.
    ...isElsewhere ? [] : [
      ["ca", "layout", "plain", ...files],
      ["ca", "layout", "versioned", ...files],
      ["ca", "rollback", ...files],
    ],
  ];
}

/** A file of a later version, and the state with it. */
interface Later {
  /** What the file is. */
  readonly kind: string;
  readonly fixture: NamedFixture;
  readonly file: FixtureEntry;
}

/** How the names of files end, and how their first lines begin. */
const KINDS = [
  [".rekey", "step-rekey install journal"],
  [".rekey-layout", "step-rekey change of layout"],
  [".reload", "step-rekey pending reload"],
  [".versions/format", "step-rekey versions"],
  ["%2Ftls/format", "step-rekey state of a folder"],
] as const;

/** The same as a later version might have left it: once for each of its files. */
function laterOf(fixture: NamedFixture): readonly Later[] {
  const { entries, input, files } = fixture;
  // Elsewhere its notes stand beside names that most commands are not told.
  if (input.certificate !== files.certificate) return [];
  const folders = entries.filter(({ text, link }) => !text && !link);
  return KINDS.flatMap(([kind, name]) =>
    [...entries, ...folders.map(({ path }) => ({ path: `${path}/format` }))]
      .filter(({ path }) => path.endsWith(kind))
      .map(({ path }) => {
        const file = { path, mode: "644", text: `${name} 99\nmore\n` };
        return { kind, fixture, file };
      })
  );
}

const LATER = FIXTURES.flatMap(laterOf);

for (const [kind] of KINDS) {
  const some = LATER.filter((later) => later.kind === kind);
  Deno.test(`a later version may leave a file *${kind}`, () => {
    assert(some.length > 0);
  });
  for (const { fixture, file } of sample(`later ${kind}`, some, 3)) {
    const { name, set } = fixture;
    Deno.test(`no command touches ${name} of ${set} with a *${kind} of a later version`, async () => {
      await using place = await tempDir();
      const others = fixture.entries.filter(({ path }) => path !== file.path);
      layOut([...others, file], place.path);
      await requireUntouched(fixture, { place, path: file.path });
    });
  }
}

async function requireUntouched(
  fixture: NamedFixture,
  { place, path }: { readonly place: TempDir; readonly path: string },
): Promise<void> {
  const before = told(place);
  for (const words of commandsOn(fixture, place)) {
    const { code, said } = await call(words);
    const line = words.join(" ");
    assertEquals(code, words[0] === "status" ? 65 : 73, `${line}: ${said}`);
    assertStringIncludes(said, place.file(at(path, place.path)));
    assertStringIncludes(said, "in version 99 of its format");
    assert(told(place) === before, `${line} changed something`);
  }
}
