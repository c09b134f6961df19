/**
 * What a page asks its reader to do: the commands of its fenced blocks, and the
 * files that it shows, in order.
 *
 * A block of the language `console` has commands behind `$ ` and what they
 * print, one of `sh` has commands alone. Every other language is the content of
 * a file or a drawing; one without a language is the synopsis of a command. An
 * HTML comment in front of a block says more:
 *
 *     <!-- file: /etc/nginx/conf.d/host.conf -->   the block is that file
 *     <!-- not run: why -->                         nobody can run it here
 *     <!-- run by tests/docs/files_test.ts -->      that test runs it
 *     <!-- given: settings, /etc/tls/host.crt -->   what is there before
 *     <!-- needs: keytool -->                       a program for this section
 */
import type { Document } from "./documents.ts";

/** One thing that a reader does. */
export type Step =
  | { readonly kind: "given"; readonly items: readonly string[] }
  | { readonly kind: "file"; readonly path: string; readonly text: string }
  | {
    readonly kind: "command";
    readonly command: string;
    /** What it prints; undefined where the page does not tell. */
    readonly output: string | undefined;
  };

/** A part of a page below a heading. */
export interface Section {
  readonly title: string;
  /** The program that it takes, and not every machine has. */
  readonly needs: string | undefined;
  readonly steps: readonly Step[];
}

/** A fenced block, and what its comments say. */
export interface Fence {
  readonly language: string;
  readonly text: string;
  /** `not run` and its reason, and so on. */
  readonly marks: ReadonlyMap<string, string>;
}

/** Languages whose blocks are commands. */
const SHELL: ReadonlySet<string> = new Set(["console", "sh"]);

const MARK = /^(not run: |run by |file: |given: |needs: )(.+)$/;

/** The blocks of a page, in order. */
export function fencesOf({ text }: Document): readonly Fence[] {
  return Array.from(
    text.matchAll(/((?:<!--(?:(?!-->)[^])*-->\s*)*)^```(.*)\n([^]*?)^```$/gm),
    ([, comments = "", language = "", content = ""]) => ({
      language,
      text: content,
      marks: new Map(
        Array.from(comments.matchAll(/<!--\s*([^]*?)\s*-->/g))
          .map(([, comment = ""]) => MARK.exec(comment.replaceAll(/\s+/g, " ")))
          .filter((mark) => mark !== null)
          .map(([, name = "", rest = ""]) => [name.trim(), rest]),
      ),
    }),
  );
}

/** Whether the commands of a block are run as a part of its page. */
export function isRun({ language, marks }: Fence): boolean {
  return SHELL.has(language) && !marks.has("not run:") &&
    !marks.has("run by");
}

/** What is wrong with the blocks of a page, a line each. */
export function markProblems(
  page: Document,
  exists: (path: string) => boolean,
): readonly string[] {
  return fencesOf(page).flatMap(({ language, text, marks }) => {
    const [first = ""] = text.split("\n");
    const where = `${page.path}: the block ${JSON.stringify(first)}`;
    const test = marks.get("run by");
    return [
      ...language === "" && !isSynopsis(text)
        ? [`${where} has no language`]
        : [],
      ...SHELL.has(language) && marks.has("file:") && !text.startsWith("#!")
        ? [`${where} is a file and a command`]
        : [],
      ...language === "console" && !text.startsWith("$ ")
        ? [`${where} begins with no command`]
        : [],
      ...test !== undefined && !exists(test)
        ? [`${where} is run by nobody`]
        : [],
    ];
  });
}

/** `step-rekey ca rekey <crt-file> <key-file> [flags]` is nothing to type. */
function isSynopsis(text: string): boolean {
  return text.trimEnd().split("\n").every((line) =>
    /^step-rekey .*[<[]/.test(line)
  );
}

/** What the reader of a page does, section by section. */
export function sectionsOf({ path, text }: Document): readonly Section[] {
  return text.split(/^(?=## )/m).map((part) => {
    const fences = fencesOf({ path, text: part });
    return {
      title: /^#+ (.*)$/m.exec(part)?.[1] ?? "",
      needs: fences.map(({ marks }) => marks.get("needs:"))
        .find((program) => program !== undefined),
      steps: fences.flatMap(stepsOf),
    };
  }).filter(({ steps }) => steps.length > 0);
}

function stepsOf(fence: Fence): readonly Step[] {
  const { language, text, marks } = fence;
  const path = marks.get("file:");
  if (path !== undefined) return [{ kind: "file", path, text }];
  const given = marks.get("given:")?.split(/,\s*/);
  return [
    ...given === undefined ? [] : [{ kind: "given" as const, items: given }],
    ...!isRun(fence)
      ? []
      : language === "console"
      ? consoleSteps(text)
      : lineSteps(text),
  ];
}

/** Lines that end in `\` go on; comments are for the reader. */
function lineSteps(text: string): readonly Step[] {
  return text.replaceAll("\\\n", "\0").trimEnd().split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => ({
      kind: "command",
      command: line.replaceAll("\0", "\\\n"),
      output: undefined,
    }));
}

function consoleSteps(text: string): readonly Step[] {
  return text.split(/^\$ /m).slice(1).map((part) => {
    const [command = ""] = /^(?:.*\\\n)*.*\n/.exec(part) ?? [];
    const output = part.slice(command.length);
    return {
      kind: "command",
      command: command.trimEnd(),
      output: output.trim() === "" ? undefined : output.trimEnd(),
    };
  });
}
