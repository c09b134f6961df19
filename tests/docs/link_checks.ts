/** Checks of what the documents lead to, and of their size; see checks.ts. */
import { found } from "./checks.ts";
import {
  anchorsOf,
  codeOf,
  type Document,
  linksOf,
  rowsBelow,
} from "./documents.ts";
import { markProblems } from "./page_steps.ts";
import type { ProgramFacts } from "./program.ts";

/** Most lines of README: what is longer belongs in docs/. */
const MOST_README_LINES = 200;

/** Every link leads to a document and heading; README leads to all of docs/. */
export function brokenLinks(
  documents: readonly Document[],
  { exists }: ProgramFacts,
): readonly string[] {
  const targets = documents.flatMap((document) =>
    linksOf(document).map((link) => {
      const [file = "", anchor] = link.split("#");
      const path = file === "" ? document.path : new URL(
        file,
        `file:///${document.path}`,
      ).pathname.slice(1);
      return { from: document.path, link, path, anchor };
    })
  );
  return [
    ...targets.filter(({ path, anchor }) => {
      const document = documents.find((other) => other.path === path);
      if (document === undefined) return anchor !== undefined || !exists(path);
      return anchor !== undefined && !anchorsOf(document).includes(anchor);
    }).map(({ from, link }) => `${from}: ${link} leads nowhere`),
    ...documents.filter(({ path }) =>
      path !== "README.md" && path !== "CHANGELOG.md" &&
      !targets.some((target) =>
        target.from === "README.md" && target.path === path
      )
    ).map(({ path }) => `README.md: no link to ${path}`),
  ];
}

/** Every path of the checkout that is named exists. */
export function missingPaths(
  documents: readonly Document[],
  { exists }: ProgramFacts,
): readonly string[] {
  return documents.flatMap((document) =>
    codeOf(document).flatMap((code) =>
      found(code, /(?<![\w./-])((?:src|tests|scripts|docs|\.ci)\/[\w./-]*\w)/g)
    ).filter((path) => !exists(path))
      .map((path) => `${document.path}: there is no ${path}`)
  );
}

/** The house has a line for each folder of the source. */
export function missingFolders(
  documents: readonly Document[],
  { folders }: ProgramFacts,
): readonly string[] {
  const tables = [
    ["CONTRIBUTING.md", "## A line per folder", "src/"],
    ["docs/architecture.md", "## The tree", ""],
  ] as const;
  return tables.flatMap(([path, heading, before]) => {
    const page = documents.find((document) => document.path === path);
    const told = (page === undefined ? [] : rowsBelow(page, heading))
      .map(([cell]) => cell);
    return folders.filter((name) => !told.includes(`\`${before}${name}/\``))
      .map((name) => `${path}: nothing about src/${name}`);
  });
}

/** Every block is run, or says who runs it or why nobody does. */
export function unmarkedBlocks(
  documents: readonly Document[],
  { exists }: ProgramFacts,
): readonly string[] {
  return documents.flatMap((page) => markProblems(page, exists));
}

/** The changelog tells of this version. */
export function missingVersion(
  documents: readonly Document[],
  { version }: ProgramFacts,
): readonly string[] {
  const path = "CHANGELOG.md";
  const text = documents.find((page) => page.path === path)?.text ?? "";
  return text.includes(`\n## [${version}] - 20`)
    ? []
    : [`${path}: nothing about ${version}`];
}

/** README stays short. */
export function longReadme(documents: readonly Document[]): readonly string[] {
  const readme = documents.find(({ path }) => path === "README.md");
  const lines = (readme?.text ?? "").trimEnd().split("\n").length;
  return lines <= MOST_README_LINES
    ? []
    : [`README.md: ${lines} lines, at most ${MOST_README_LINES}`];
}
