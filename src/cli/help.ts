/**
 * Help pages, rendered from the definitions. Pure: text in, text out.
 *
 * The sections of the original's help in its order, and the exit codes; flags
 * stand by purpose. ANSI codes only where the caller says that a terminal reads
 * them.
 */
import type { ExitCode } from "./exit_codes.ts";
import {
  argumentsOf,
  type CommandDefinition,
  type CommandGroup,
  type FlagDefinition,
  type FlagDefinitions,
  type FlagGroup,
  HELP_FLAG,
  programOf,
  spellingsOf,
  VERSION,
} from "./grammar/command.ts";
import { PROGRAM } from "./process/called_as.ts";
import {
  BUILT_IN,
  type Place,
  PROGRAM_FLAGS,
  typedName,
} from "./grammar/route.ts";

/** Columns of a page where no terminal says another number. */
const WIDTH = 80;
/** Narrower, no word would fit; wider, no eye finds the next line. */
const LEAST_WIDTH = 50;
const MOST_WIDTH = 120;
const INDENT = "  ";
const DEEP_INDENT = "      ";

export interface HelpStyle {
  /** Bold headings, by ANSI codes. */
  readonly bold: boolean;
  /** Columns of the terminal, if one reads the page. */
  readonly columns?: number | undefined;
}

/** What flags of a group are about, in the order of the page. */
const GROUPS: Readonly<Record<FlagGroup, string>> = {
  files: "Files",
  key: "Keys and passwords",
  authority: "Certificate authority",
  schedule: "Time",
  reload: "Services and failures",
  program: "This program",
};

/** The page of a command, as it was called, or of a group. */
export async function helpPage(
  place: Place,
  style: HelpStyle,
): Promise<string> {
  return page(await helpSections(place), style);
}

/** What a page says, before it is laid out. */
export async function helpSections(
  place: Place,
): Promise<readonly Section[]> {
  const { entry } = place;
  return typeof entry === "function"
    ? commandSections((await entry()).command, typedName(place))
    : await groupSections(entry, place);
}

/**
 * The usage in one line, for whoever made a mistake: what follows the name, and
 * where the rest is told.
 */
export async function usageHint(place: Place): Promise<string> {
  const { entry } = place;
  const name = typedName(place);
  const { command } = typeof entry === "function" ? await entry() : {};
  const what = command === undefined
    ? "<command> [arguments]"
    : [...argumentsOf(command), "[flags]", ...programOf(command)].join(" ");
  return `${name} ${what} (${name} --help tells more)`;
}

export type Section = readonly [heading: string, lines: readonly Line[]];

/** A line before it is known how wide the page is. */
export interface Line {
  readonly text: string;
  readonly indent: string;
  /** Begins the first line, instead of the indent. */
  readonly first?: string;
  /** What the lines behind it, with a deeper indent, are about. */
  readonly isTerm?: boolean;
  /** What a shell takes as it is. */
  readonly isFixed?: boolean;
}

const EMPTY: Line = { text: "", indent: "" };

function commandSections(
  command: CommandDefinition,
  name: string,
): readonly Section[] {
  const canonical = command.path.join(" ");
  const called = (line: string) =>
    line.startsWith(canonical) ? name + line.slice(canonical.length) : line;
  const flags: FlagDefinitions = { ...command.flags, help: HELP_FLAG };
  const groups = groupsOf(flags);
  const usage = Object.values(groups).flatMap((group) =>
    Object.entries(group).map(([name, flag]) => bracketed(name, flag))
  );
  return [
    ["NAME", paragraphs(`${name} -- ${command.brief}`, INDENT)],
    [
      "USAGE",
      [
        ...paragraphs([name, ...argumentsOf(command)].join(" "), INDENT),
        ...paragraphs(
          [...usage, ...programOf(command)].join(" "),
          DEEP_INDENT,
        ),
      ],
    ],
    ["DESCRIPTION", paragraphs(command.description.join("\n\n"), INDENT)],
    [
      "POSITIONAL ARGUMENTS",
      [
        ...Object.entries({
          ...command.positionals,
          ...command.optionalPositionals,
        }).flatMap(([name, help]) => entry(`<${name}>`, help)),
        ...programOf(command).flatMap((title) =>
          entry(title, command.program ?? "")
        ),
      ],
    ],
    [
      "OPTIONS",
      Object.entries(groups).flatMap(([title, group]) => [
        { text: `${title}:`, indent: "" },
        EMPTY,
        ...options(group),
      ]),
    ],
    [
      "EXAMPLES",
      command.examples.flatMap(([says, command]) => [
        ...paragraphs(`${says}:`, INDENT),
        ...called(command).split("\n").map((text, index) => (
          { text, indent: index === 0 ? `${INDENT}$ ` : INDENT, isFixed: true }
        )),
        EMPTY,
      ]),
    ],
    ["EXIT CODES", command.exitCodes.map(exitCodeLine)],
  ];
}

