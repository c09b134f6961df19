/**
 * What a command is: its flags, arguments and words, written down once.
 *
 * The grammar (`go_arguments.ts`), the settings (`settings.ts`), the typed
 * parse (`command_tree.ts`) and the help (`help.ts`) all read these
 * definitions. They hold data and one entry point; they must not be heavy to
 * load, since `--help` loads them too.
 */
import type { Program } from "../process/program.ts";

/** How the text of a flag is read. */
export type FlagKind = "text" | "integer" | "boolean";

/** One flag. Its key in {@linkcode FlagDefinitions} is the name that messages use. */
export interface FlagDefinition {
  readonly kind: FlagKind;
  /**
   * Every spelling, without dashes, in the original's order: the first one
   * names the environment variable (`STEP_F` for `-f`/`--force`).
   */
  readonly names: readonly [string, ...string[]];
  /** Name of the value in the help, without brackets; booleans have none. */
  readonly placeholder?: string;
  /** Paragraphs are separated by an empty line, list items by a line end. */
  readonly help: string;
  /** What to do when the value cannot be read. */
  readonly badValueHint?: string;
}

/** Flags by the name that messages use, in the order of the help. */
export type FlagDefinitions = Readonly<Record<string, FlagDefinition>>;

/** The values of flags that are set; an integer is exact up to 64 bits. */
export type FlagValues<Flags extends FlagDefinitions> = {
  readonly [Name in keyof Flags]?: ValueOf<Flags[Name]["kind"]> | undefined;
};

type ValueOf<Kind extends FlagKind> = Kind extends "boolean" ? boolean
  : Kind extends "integer" ? bigint
  : string;

/** Where the value of a flag was found. */
export type Origin =
  | { readonly from: "command line" }
  | { readonly from: "environment"; readonly variable: string }
  | { readonly from: "defaults"; readonly file: string };

/** A positional argument. */
export interface PositionalDefinition {
  /** Without brackets. */
  readonly name: string;
  readonly help: string;
}

/** A worked example. */
export interface Example {
  readonly says: string;
  /** What to type; a line end stands where the shell's line goes on. */
  readonly command: string;
}

/** What a command is called with, when its grammar and settings were right. */
export interface Invocation<Flags extends FlagDefinitions> {
  readonly flags: FlagValues<Flags>;
  readonly positionals: readonly string[];
  /** Where each set flag comes from. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** `$(step path)`: the directory of the CA's files, for defaults. */
  readonly stepPath: string;
}

/** One command. */
export interface CommandDefinition<
  Flags extends FlagDefinitions = FlagDefinitions,
> {
  /** Words that call it, canonical ones first. */
  readonly path: readonly [string, ...string[]];
  /** One line for lists, lower case, no period. */
  readonly brief: string;
  /** Lines of the USAGE section, without the program's name. */
  readonly usage: readonly string[];
  /** Quoted in the errors about the number of arguments, as the original does. */
  readonly usageInErrors: string;
  readonly description: readonly string[];
  readonly positionals: readonly PositionalDefinition[];
  readonly flags: Flags;
  readonly examples: readonly Example[];
  /** Called as soon as the grammar accepted the line: time to start slow work. */
  prepare?(program: Program): void;
  /** @throws {RekeyError} of any kind */
  run(invocation: Invocation<Flags>, program: Program): Promise<void>;
}

/** Keeps the exact type of the flags, so that `run` gets typed values. */
export function defineCommand<const Flags extends FlagDefinitions>(
  definition: CommandDefinition<Flags>,
): CommandDefinition<Flags> {
  return definition;
}

/** The definitions by every spelling. A Map, so that `--constructor` is unknown. */
export function flagsBySpelling(
  flags: FlagDefinitions,
): ReadonlyMap<string, readonly [name: string, flag: FlagDefinition]> {
  const spellings = new Map<string, readonly [string, FlagDefinition]>();
  for (const [name, flag] of Object.entries(flags)) {
    for (const spelling of flag.names) spellings.set(spelling, [name, flag]);
  }
  return spellings;
}
