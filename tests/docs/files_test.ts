/**
 * docs/files.md: what it tells is what the program leaves on disk, and the
 * commands that it shows do what it says.
 */
import { ROOT } from "../../scripts/paths.ts";
import { createDevCa } from "../../scripts/dev_ca.ts";
import { assert, assertEquals } from "../support/assert.ts";
import { program } from "../support/program.ts";
import { run, runOk, type RunResult } from "../support/run.ts";
import { type TempDir, tempDir } from "../support/temp_dir.ts";
import {
  type Point,
  type Trace,
  trace,
  type TraceOptions,
  tracerMissing,
} from "../support/tracer/tracer.ts";
import { readFixtures } from "../support/upgrade/fixtures.ts";
import { blocksOf, type Document, rowsBelow, sectionOf } from "./documents.ts";

const PAGE: Document = {
  path: "docs/files.md",
  text: await Deno.readTextFile(`${ROOT}docs/files.md`),
};

/** A folder with a CA, and with host.crt and host.key. */
async function newPlace(): Promise<TempDir> {
  const place = await tempDir();
  const ca = await createDevCa(place.path);
  await ca.issue("host");
  return place;
}

/** A command line of the program on host.crt and host.key. */
function line(place: TempDir, words: readonly string[]): readonly string[] {
  const { command, args } = program();
  const files = [place.file("host.crt"), place.file("host.key")];
  return [command, ...args, ...words, ...files];
}

function call(place: TempDir, words: readonly string[]): Promise<RunResult> {
  const [command = "", ...args] = line(place, words);
  return run(command, args, { env: { STEPPATH: place.path } });
}

function rekey({ file }: TempDir): readonly string[] {
  return [
    ...["ca", "rekey", "--force", "--offline"],
    ...["--ca-config", file("config/ca.json")],
    ...["--password-file", file("secrets/password")],
  ];
}

async function traced(
  place: TempDir,
  action: Pick<TraceOptions, "point" | "action">,
): Promise<Trace> {
  await using log = await tempDir();
  return await trace(line(place, rekey(place)), {
    ...action,
    directories: [place.path],
    log: log.file("log"),
    env: { STEPPATH: place.path },
  });
}

/** The renames of a rekey: of the journal, of the key, of the certificate. */
const RENAMES: readonly Point[] = tracerMissing === undefined
  ? await listRenames()
  : [];

async function listRenames(): Promise<readonly Point[]> {
  await using place = await newPlace();
  const { points } = await traced(place, {});
  return points.filter(({ call }) => call.startsWith("rename"));
}

/** A rekey that is killed before its n-th rename. */
async function killBeforeRename(place: TempDir, count: number): Promise<void> {
  const point = RENAMES[count - 1]?.point ?? 0;
  const { hit } = await traced(place, { point, action: "kill-before" });
  assert(hit !== undefined, "the rekey was not killed");
}

/** Names beside the pair, as the page writes them. */
async function hiddenNames({ path }: TempDir): Promise<readonly string[]> {
  const names: string[] = [];
  for await (const { name } of Deno.readDir(path)) {
    if (name.startsWith(".")) names.push(name);
  }
  return names.sort();
}

function requireTold(name: string): void {
  const told = rowsBelow(PAGE, "# Files on disk").flatMap(([cell = ""]) =>
    cell.replaceAll(/[`/]/g, "").replaceAll(/\b(TAG|DIGEST)\b/g, "0")
      .split(", ")
  );
  assert(
    told.includes(name.replace(/\b[0-9a-f]{16}\b/, "0")),
    `${name} is not in ${PAGE.path}`,
  );
}

/** Every member of the JSON in a file, and the first word of other lines. */
function membersOf(text: string): ReadonlySet<string> {
  const members = new Set<string>();
  const visit = (value: unknown) => {
    if (typeof value !== "object" || value === null) return;
    for (const [name, inner] of Object.entries(value)) {
      if (!Array.isArray(value)) members.add(name);
      visit(inner);
    }
  };
  // The first line says what it is, the last one that it is whole.
  for (const line of text.split("\n").slice(1)) {
    if (/^[[{]/.test(line)) visit(JSON.parse(line));
    else if (line !== "" && line !== "end") {
      members.add(line.split(" ")[0] ?? "");
    }
  }
  return members;
}

function requireMembers(text: string, heading: string): void {
  const told = rowsBelow(PAGE, heading).map(([cell]) => cell);
  const members = [...membersOf(text)];
  assert(members.length > 0, text);
  assertEquals(
    members.filter((member) => !told.includes(`\`${member}\``)),
    [],
  );
}