async function groupSections(
  { brief, below }: CommandGroup,
  place: Place,
): Promise<readonly Section[]> {
  const { path, calledAs } = place;
  const name = typedName(place);
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
  const config = isProgram ? bracketed("config", PROGRAM_FLAGS.config) : "";
  const usage = [name, config, "<command> [arguments]"];
  return [
    ["NAME", paragraphs(`${name} -- ${brief}`, INDENT)],
    ...calledAs !== undefined && isProgram ? [notStep(calledAs)] : [],
    ["USAGE", paragraphs(usage.filter(Boolean).join(" "), INDENT)],
    [
      "COMMANDS",
      [...briefs, ...Object.entries(isProgram ? BUILT_IN : {})]
        .flatMap(([word, brief]) => entry(word, brief)),
    ],
    ["OPTIONS", options(isProgram ? PROGRAM_FLAGS : { help: HELP_FLAG })],
    [
      "MORE",
      paragraphs(`${name} help <command> shows the help of a command.`, INDENT),
    ],
  ];
}

/** Nothing pretends to be what it is not. */
function notStep(calledAs: string): Section {
  const text =
    `This is ${PROGRAM} ${VERSION}, called as ${calledAs}: not Smallstep's, of which it has the commands below.`;
  return ["PROGRAM", paragraphs(text, INDENT)];
}

/** Flags by the title of their group, in its order and in their own. */
function groupsOf(
  flags: FlagDefinitions,
): Readonly<Record<string, FlagDefinitions>> {
  return Object.fromEntries(
    Object.entries(GROUPS).map(([group, title]) =>
      [
        title,
        Object.fromEntries(
          Object.entries(flags).filter(([, flag]) => flag.group === group),
        ),
      ] as const
    ).filter(([, inside]) => Object.keys(inside).length > 0),
  );
}

/** As usage lines have a flag: `[--out-cert=<file>]`. */
function bracketed(name: string, { placeholder }: FlagDefinition): string {
  return `[${withValue(`--${name}`, placeholder)}]`;
}

/** Each flag with its spellings (`-f, --force`), its help and its choices. */
function options(flags: FlagDefinitions): readonly Line[] {
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

function entry(title: string, help: string): readonly Line[] {
  return [
    { text: title, indent: INDENT, isTerm: true },
    ...paragraphs(help, DEEP_INDENT),
    EMPTY,
  ];
}

/** Behind the widest code: `128+n`. */
const CODE_INDENT = " ".repeat(8);

function exitCodeLine({ code, when }: ExitCode): Line {
  const first = `${code.padStart(CODE_INDENT.length - 1)} `;
  return { text: when, indent: CODE_INDENT, first };
}

/** Paragraphs stand apart by an empty line; a single line end is kept. */
function paragraphs(text: string, indent: string): readonly Line[] {
  return text.split("\n").map((line) => ({ text: line, indent }));
}

function page(
  sections: readonly Section[],
  { bold, columns = WIDTH }: HelpStyle,
): string {
  const width = Math.min(Math.max(columns, LEAST_WIDTH), MOST_WIDTH);
  return sections.map(([heading, lines]) => {
    const title = bold ? `\x1b[1m${heading}\x1b[0m` : heading;
    const wrapped = lines.flatMap((line) => wrap(line, width));
    return `${[title, ...wrapped].join("\n").trimEnd()}\n`;
  }).join("\n");
}

function wrap(
  { text, indent, first = indent, isFixed }: Line,
  width: number,
): readonly string[] {
  if (text === "") return [""];
  if (isFixed) return [first + text];
  const lines: string[] = [];
  let line = first;
  let isEmpty = true;
  // "$(step path)" is one word.
  for (const word of text.split(/ (?!path\))/)) {
    if (!isEmpty && line.length + 1 + word.length > width) {
      lines.push(line);
      line = indent;
      isEmpty = true;
    }
    line += isEmpty ? word : ` ${word}`;
    isEmpty = false;
  }
  return [...lines, line];
}
