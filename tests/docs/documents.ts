/** The documents, and what can be read out of Markdown without a library. */
import { ROOT } from "../../scripts/paths.ts";

/** One document. */
export interface Document {
  /** Below the root of the checkout: `docs/daemon.md`. */
  readonly path: string;
  readonly text: string;
}

/** README, CONTRIBUTING, SECURITY, CHANGELOG and all of docs/. */
export async function readDocuments(): Promise<readonly Document[]> {
  const paths = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md"];
  for await (const { name } of Deno.readDir(`${ROOT}docs`)) {
    if (name.endsWith(".md")) paths.push(`docs/${name}`);
  }
  return await Promise.all(paths.map(async (path) => ({
    path,
    text: await Deno.readTextFile(`${ROOT}${path}`),
  })));
}

/**
 * The lines of each fenced block; a line that ends in `\` goes on. Blocks of the
 * language `text` are drawings and contents of files, and left out.
 */
export function blocksOf({ text }: Document): readonly (readonly string[])[] {
  return [...text.matchAll(/^```(.*)\n([^]*?)^```$/gm)]
    .filter(([, language]) => language !== "text")
    .map(([, , block = ""]) =>
      block.replaceAll(/\\\n\s*/g, "").trimEnd().split("\n")
    );
}

/** The text of its code: fenced lines and spans. */
export function codeOf(document: Document): readonly string[] {
  const spans = withoutFences(document.text).matchAll(/`([^`]+)`/g);
  return [
    ...blocksOf(document).flat(),
    // A span may be wrapped.
    ...Array.from(spans, ([, span = ""]) => span.replaceAll(/\s+/g, " ")),
  ];
}

/** Its headings as GitHub names them in links. */
export function anchorsOf({ text }: Document): readonly string[] {
  const headings = withoutFences(text).matchAll(/^#+ (.+)$/gm);
  return Array.from(
    headings,
    ([, heading = ""]) =>
      heading.toLowerCase().replaceAll(/[^\p{L}\p{N} _-]/gu, "")
        .replaceAll(" ", "-"),
  );
}

/** The targets of its links that lead to documents and headings. */
export function linksOf({ text }: Document): readonly string[] {
  const prose = withoutFences(text);
  const links = [
    ...prose.matchAll(/\]\(([^)\s]+)\)/g),
    ...prose.matchAll(/^\[[^\]]+\]: (\S+)$/gm),
  ].map(([, target = ""]) => target);
  return links.filter((target) => !/^https?:/.test(target));
}

/**
 * The part of a document below a heading, up to the next one of its level.
 *
 * @param heading with its marks: `## Exit codes`
 */
export function sectionOf({ path, text }: Document, heading: string): Document {
  const level = heading.indexOf(" ");
  const [, after = ""] = `\n${text}`.split(`\n${heading}\n`);
  const [section = ""] = after.split(new RegExp(`\\n#{1,${level}} `));
  return { path, text: section };
}

/** The cells of the table rows below a heading, without the row of the heads. */
export function rowsBelow(
  document: Document,
  heading: string,
): readonly (readonly string[])[] {
  const lines = sectionOf(document, heading).text.split("\n");
  return lines.filter((line, index) =>
    line.startsWith("|") && !/^\|\s*-/.test(line) &&
    !/^\|\s*-/.test(lines[index + 1] ?? "")
  ).map((line) =>
    line.split(/(?<!\\)\|/).slice(1, -1).map((cell) => cell.trim())
  );
}

function withoutFences(text: string): string {
  return text.replaceAll(/^```.*\n[^]*?^```$/gm, "");
}
