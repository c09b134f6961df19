/**
 * What a flag and a command are: data, written down once.
 *
 * The grammar, the settings, the usage lines, the help and the tests that hold
 * the documents against the program all read these definitions.
 */
import type { RekeyError } from "../../base/errors.ts";
import type { Hint } from "../../base/remedy.ts";
import type { ExitCode } from "../exit_codes.ts";
import type { PROGRAM } from "../process/called_as.ts";
import type { Program } from "../process/program.ts";

/** The version of the original whose answers the commands give that stand in for it. */
export const STEP_VERSION = "0.24.0";

/** The version of the program; a test holds it against deno.json. */
export const VERSION = "1.0.0-rc.1";

/** The day of that version, for manual pages. */
export const VERSION_DATE = "2026-11-30";

/** How the text of a flag is read; a `list` may stand several times. */
export type FlagKind = "text" | "integer" | "boolean" | "list";

/** The value of a flag; an integer is exact up to 64 bits. */
export type FlagValue = string | bigint | boolean | readonly string[];

/** What a flag is about. */
export type FlagGroup =
  | "files"
  | "key"
  | "authority"
  | "schedule"
  | "reload"
  | "program";

/** One flag. Its key in {@linkcode FlagDefinitions} is the name that messages use. */
export interface FlagDefinition {
  readonly kind: FlagKind;
  /**
   * Every spelling, without dashes, in the original's order, where there is
   * another one than the key: the first one names the variable of the
   * environment (`STEP_F` for `-f`/`--force`).
   */
  readonly names?: readonly [string, ...string[]];
  readonly group: FlagGroup;
  /** Name of the value, without brackets (a path is a `file`); booleans have none. */
  readonly placeholder?: string;
  readonly help: string;
  /** Each value that is allowed, with its meaning, where they can be listed. */
  readonly choices?: Readonly<Record<string, string>>;
  /** What to do when the value cannot be read. */
  readonly badValueHint?: string;
}

/** Flags by the name that messages use, in the order of the help. */
export type FlagDefinitions = Readonly<Record<string, FlagDefinition>>;

/** The values of flags that are set. */
export type FlagValues<Flags extends FlagDefinitions> = {
  readonly [Name in keyof Flags]?: ValueOf<Flags[Name]["kind"]> | undefined;
};

type ValueOf<Kind extends FlagKind> = Kind extends "boolean" ? boolean
  : Kind extends "integer" ? bigint
  : Kind extends "list" ? readonly string[]
  : string;

/** The flag that every command and group has. */
export const HELP_FLAG = {
  kind: "boolean",
  names: ["help", "h"],
  group: "program",
  help: "Show this help.",
} as const satisfies FlagDefinition;

/** Where the value of a flag was found. */
export type Origin =
  | { readonly from: "command line" }
  | { readonly from: "environment"; readonly variable: string }
  | { readonly from: "defaults"; readonly file: string };

/** What a command is called with, when its grammar and settings were right. */
export interface Invocation<Flags extends FlagDefinitions> {
  readonly flags: FlagValues<Flags>;
  readonly positionals: readonly string[];
  /** Where each set flag comes from. */
  readonly origins: ReadonlyMap<string, Origin>;
  /** `$(step path)`: the directory of the CA's files, for defaults. */
  readonly stepPath: string;
  /** The directory that relative paths start from; only called when it matters. */
  cwd(): string;
  /** A variable of the environment that no flag stands for. */
  env(name: string): string | undefined;
}

/** One command: its words, and what it does. */
export interface CommandDefinition<
  Flags extends FlagDefinitions = FlagDefinitions,
  Options = unknown,
> {
  /** The words that call it; another path of the command tree may, too. */
  readonly path: readonly string[];
  /** One line for lists, lower case, no period. */
  readonly brief: string;
  /** The program that a wrong number of arguments names: the original's, for its commands. */
  readonly programInErrors: "step" | typeof PROGRAM;
  readonly description: readonly string[];
  /** The help of each, by its name without brackets, in their order. */
  readonly positionals: Readonly<Record<string, string>>;
  /** Those that may be left out, behind the others. */
  readonly optionalPositionals?: Readonly<Record<string, string>>;
  readonly flags: Flags;
  /** Flags of the original that it has not, by their spelling: what to do instead. */
  readonly refusedFlags?: Readonly<Record<string, Hint>>;
  /** What its exit codes mean, in the order of the numbers. */
  readonly exitCodes: readonly ExitCode[];
  /** The code of a failure, where callers read it as an answer. */
  exitCodeOf?(error: RekeyError): number;
  /** What to type, with a line end where the shell's line goes on. */
  readonly examples: readonly (readonly [says: string, command: string])[];
  /** Whether it makes the files with settings, which then say nothing about its flags. */
  readonly makesSettings?: boolean;
  /** @throws {RekeyError} kind `usage` or `config` */
  resolve(invocation: Invocation<Flags>): Options | Promise<Options>;
  /**
   * @returns the exit code
   * @throws {RekeyError} of any kind
   */
  run(options: Options, program: Program): Promise<number>;
}

/** Keeps the exact types of flags and options. */
export function defineCommand<const Flags extends FlagDefinitions, Options>(
  definition: CommandDefinition<Flags, Options>,
): CommandDefinition<Flags, Options> {
  return definition;
}

/** Commands below a word, or below the program's name. */
export interface CommandGroup {
  readonly brief: string;
  /** By the word that is typed. */
  readonly below: Readonly<Record<string, CommandGroup | CommandLoader>>;
}

/** Loads a command when it is called. */
export type CommandLoader = () => Promise<
  { readonly command: CommandDefinition }
>;

/** Every spelling of a flag, without dashes. */
export function spellingsOf(
  name: string,
  { names = [name] }: FlagDefinition,
): readonly [string, ...string[]] {
  return names;
}

/** The variable of a flag: `STEP_` and its first spelling. */
export function variableOf(name: string, flag: FlagDefinition): string {
  const [first] = spellingsOf(name, flag);
  return `STEP_${first.toUpperCase().replaceAll("-", "_")}`;
}

/** The arguments of a command as usage lines have them. */
export function argumentsOf(
  { positionals, optionalPositionals = {} }: CommandDefinition,
): readonly string[] {
  return [
    ...Object.keys(positionals).map((name) => `<${name}>`),
    ...Object.keys(optionalPositionals).map((name) => `[<${name}>]`),
  ];
}
