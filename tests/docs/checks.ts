/**
 * What has to hold between the documents and the program.
 *
 * Each check gives the problems that it finds, one line each, so that a test
 * can see that it finds those that are there.
 */
import { codeOf, type Document, rowsBelow, sectionOf } from "./documents.ts";
import { fencesOf, isRun } from "./page_steps.ts";
import type { ProgramFacts } from "./program.ts";

/** A check. */
export type Check = (
  documents: readonly Document[],
  facts: ProgramFacts,
) => readonly string[] | Promise<readonly string[]>;

/** Flags of other programs that the documents name. */
const FOREIGN_FLAGS: ReadonlySet<string> = new Set([
  // Deno.
  "--allow-env",
  "--allow-net",
  "--allow-read",
  "--allow-run",
  "--allow-sys",
  "--allow-write",
  "--filter",
  "--frozen",
  "--minify",
  "--no-code-cache",
  "--no-config",
  "--no-prompt",
  "--reload",
  "--unstable-net",
  // sha256sum.
  "--check",
  "--ignore-missing",
  // docker run, systemctl, systemd-run, envoy.
  "--init",
  "--now",
  "--unit",
  "--config-path",
  // The demo and the release of this project.
  "--keep",
  "--strict",
  // Stands for any flag.
  "--name",
  // `step ca rekey` has it, this program does not.
  "--kms",
]);

/** Commands of `step` that begin like ours, and are not. */
const FOREIGN_COMMANDS: readonly string[] = ["step ca", "step-ca"];

/** Every `--flag` is one of the program's, or known to be another one's. */
export function unknownFlags(
  documents: readonly Document[],
  { commands }: ProgramFacts,
): readonly string[] {
  const known = new Set(
    [...commands.values()].flat().flatMap(({ spellings }) => spellings),
  );
  return documents.flatMap(({ path, text }) =>
    found(text, /(?<![\w-])(--[a-z][a-z0-9-]*)/g)
      .filter((flag) => !known.has(flag) && !FOREIGN_FLAGS.has(flag))
      .map((flag) => `${path}: there is no flag ${flag}`)
  );
}

/** Every command line in a block that is not run is one that the program accepts. */
export async function refusedLines(
  documents: readonly Document[],
  { refusal }: ProgramFacts,
): Promise<readonly string[]> {
  const problems: string[] = [];
  for (const document of documents) {
    for (const line of linesNotRun(document)) {
      const call = /^(?:\$ |\w+=\S*\/)?step-rekey (.*)$/.exec(line)?.[1];
      // What stands for something else is no line to type.
      if (call === undefined || /[<[…]/.test(call)) continue;
      const words = [...call.matchAll(/"([^"]*)"|(\S+)/g)].map(
        ([, quoted, word = ""]) => quoted ?? word,
      );
      const reason = await refusal(words);
      if (reason === undefined) continue;
      problems.push(`${document.path}: step-rekey ${call}: ${reason}`);
    }
  }
  return problems;
}

function linesNotRun(document: Document): readonly string[] {
  return fencesOf(document)
    .filter((fence) => !isRun(fence) && fence.language !== "text")
    .flatMap(({ text }) => text.replaceAll(/\\\n\s*/g, "").split("\n"));
}

/** The tables of the reference have every flag and its variable, and no other. */
export function wrongFlagTables(
  documents: readonly Document[],
  { commands }: ProgramFacts,
): readonly string[] {
  const { path, reference } = referenceOf(documents);
  return [...commands].flatMap(([name, flags]) => {
    if (!name.includes(" ") && name !== "run") return [];
    const rows = rowsBelow(reference, `## \`${name}\``)
      .filter(([flag]) => flag?.startsWith("`-"))
      .map((cells) => cells.map((cell) => cell.replaceAll("`", "")));
    const { text } = sectionOf(reference, `## \`${name}\``);
    // A section may leave to another one what both commands have.
    const [, other = ""] = /flags are those of \[`(.+?)`\]/.exec(
      text.replaceAll(/\s+/g, " "),
    ) ?? [];
    const told = commands.get(other) ?? [];
    const wanted = flags.filter(({ title }) =>
      !title.startsWith("--help") &&
      (rows.some(([flag]) => flag === title) ||
        !told.some((flag) => flag.title === title))
    );
    return [
      ...wanted.flatMap(({ title, variable, values }) => {
        const row = rows.find(([flag]) => flag === title);
        const missing = [variable, ...values].filter((word) =>
          !row?.slice(1).join(" ").split(/[^\w-]+/).includes(word)
        );
        return missing.map((word) =>
          `${path}: ${name} has no row for ${title} with ${word}`
        );
      }),
      ...rows.map(([title]) => title).filter((title) =>
        !wanted.some((flag) => flag.title === title)
      ).map((title) => `${path}: ${name} has a row for ${title}`),
    ];
  });
}

/** Every variable that begins with STEP is one that the program knows. */
export function unknownVariables(
  documents: readonly Document[],
  { variables, hookVariables, testVariables }: ProgramFacts,
): readonly string[] {
  const known = [variables, hookVariables, testVariables];
  return documents.flatMap(({ path, text }) =>
    found(text, /\b(STEP_[A-Z_]*[A-Z])\b/g)
      .filter((name) => !known.some((names) => names.has(name)))
      .map((name) => `${path}: nothing reads or sets ${name}`)
  );
}