/** The commands of the n-th block below a heading. */
function commands(heading: string, index = 0): readonly string[] {
  return blocksOf(sectionOf(PAGE, heading))[index] ?? [];
}

async function type(
  { path }: TempDir,
  lines: readonly string[],
): Promise<string> {
  const { stdout } = await runOk("sh", ["-ec", lines.join("\n")], {
    cwd: path,
  });
  return stdout;
}

async function requirePair(place: TempDir): Promise<void> {
  const output = await type(place, commands("## Is the pair one?"));
  const [certificate, key] = output.trimEnd().split("\n");
  assert(certificate !== undefined && certificate === key, output);
}

/** The tag of an install that was killed. */
async function tagIn(place: TempDir): Promise<string> {
  const name = (await hiddenNames(place)).find((name) => name.endsWith(".old"));
  return /[0-9a-f]{16}/.exec(name ?? "")?.[0] ?? "none";
}

for (const count of [1, 3]) {
  Deno.test({
    name: `docs/files.md tells of what a kill before rename ${count} leaves`,
    ignore: tracerMissing !== undefined,
    async fn() {
      await using place = await newPlace();
      await killBeforeRename(place, count);
      const names = await hiddenNames(place);
      assert(names.length > 0);
      for (const name of names) requireTold(name);
      if (count === 1) return;
      const text = await Deno.readTextFile(place.file(".host.crt.rekey"));
      requireMembers(text, "## The journal");
    },
  });
}

const BY_HAND = [
  ["finish", 2, 0],
  ["undo", 3, 1],
] as const;

for (const [what, count, block] of BY_HAND) {
  Deno.test({
    name: `the commands of docs/files.md ${what} an install`,
    ignore: tracerMissing !== undefined,
    async fn() {
      await using place = await newPlace();
      const before = await Deno.readTextFile(place.file("host.crt"));
      await killBeforeRename(place, count);
      const tag = await tagIn(place);
      const lines = commands("## The journal", block);
      // As the page says: a file that is in its place already is no obstacle.
      await type(
        place,
        lines.map((line) => `${line.replace("TAG", tag)} || :`),
      );
      await requirePair(place);
      const after = await Deno.readTextFile(place.file("host.crt"));
      assertEquals(after === before, what === "undo");
      // The next command finds nothing to repair, and tidies up.
      const { stderr } = await call(place, [
        ...rekey(place),
        "--expires-in",
        "1s",
      ]);
      assert(!stderr.includes("warning"), stderr);
      assertEquals(await hiddenNames(place), []);
    },
  });
}

Deno.test("docs/files.md tells of the note of a pending reload", async () => {
  await using place = await newPlace();
  const { code } = await call(place, [...rekey(place), "--exec", "false"]);
  assertEquals(code, 1);
  const [name = "", ...others] = await hiddenNames(place);
  assertEquals(others, []);
  requireTold(name);
  const heading = "## The note of a pending reload";
  requireMembers(await Deno.readTextFile(place.file(name)), heading);
  const digest = await type(place, commands(heading));
  assert(name.includes(digest.slice(0, 16)), `${name}, not ${digest}`);
});

Deno.test("docs/files.md tells of the note of a change of layout", () => {
  const notes = readFixtures().flatMap(({ entries }) => entries)
    .filter(({ path }) => path.endsWith(".host.crt.rekey-layout"));
  const { path = "", text = "" } = notes.at(-1) ?? {};
  requireTold(path.replace(/^.*\//, ""));
  requireMembers(text, "## A change of layout");
});

Deno.test("the commands of docs/files.md go back to an older version", async () => {
  await using place = await newPlace();
  await call(place, ["ca", "layout", "versioned"]);
  await call(place, rekey(place));
  const before = await Deno.readTextFile(place.file("host.crt"));
  await call(place, rekey(place));
  assertEquals(await hiddenNames(place), [".host.crt.versions"]);
  requireTold(".host.crt.versions");
  await type(place, commands("## The versioned layout"));
  await requirePair(place);
  assertEquals(await Deno.readTextFile(place.file("host.crt")), before);
});
