/**
 * Help pages, rendered from the definitions. Pure: text in, text out.
 *
 * 80 columns, the sections of the original's help in its order, and the exit
 * codes. ANSI codes only where the caller says that a terminal reads them.
 */
import { type ExitCode, exitCodes } from "./exit_codes.ts";
import {
  type CommandDefinition,
  type CommandGroup,
  type FlagDefinitions,
  HELP_FLAG,
  PROGRAM,
  spellingsOf,
  usageOf,
} from "./grammar/command.ts";
import { BUILT_IN, type Place, PROGRAM_FLAGS } from "./grammar/route.ts";

/** Columns of a page. */
const WIDTH = 80;
const INDENT = "  ";
const DEEP_INDENT = "      ";

/** How a page looks. */
export interface HelpStyle {
  /** Bold headings, by ANSI codes. */
  readonly bold: boolean;
}

/** The page of a command, as it was called, or of a group. */
export async function helpPage(
  { path, entry }: Place,
  style: HelpStyle,
): Promise<string> {
  const sections = typeof entry === "function"
    ? commandSections((await entry()).command, path)
    : await groupSections(entry, path);
  return page(sections, style);
}

type Section = readonly [heading: string, lines: readonly string[]];

function commandSections(
  command: CommandDefinition,
  path: readonly string[],
): readonly Section[] {
  const name = [PROGRAM, ...path].join(" ");
  const canonical = command.path.join(" ");
  const called = (line: string) =>
    line.startsWith(canonical) ? name + line.slice(canonical.length) : line;
  return [
    ["NAME", [`${INDENT}${name} -- ${command.brief}`]],
    [
      "USAGE",
      [
        called(usageOf(command)),
        ...command.usage.map((names) => usageLine(names, command.flags)),
      ].map((line) => INDENT + line),
    ],
    ["DESCRIPTION", paragraphs(command.description.join("\n\n"), INDENT)],
    [
      "POSITIONAL ARGUMENTS",
      Object.entries(command.positionals)
        .flatMap(([name, help]) => entry(`<${name}>`, help)),
    ],
    ["OPTIONS", options({ ...command.flags, help: HELP_FLAG })],
    [
      "EXAMPLES",
      command.examples.flatMap(([says, command]) => [
        ...wrap(`${says}:`, INDENT),
        ...called(command).split("\n").map((line, index) =>
          index === 0 ? `${INDENT}$ ${line}` : `${INDENT}${line}`
        ),
        "",
      ]),
    ],
    ["EXIT CODES", exitCodes().flatMap(exitCodeLines)],
  ];
}

async function groupSections(
  { brief, below }: CommandGroup,
  path: readonly string[],
): Promise<readonly Section[]> {
  const name = [PROGRAM, ...path].join(" ");
  const isProgram = path.length === 0;
  const briefs = await Promise.all(
    Object.entries(below).map(async ([word, inside]) => {
      if (typeof inside !== "function") return [word, inside.brief] as const;
      const { command } = await inside();
      const canonical = command.path.join(" ");
      const isAlias = canonical !== [...path, word].join(" ");
      return [
        word,
        isAlias ? `the same as ${canonical}` : command.brief,
      ] as const;
    }),
  );
  return [
    ["NAME", [`${INDENT}${name} -- ${brief}`]],
    [
      "USAGE",
      [
        [
          INDENT + name,
          ...isProgram ? [usageLine("config", PROGRAM_FLAGS)] : [],
          "<command> [arguments]",
        ].join(" "),
      ],
    ],
    [
      "COMMANDS",
      [...briefs, ...isProgram ? Object.entries(BUILT_IN) : []]
        .flatMap(([word, brief]) => entry(word, brief)),
    ],
    ["OPTIONS", options(isProgram ? PROGRAM_FLAGS : { help: HELP_FLAG })],
    [
      "MORE",
      wrap(`${name} help <command> shows the help of a command.`, INDENT),
    ],
  ];
}

function page(sections: readonly Section[], { bold }: HelpStyle): string {
  return sections.map(([heading, lines]) => {
    const title = bold ? `\x1b[1m${heading}\x1b[0m` : heading;
    return `${[title, ...lines].join("\n").trimEnd()}\n`;
  }).join("\n");
}

/** A line of flags: `[--out-cert=<file>] [--force]`. */
function usageLine(names: string, flags: FlagDefinitions): string {
  return names.split(" ").map((name) => {
    const flag = flags[name];
    if (flag === undefined) throw new Error(`no flag ${name} for the usage`);
    const placeholder = flag.usagePlaceholder ?? flag.placeholder;
    return `[${withValue(`--${name}`, placeholder)}]`;
  }).join(" ");
}

/** Each flag with its spellings (`-f, --force`), its help and its choices. */
function options(flags: FlagDefinitions): readonly string[] {
  return Object.entries(flags).flatMap(([name, flag]) => {
    const { placeholder, help, choices } = flag;
    const title = spellingsOf(name, flag).map((spelling) =>
      withValue((spelling.length === 1 ? "-" : "--") + spelling, placeholder)
    ).join(", ");
    if (choices === undefined) return entry(title, help);
    const list = Object.entries(choices).map(([choice, says]) =>
      `${choice}: ${says}`
    ).join("\n");
    return entry(
      title,
      `${help}\n\n<${placeholder}> is a case-sensitive string and must be one of:\n\n${list}`,
    );
  });
}

function withValue(flag: string, placeholder: string | undefined): string {
  return placeholder === undefined ? flag : `${flag}=<${placeholder}>`;
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