/** Every variable of a flag is in the reference, and each of a hook in its page. */
export function missingVariables(
  documents: readonly Document[],
  { variables, hookVariables }: ProgramFacts,
): readonly string[] {
  const hooks = documents.find(({ path }) => path === "docs/hooks.md");
  const { path, reference } = referenceOf(documents);
  const isIn = (document: Document | undefined, name: string) =>
    document?.text.includes(`\`${name}\``) === true;
  return [
    ...[...variables].filter((name) => !isIn(reference, name))
      .map((name) => `${path}: nothing about ${name}`),
    ...[...hookVariables].filter((name) => !isIn(hooks, name))
      .map((name) => `docs/hooks.md: nothing about ${name}`),
  ];
}

/** The table of events is the program's. */
export function wrongEvents(
  documents: readonly Document[],
  { events }: ProgramFacts,
): readonly string[] {
  const path = "docs/daemon.md";
  const page = documents.find((document) => document.path === path);
  const listed = (page === undefined ? [] : rowsBelow(page, "## Logs"))
    .map(([name = ""]) => name.replaceAll("`", ""));
  return [
    ...[...events].filter((event) => !listed.includes(event))
      .map((event) => `${path}: nothing about the event ${event}`),
    // Behind the keys of a line.
    ...listed.slice(listed.indexOf("message") + 1)
      .filter((event) => !events.has(event))
      .map((event) => `${path}: there is no event ${event}`),
  ];
}

/** Every command that is named exists, and the reference lists each. */
export function wrongCommands(
  documents: readonly Document[],
  { commands }: ProgramFacts,
): readonly string[] {
  const { path, reference } = referenceOf(documents);
  const listed = rowsBelow(reference, "## Command line")
    .map(([name = ""]) => /`([^`]+)`/.exec(name)?.[1]);
  const isGroup = (name: string) =>
    [...commands.keys()].some((other) => other.startsWith(`${name} `));
  return [
    ...documents.flatMap((document) =>
      codeOf(document).flatMap((code) => {
        const own = FOREIGN_COMMANDS.reduce(
          (text, name) => text.replaceAll(name, ""),
          code,
        );
        return found(own, /(?:^|[\s/])(ca [a-z]+)\b/g)
          .filter((name) => !commands.has(name))
          .map((name) => `${document.path}: there is no command ${name}`);
      })
    ),
    ...[...commands.keys()]
      .filter((name) => name !== "" && !isGroup(name) && !listed.includes(name))
      .map((name) => `${path}: nothing about the command ${name}`),
  ];
}

/** Every task that is named exists, and each is named. */
export function wrongTasks(
  documents: readonly Document[],
  { tasks }: ProgramFacts,
): readonly string[] {
  const named = documents.flatMap((document) =>
    codeOf(document).flatMap((code) => found(code, /\bdeno task ([a-z_]+)/g))
      .map((task) => ({ path: document.path, task }))
  );
  return [
    ...named.filter(({ task }) => !tasks.has(task))
      .map(({ path, task }) => `${path}: there is no task ${task}`),
    ...[...tasks].filter((task) => !named.some((name) => name.task === task))
      .map((task) => `no document names deno task ${task}`),
  ];
}

/** The table of README is the program's, and every number in a text is in it. */
export function wrongExitCodes(
  documents: readonly Document[],
  { exitCodes }: ProgramFacts,
): readonly string[] {
  const readme = documents.find(({ path }) => path === "README.md");
  const rows = readme === undefined ? [] : rowsBelow(readme, "## Exit codes");
  const [success, ...failures] = rows;
  const known = exitCodes.map(([code]) => code);
  return [
    ...success?.[0] === "0" ? [] : ["README.md: no row for exit code 0"],
    ...failures.length === exitCodes.length
      ? []
      : [`README.md: ${failures.length} rows, not ${exitCodes.length}`],
    ...exitCodes.filter((row, index) => String(row) !== String(failures[index]))
      .map((row) => `README.md: no row | ${row.join(" | ")} | in its place`),
    ...documents.flatMap(({ path, text }) =>
      [
        ...found(text, /\bexit\s+code\s+(\d+)/gi),
        ...found(text, /ExitStatus=([\d ]+)/g).flatMap((list) =>
          list.trim().split(" ")
        ),
      ].filter((code) => code !== "0" && !known.includes(code))
        .map((code) => `${path}: there is no exit code ${code}`)
    ),
  ];
}

/** Each library of deno.json is told of with its version, and no other one. */
export function wrongLibraries(
  documents: readonly Document[],
  { libraries }: ProgramFacts,
): readonly string[] {
  const path = "docs/dependencies.md";
  const text = documents.find((document) => document.path === path)?.text ?? "";
  const told = new Map(
    Array.from(
      text.matchAll(/\*\*([\w@/-]+)\*\* (\d[\d.]*\d)/g),
      ([, name = "", version = ""]) => [name, version],
    ),
  );
  return [
    ...[...libraries].filter(([name, version]) =>
      // These come and go with the library that is made of them.
      !name.startsWith("@peculiar/asn1-") && told.get(name) !== version
    ).map(([name, version]) => `${path}: nothing about ${name} ${version}`),
    ...[...told].filter(([name, version]) => libraries.get(name) !== version)
      .map(([name, version]) => `${path}: there is no ${name} ${version}`),
  ];
}

function referenceOf(
  documents: readonly Document[],
): { readonly path: string; readonly reference: Document } {
  const path = "docs/reference.md";
  const reference = documents.find((document) => document.path === path);
  return { path, reference: reference ?? { path, text: "" } };
}

/** The first group of each match, once each. */
export function found(text: string, pattern: RegExp): readonly string[] {
  return [
    ...new Set(Array.from(text.matchAll(pattern), ([, part = ""]) => part)),
  ];
}
