/**
 * Help pages, rendered from the definitions. Pure: text in, text out.
 *
 * 80 columns, the sections of the original's help in its order, and the exit
 * codes. ANSI codes only where the caller says that a terminal reads them.
 */
import { type ExitCode, exitCodes } from "./exit_codes.ts";
import {
  entriesBelow,
  GLOBAL_FLAGS,
  type GroupEntry,
  PROGRAM,
} from "./catalogue.ts";
import type { CommandDefinition, FlagDefinition } from "./grammar/command.ts";

/** Columns of a page. */
const WIDTH = 80;
const INDENT = "  ";
const DEEP_INDENT = "      ";

/** How a page looks. */
export interface HelpStyle {
  /** Bold headings, by ANSI codes. */
  readonly bold: boolean;
}

/**
 * The page of a command.
 *
 * @param path the words that it was called with
 */
export function commandHelp(
  command: CommandDefinition,
  path: readonly string[],
  style: HelpStyle,
): string {
  const name = [PROGRAM, ...path].join(" ");
  const canonical = command.path.join(" ");
  const called = (line: string) =>
    line.startsWith(canonical) ? name + line.slice(canonical.length) : line;
  return page([
    ["NAME", [`${INDENT}${name} -- ${command.brief}`]],
    ["USAGE", command.usage.map((line) => INDENT + called(line))],
    ["DESCRIPTION", paragraphs(command.description.join("\n\n"), INDENT)],
    [
      "POSITIONAL ARGUMENTS",
      command.positionals.map(({ name, help }) => entry(`<${name}>`, help))
        .flat(),
    ],
    [
      "OPTIONS",
      [
        ...Object.values(command.flags).flatMap((flag) =>
          entry(spellings(flag), flag.help)
        ),
        ...entry("--help, -h", "Show this help."),
      ],
    ],
    [
      "EXAMPLES",
      command.examples.flatMap(({ says, command }) => [
        ...wrap(`${says}:`, INDENT),
        ...called(command).split("\n").map((line, index) =>
          index === 0 ? `${INDENT}$ ${line}` : `${INDENT}${line}`
        ),
        "",
      ]),
    ],
    ["EXIT CODES", exitCodes().flatMap(exitCodeLines)],
  ], style);
}

/** The page of a group of commands, or of the program itself. */
export function groupHelp(group: GroupEntry, style: HelpStyle): string {
  const name = [PROGRAM, ...group.path].join(" ");
  const isProgram = group.path.length === 0;
  const usage = isProgram
    ? `${name} [--config=<file>] <command> [arguments]`
    : `${name} <command> [arguments]`;
  const flags = isProgram
    ? GLOBAL_FLAGS
    : [["--help, -h", "Show this help."]] as const;
  return page([
    ["NAME", [`${INDENT}${name} -- ${group.brief}`]],
    ["USAGE", [INDENT + usage]],
    [
      "COMMANDS",
      entriesBelow(group).flatMap(([word, brief]) => entry(word, brief)),
    ],
    ["OPTIONS", flags.flatMap(([flag, help]) => entry(flag, help))],
    [
      "MORE",
      wrap(`${name} help <command> shows the help of a command.`, INDENT),
    ],
  ], style);
}

function page(
  sections: readonly (readonly [heading: string, lines: readonly string[]])[],
  { bold }: HelpStyle,
): string {
  return sections.map(([heading, lines]) => {
    const title = bold ? `\x1b[1m${heading}\x1b[0m` : heading;
    return `${[title, ...lines].join("\n").trimEnd()}\n`;
  }).join("\n");
}

/** `--crv=<curve>, --curve=<curve>`; `-f, --force`. */
function spellings({ names, placeholder }: FlagDefinition): string {
  return names.map((name) => {
    const dashes = name.length === 1 ? "-" : "--";
    return dashes + name +
      (placeholder === undefined ? "" : `=<${placeholder}>`);
  }).join(", ");
}

function entry(title: string, help: string): readonly string[] {
  return [INDENT + title, ...paragraphs(help, DEEP_INDENT), ""];
}

function exitCodeLines({ exitCode, when }: ExitCode): readonly string[] {
  const [first = "", ...rest] = wrap(when, DEEP_INDENT);
  const code = String(exitCode).padStart(DEEP_INDENT.length - 1);
  return [`${code} ${first.trimStart()}`, ...rest];
}

/** Paragraphs stand apart by an empty line; a single line end is kept. */
function paragraphs(text: string, indent: string): readonly string[] {
  return text.split("\n").flatMap((line) =>
    line === "" ? [""] : wrap(line, indent)
  );
}

function wrap(text: string, indent: string): readonly string[] {
  const lines: string[] = [];
  let line = indent;
  // "$(step path)" is one word.
  for (const word of text.split(/ (?!path\))/)) {
    const isFull = line.length + 1 + word.length > WIDTH;
    if (isFull && line !== indent) {
      lines.push(line);
      line = indent;
    }
    line += line === indent ? word : ` ${word}`;
  }
  return [...lines, line];
}
