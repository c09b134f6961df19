/**
 * What the documents have to agree with: the definitions of commands and flags,
 * the variables that the program looks at, and the texts of its source.
 */
import { ERROR_KINDS } from "../../src/base/errors.ts";
import { COMMANDS } from "../../src/cli/commands/catalogue.ts";
import { ERROR_MEANINGS } from "../../src/cli/exit_codes.ts";
import {
  type FlagDefinition,
  type FlagDefinitions,
  HELP_FLAG,
  spellingsOf,
  variableOf,
} from "../../src/cli/grammar/command.ts";
import {
  BUILT_IN,
  placesIn,
  PROGRAM_FLAGS,
} from "../../src/cli/grammar/route.ts";
import { ROOT } from "../../scripts/paths.ts";
import { runLine } from "../support/command_line.ts";

/** One flag of a command. */
export interface FlagFacts {
  /** As the help spells it: `--crv=<curve>, --curve=<curve>`. */
  readonly title: string;
  /** Every spelling, with dashes and without a value. */
  readonly spellings: readonly string[];
  /** The variable that stands in for it; empty for flags of the grammar itself. */
  readonly variable: string;
  /** The values and numeric defaults that its help names. */
  readonly values: readonly string[];
}

/** What the documents may name, and what they have to name. */
export interface ProgramFacts {
  /** Every command with its flags; `""` is the program itself. */
  readonly commands: ReadonlyMap<string, readonly FlagFacts[]>;
  /** Variables that the program looks at for flags. */
  readonly variables: ReadonlySet<string>;
  /** Variables that hooks find in their environment. */
  readonly hookVariables: ReadonlySet<string>;
  /** Variables of scripts and tests. */
  readonly testVariables: ReadonlySet<string>;
  /** What a line of the JSON log may call an event. */
  readonly events: ReadonlySet<string>;
  /** Of deno.json. */
  readonly version: string;
  /** Names of the tasks of deno.json. */
  readonly tasks: ReadonlySet<string>;
  /** The versions of the libraries in deno.json. */
  readonly libraries: ReadonlyMap<string, string>;
  /** Exit code, kind and meaning, as the table of README has them. */
  readonly exitCodes: readonly (readonly [string, string, string])[];
  /** Names of the folders in src/. */
  readonly folders: readonly string[];
  /** Why the program refuses a command line; undefined when it does not. */
  refusal(words: readonly string[]): Promise<string | undefined>;
  /** Whether a path below the root of the checkout exists. */
  exists(path: string): boolean;
}

export async function programFacts(): Promise<ProgramFacts> {
  const config = JSON.parse(await Deno.readTextFile(`${ROOT}deno.json`));
  const meanings = new Map(Object.entries(ERROR_MEANINGS));
  const source = await textBelow("src");
  const others = await textBelow("scripts") + await textBelow("tests") +
    await Deno.readTextFile(`${ROOT}deno.json`);
  const { variables } = await runLine(["ca", "rekey", "a.crt", "a.key"]);
  return {
    commands: await commandFacts(),
    variables: new Set([...variables, ...await flagVariables()]),
    // As keys of the environment that a hook is given.
    hookVariables: matchesIn(source, /\b(STEP_REKEY_[A-Z_]+):/g),
    testVariables: matchesIn(others, /\b((?:STEP_REKEY|FUZZ)_[A-Z_]+)\b/g),
    events: matchesIn(source, /\bevent: "([a-z-]+)"/g),
    version: config.version,
    tasks: new Set(Object.keys(config.tasks)),
    libraries: new Map(
      Object.entries(config.imports).map(([name, source]) => [
        name,
        String(source).replace(/^.*@/, ""),
      ]),
    ),
    exitCodes: Object.entries(ERROR_KINDS).map(([kind, { exitCode }]) => [
      OPEN_CODES[kind] ?? String(exitCode),
      kind,
      meanings.get(kind) ?? "",
    ]),
    folders: (await Array.fromAsync(Deno.readDir(`${ROOT}src`)))
      .map(({ name }) => name),
    refusal: refusalOf,
    exists: isThere,
  };
}

/** Grammar, settings and rules are real; nothing is rekeyed. */
async function refusalOf(
  words: readonly string[],
): Promise<string | undefined> {
  const { code, stderr } = await runLine(words, {
    // As `step ca bootstrap` leaves it.
    env: { STEP_CA_URL: "https://ca.example" },
  });
  return code === 0 ? undefined : stderr.trimEnd();
}

/** The codes of kinds whose exit code is not one number. */
const OPEN_CODES: Readonly<Record<string, string>> = {
  hook: "its own",
  interrupted: "128 + n",
};

async function commandFacts(): Promise<ProgramFacts["commands"]> {
  const commands = new Map<string, readonly FlagFacts[]>();
  for (const { path, entry } of placesIn({ path: [], entry: COMMANDS })) {
    const flags: FlagDefinitions = typeof entry === "function"
      ? (await entry()).command.flags
      : {};
    const ofGrammar = path.length === 0 ? PROGRAM_FLAGS : { help: HELP_FLAG };
    commands.set(path.join(" "), [
      ...Object.entries(flags).map(flagFacts),
      ...Object.entries(ofGrammar).map((flag) => ({
        ...flagFacts(flag),
        variable: "",
      })),
    ]);
  }
  for (const name of Object.keys(BUILT_IN)) commands.set(name, []);
  // Known to the grammar alone.
  commands.set("help", [{
    title: "--man",
    spellings: ["--man"],
    variable: "",
    values: [],
  }]);
  return commands;
}

/** The variables of all flags of all commands. */
async function flagVariables(): Promise<readonly string[]> {
  const variables: string[] = [];
  for (const { entry } of placesIn({ path: [], entry: COMMANDS })) {
    if (typeof entry !== "function") continue;
    const { flags } = (await entry()).command;
    variables.push(
      ...Object.entries(flags).map(([name, flag]) => variableOf(name, flag)),
    );
  }
  return variables;
}

function flagFacts(
  [name, flag]: readonly [name: string, flag: FlagDefinition],
): FlagFacts {
  const { placeholder, choices = {}, help } = flag;
  const spellings = spellingsOf(name, flag).map((spelling) =>
    (spelling.length === 1 ? "-" : "--") + spelling
  );
  const value = placeholder === undefined ? "" : `=<${placeholder}>`;
  const defaults = help.matchAll(
    /default(?:s to| is| value is)(?: SIGHUP)? \(?(\d\w*)/gi,
  );
  return {
    title: spellings.map((spelling) => spelling + value).join(", "),
    spellings,
    variable: variableOf(name, flag),
    values: [
      ...Object.keys(choices),
      ...Array.from(defaults, ([, number = ""]) => number),
    ],
  };
}

async function textBelow(folder: string): Promise<string> {
  const texts: string[] = [];
  for await (const { name, isDirectory } of Deno.readDir(`${ROOT}${folder}`)) {
    const path = `${folder}/${name}`;
    // What is asked here must not answer itself.
    if (path === "tests/docs" || path === "tests/testdata") continue;
    if (isDirectory) texts.push(await textBelow(path));
    else if (name.endsWith(".ts")) {
      texts.push(await Deno.readTextFile(`${ROOT}${path}`));
    }
  }
  return texts.join("\n");
}

function matchesIn(text: string, pattern: RegExp): ReadonlySet<string> {
  return new Set([...text.matchAll(pattern)].map(([, name = ""]) => name));
}

function isThere(path: string): boolean {
  try {
    Deno.statSync(`${ROOT}${path}`);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
